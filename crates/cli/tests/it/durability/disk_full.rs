//! A full disk: the server lives, reads answer, writes say 503, and room is enough to go on.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use super::{
    Site,
    breakdown::{self, Breakdown},
    faults::layout::Word,
    mounts::Mount,
    oracle::Oracle,
    seed, skip,
    workers::{Answers, Behind, Reads, Round, hire},
};
use crate::{browser::Browser, client::Client, process::Process};

const FULL: Breakdown = Breakdown { test: "disk_full", word: Word::DiskFull };

#[test]
fn on_a_full_disk_reads_answer_and_writes_say_503_and_room_is_enough_to_go_on() {
    breakdown::refuses_and_recovers(&FULL);
}

#[test]
fn what_a_full_disk_refused_is_whole_or_absent_after_a_restart() {
    breakdown::refuses_and_is_restarted(&FULL);
}

#[test]
fn nothing_is_acknowledged_while_the_disk_is_full() {
    breakdown::comes_and_goes(&FULL);
}

/// 12 MiB: the database and a log, and little else.
const ROOM: &str = "12m";
/// Refusals to wait for.
const REFUSED: usize = 60;

#[test]
fn a_file_system_without_room_stops_writes_and_nothing_else() {
    let test = "disk_full, a file system without room";
    let place = tempfile::tempdir().unwrap();
    let mount = match Mount::in_memory(place.path(), ROOM) {
        Ok(mount) => mount,
        Err(reason) => return skip(test, &reason),
    };
    let seed = seed(test);
    let site = Site::within(tempfile::tempdir_in(place.path()).unwrap());
    let mut server = Process::start(site.folder.path());
    let client = Client::new(&server.base);
    let workers = hire(&Browser::signed_in(&client, &site.admin));
    let known = client.issue(&site.app).unwrap().tokens().access;
    let filler = place.path().join("filler");
    fill(&filler);

    let answers = Answers::default();
    let bases = [server.base.clone()];
    let round = Round {
        bases: &bases,
        behind: Behind::OneServer,
        app: &site.app,
        seed,
        now: &|| 0,
        answers: &answers,
        reads: Reads::Always,
    };
    round.run(&workers, || {
        // The log has room of its own, which is used up first.
        answers.wait_for_put_off(REFUSED);
        client.current(&known).unwrap().expect(200);
        client.record(&site.admin, &known).unwrap().expect(200);
        client.list(&site.admin);
        fs::remove_file(&filler).unwrap();
        answers.wait_for(REFUSED);
    });
    breakdown::wait_until_ready(&client);
    assert!(server.is_running());
    server.kill();
    let server = Process::start(site.folder.path());
    let client = Client::new(&server.base);
    let oracle = Oracle { client, app: &site.app, admin: &site.admin };
    oracle.check_all(&workers, seed, &mut 0);
    println!("{} answers, {} refusals", answers.given(), answers.put_off());
    drop((server, site, mount));
}

/// Takes all the room there is.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 4_096, 1] {
        let part = vec![0xAA; size];
        while file.write_all(&part).is_ok() {}
    }
}
