//! What each client does with each profile and under each fault, measured at `tokenry twin`, and
//! `docs/clients.md`, which says it.
//!
//! 1. [`known`]: the clients, and how each is set up.
//! 2. [`driver`]: a client's process, which does one job at a time.
//! 3. [`measure`]: a job with a fault, the same again, and again when time has passed.
//! 4. [`verdict`]: what that was, in a word.
//! 5. [`page`]: all of it.

mod driver;
mod faults;
mod known;
mod measure;
mod page;
mod verdict;

use std::{collections::BTreeMap, env, fs, path::Path, sync::Mutex, thread};

use self::{
    known::CLIENTS,
    measure::{Bench, Measured},
};

/// As many clients at once as the smallest machine has cores, and one that waits.
const AT_ONCE: usize = 3;
/// Set, the page is written and not compared.
const WRITE: &str = "WRITE_CLIENTS";

#[test]
fn every_client_does_what_its_page_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    let page = page::page(&measure_all());
    if env::var_os(WRITE).is_some() {
        fs::write(path, page).unwrap();
        return;
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let differing: Vec<_> =
        written.lines().zip(page.lines()).filter(|(old, new)| old != new).collect();
    assert!(
        written == page,
        "docs/clients.md is not what was measured: {differing:#?}\n\
         To write it: {WRITE}=1 cargo xtask test --only acceptance"
    );
}

/// Every set-up of every client, in the order of the table.
fn measure_all() -> Vec<Measured> {
    let ways = CLIENTS.iter().flat_map(|client| client.ways.iter().map(move |way| (client, way)));
    let waiting = Mutex::new(ways.enumerate());
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((index, (client, way))) = waiting.lock().unwrap().next() else {
                        break;
                    };
                    let measured = Bench::new(client, way).measure();
                    println!("  measured {} ({})", client.name, way.name);
                    done.lock().unwrap().insert(index, measured);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}
