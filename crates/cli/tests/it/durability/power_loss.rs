//! Power loss: every operation of a run on the store's files is recorded, and the disk that a loss
//! of power would have left is made again for many moments of the run (`replay`). A server on it
//! must stand by all that was answered until then.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use super::{
    Site,
    dice::Dice,
    faults::{
        Faults,
        layout::{Kind, StoreFile, Word},
    },
    ledger::Grant,
    oracle::Oracle,
    replay::{Files, Journal, Record},
    rounds, seed,
    workers::{Answers, Behind, Reads, Round, Worker, hire},
};
use crate::{browser::Browser, client::Client};

const TEST: &str = "power_loss";
const CUTS: u64 = 24;
/// The journal of a run that started its log anew and moved it into the database more than once.
const JOURNAL_BYTES: u64 = 44 << 20;
/// Far more than that takes.
const ANSWERS_MAX: usize = 100_000;
/// Syncs fail this many times in between, each time for as many refused calls.
const BREAKDOWNS: u64 = 4;
const REFUSED: usize = 8;
/// Of each disk the grants that were touched last are checked, and some of the others; the list
/// shows all.
const LAST_CHECKED: usize = 120;
const OTHERS_CHECKED: usize = 60;

#[test]
fn everything_acknowledged_survives_a_loss_of_power_at_any_moment() {
    let site = Site::new();
    let Some(mut faults) = Faults::new(TEST, site.folder.path()) else { return };
    let seed = seed(TEST);
    let before = files(site.folder.path());
    let ended_at = Instant::now();
    let workers = run(&site, &mut faults, seed);
    let journal = Journal::read(&faults.journal());
    let grants: Vec<Grant> =
        workers.into_iter().flat_map(|worker| worker.into_inner().unwrap().grants).collect();
    let moments = Moments::find(&journal);
    for cut in 0..rounds(CUTS) {
        let mut dice = Dice::new(seed, cut);
        let moment = moments.choose(cut, &mut dice);
        println!("cut {cut}: after operation {moment}");
        let disk = journal.disk_after(moment, &before, &mut dice);
        check(&site, &disk, &grants, (moment, ended_at.elapsed()), &mut dice);
    }
}

/// Works until the journal is long enough, with some breakdowns of the disk in between.
fn run(site: &Site, faults: &mut Faults, seed: u64) -> Vec<Mutex<Worker>> {
    faults.record();
    let mut server = faults.start();
    let workers = hire(&Browser::signed_in(&Client::new(&server.base), &site.admin));
    let answers = Answers::default();
    let bases = [server.base.clone()];
    let work = Round {
        bases: &bases,
        behind: Behind::OneServer,
        app: &site.app,
        seed,
        now: &|| faults.read(Word::Operations),
        answers: &answers,
        reads: Reads::Always,
    };
    work.run(&workers, || {
        let recorded = || fs::metadata(faults.journal()).unwrap().len();
        let mut breakdowns = 0;
        while recorded() < JOURNAL_BYTES && answers.given() < ANSWERS_MAX {
            let due = JOURNAL_BYTES * (breakdowns + 1) / (BREAKDOWNS + 1);
            if recorded() > due {
                breakdowns += 1;
                faults.set(Word::SyncFails, 1);
                answers.wait_for_put_off(REFUSED);
                faults.set(Word::SyncFails, 0);
            }
            thread::sleep(Duration::from_millis(1));
        }
        server.kill();
    });
    println!(
        "{} answers, {} refusals, {} operations",
        answers.given(),
        answers.put_off(),
        faults.read(Word::Operations)
    );
    workers
}

/// The moments at which a loss of power is most likely to hurt.
struct Moments {
    last: u64,
    /// While the log is moved into the database.
    checkpoints: Vec<u64>,
    /// When the log is started anew.
    restarts: Vec<u64>,
    /// When a commit has become durable.
    commits: Vec<u64>,
    /// When a sync failed.
    failures: Vec<u64>,
}

impl Moments {
    fn find(journal: &Journal) -> Self {
        let numbers = |wanted: &dyn Fn(&Record) -> bool| -> Vec<u64> {
            let found = journal.0.iter().filter(|record| wanted(record));
            found.map(|record| record.number).collect()
        };
        let is = |record: &Record, file: StoreFile, kind: Kind| {
            record.file == file && record.kind == kind
        };
        let moments = Self {
            last: journal.0.last().unwrap().number,
            checkpoints: numbers(&|record| is(record, StoreFile::Database, Kind::Write)),
            restarts: numbers(&|record| is(record, StoreFile::Log, Kind::Write) && record.at == 0),
            commits: numbers(&|record| is(record, StoreFile::Log, Kind::Sync)),
            failures: numbers(&|record| record.kind == Kind::FailedSync),
        };
        assert!(moments.checkpoints.len() > 100, "the log was not moved into the database");
        assert!(moments.restarts.len() > 1, "the log was not started anew");
        assert!(!moments.failures.is_empty(), "no sync failed");
        moments
    }

    fn choose(&self, cut: u64, dice: &mut Dice) -> u64 {
        let one_of = |moments: &[u64], dice: &mut Dice| moments[dice.place(moments.len())];
        let near = dice.roll(8);
        match cut % 6 {
            0 => one_of(&self.checkpoints, dice),
            1 => one_of(&self.restarts, dice) + near,
            2 => one_of(&self.commits, dice),
            3 => one_of(&self.failures, dice) + near,
            // The last moment is that of the kill: nothing is left out.
            4 if cut == 4 => self.last,
            _ => dice.roll(self.last) + 1,
        }
    }
}

fn check(
    site: &Site,
    disk: &Files,
    grants: &[Grant],
    (moment, passed): (u64, Duration),
    dice: &mut Dice,
) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(site.folder.path(), folder.path(), disk);
    let Some(faults) = Faults::new(TEST, folder.path()) else { return };
    // Codes live for two minutes, and the power was lost a while ago.
    let passed = i64::try_from(passed.as_millis()).unwrap();
    faults.set(Word::ClockShift, (-passed).cast_unsigned());
    let server = faults.start();
    let client = Client::new(&server.base);
    let oracle = Oracle { client, app: &site.app, admin: &site.admin };
    let known: Vec<_> = grants.iter().map(|grant| grant.known_at(moment)).collect();
    let births = known.iter().filter(|known| known.state.is_none() && known.doubt.is_some());
    oracle.check_list(&known, births.count());

    let mut born: Vec<(u64, usize)> = (0..)
        .zip(grants)
        .filter_map(|(place, grant)| Some((grant.touched_before(moment)?, place)))
        .collect();
    born.sort_unstable();
    for _ in 0..LAST_CHECKED {
        let Some((_, place)) = born.pop() else { break };
        oracle.check(known[place].clone(), dice);
    }
    for _ in 0..OTHERS_CHECKED.min(born.len()) {
        let (_, place) = born.swap_remove(dice.place(born.len()));
        oracle.check(known[place].clone(), dice);
    }
}

fn files(folder: &Path) -> Files {
    StoreFile::ALL.map(|file| {
        let path = folder.join(format!("data/tokenry.db{}", file.suffix()));
        fs::read(path).unwrap_or_default()
    })
}

/// A folder with these files, and the key of the server that left them.
fn lay_out(from: &Path, to: &Path, disk: &Files) {
    fs::create_dir(to.join("data")).unwrap();
    fs::copy(from.join("data/server.key"), to.join("data/server.key")).unwrap();
    for (file, content) in StoreFile::ALL.into_iter().zip(disk) {
        let path = to.join(format!("data/tokenry.db{}", file.suffix()));
        let mut options = fs::OpenOptions::new();
        let written = options.create_new(true).write(true).mode(0o600).open(path);
        std::io::Write::write_all(&mut written.unwrap(), content).unwrap();
    }
}
