//! The measurement in its short form: for its answers, and for allocations, which no machine
//! changes; not for its times.

use std::process::Command;

#[test]
fn the_client_allocates_little_more_than_what_it_is_built_on() {
    let mut cost = Command::new(env!("CARGO_BIN_EXE_tokenry-sdk-cost"));
    let output = cost.args(["--requests", "160", "--rounds", "1"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Vec<&str>> =
        told.lines().skip(2).map(|row| row.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 8, "{told}");
    for pair in rows.chunks(2) {
        let allocations = |row: &[&str]| row[5].parse::<f64>().unwrap();
        let (bare, ours) = (allocations(&pair[0]), allocations(&pair[1]));
        assert_eq!((pair[0][3], pair[1][3]), ("bare reqwest", "tokenry-client"));
        assert!(ours < bare * 1.5, "{told}");
    }
}
