//! Power loss on a real file system: ext4 in a file, mounted, and cut off in the middle of the work
//! so that not even its own journal gets out. Mounted again, it recovers as after a power loss.
//!
//! A sync that runs while the file system is cut off may succeed and save nothing: Linux says so
//! even to a program that does nothing but write and sync one file. So an answer counts when it was
//! there before the cut began.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    Site,
    dice::Dice,
    mounts::{Mount, format},
    oracle::Oracle,
    rounds, seed, skip,
    workers::{Answers, Behind, Reads, Round, hire},
};
use crate::{browser::Browser, client::Client, process::Process};

const TEST: &str = "lost_file_system";
const ROUNDS: u64 = 4;
const ANSWERS_MIN: u64 = 60;
const ANSWERS_SPREAD: u64 = 200;
/// Calls that are refused before the server is ended: it must live on and acknowledge nothing.
const REFUSED: usize = 20;
const IMAGE_SIZE: u64 = 96 << 20;

#[test]
fn everything_acknowledged_survives_a_file_system_that_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (image, place) = (folder.path().join("image"), folder.path().join("mounted"));
    std::fs::create_dir(&place).unwrap();
    let mounted = format(&image, IMAGE_SIZE).and_then(|()| Mount::image(&image, &place));
    let mut mount = match mounted {
        Ok(mount) => mount,
        Err(reason) => return skip(TEST, &reason),
    };
    let seed = seed(TEST);
    let site = Site::within(tempfile::tempdir_in(&place).unwrap());
    let mut server = Process::start(site.folder.path());
    let workers = hire(&Browser::signed_in(&Client::new(&server.base), &site.admin));
    let answers = Answers::default();
    let mut strangers = 0;
    // Counts cuts, from just before each begins.
    let cuts = AtomicU64::new(0);
    for round in 0..rounds(ROUNDS) {
        let mut dice = Dice::new(seed, round);
        let more = usize::try_from(ANSWERS_MIN + dice.roll(ANSWERS_SPREAD)).unwrap();
        let bases = [server.base.clone()];
        let work = Round {
            bases: &bases,
            behind: Behind::OneServer,
            app: &site.app,
            seed: seed ^ round,
            now: &|| cuts.load(Ordering::SeqCst),
            answers: &answers,
            reads: Reads::OrPutOff,
        };
        let mut cut_off = Ok(());
        work.run(&workers, || {
            answers.wait_for(more);
            cuts.fetch_add(1, Ordering::SeqCst);
            cut_off = mount.cut_off();
            if cut_off.is_ok() {
                answers.wait_for_put_off(REFUSED);
            }
            server.kill();
        });
        if let Err(reason) = cut_off {
            return skip(TEST, &reason);
        }
        for worker in &workers {
            for grant in &mut worker.lock().unwrap().grants {
                strangers += usize::from(grant.distrust_after(round));
            }
        }
        drop(mount);
        mount = Mount::image(&image, &place).unwrap();
        server = Process::start(site.folder.path());
        let client = Client::new(&server.base);
        let oracle = Oracle { client, app: &site.app, admin: &site.admin };
        oracle.check_all(&workers, seed ^ round, &mut strangers);
    }
    println!("{} answers, {} refusals", answers.given(), answers.put_off());
    drop((server, site, mount));
}
