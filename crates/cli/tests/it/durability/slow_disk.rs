//! A disk that is slow, or hangs: reads do not queue behind writes.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use super::{
    Site,
    faults::{Faults, layout::Word},
};
use crate::client::Client;

/// Longer than any test.
const FOR_EVER: u64 = 3_600_000;
/// Reads of each kind while one sync hangs.
const READS: usize = 50;
/// Milliseconds a sync takes on the slow disk, and how many of them are watched.
const SLOW: u64 = 30;
const SYNCS: u64 = 25;
const WRITERS: usize = 4;
/// A reader who queued behind writes would come to one read a sync.
const READS_PER_SYNC_MIN: u64 = 2;

#[test]
fn reads_are_answered_while_a_sync_hangs_and_the_write_behind_it_is_not() {
    let site = Site::new();
    let Some(faults) = Faults::new("slow_disk, a sync hangs", site.folder.path()) else { return };
    let server = faults.start();
    let client = Client::new(&server.base);
    let known = client.issue(&site.app).unwrap().tokens().access;
    faults.set(Word::SyncDelay, FOR_EVER);
    let is_answered = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let issued = Client::new(&server.base).issue(&site.app);
            is_answered.store(true, Ordering::SeqCst);
            issued.unwrap().tokens()
        });
        while faults.read(Word::SyncsBegun) == faults.read(Word::SyncsEnded) {
            thread::yield_now();
        }
        let ended = faults.read(Word::SyncsEnded);
        for _ in 0..READS {
            client.current(&known).unwrap().expect(200);
            client.record(&site.admin, &known).unwrap().expect(200);
            assert_eq!(client.list(&site.admin).len(), 1);
        }
        assert_eq!(faults.read(Word::SyncsEnded), ended, "the sync did not hang");
        assert!(!is_answered.load(Ordering::SeqCst), "a write was answered before its sync");
        faults.set(Word::SyncDelay, 0);
        let issued = writer.join().unwrap();
        assert_eq!(client.is_alive(&issued.access), Some(true));
    });
    server.stop();
}

#[test]
fn at_30_ms_a_sync_many_reads_are_answered_for_each_write() {
    let site = Site::new();
    let Some(faults) = Faults::new("slow_disk, 30 ms", site.folder.path()) else { return };
    let server = faults.start();
    let client = Client::new(&server.base);
    let known = client.issue(&site.app).unwrap().tokens().access;
    faults.set(Word::SyncDelay, SLOW);
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (reads, syncs) = thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let client = Client::new(&server.base);
                while !stop.load(Ordering::SeqCst) {
                    client.issue(&site.app).unwrap().expect(200);
                    written.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let begin = faults.read(Word::SyncsEnded);
        let mut reads = 0;
        while faults.read(Word::SyncsEnded) < begin + SYNCS {
            client.current(&known).unwrap().expect(200);
            client.record(&site.admin, &known).unwrap().expect(200);
            reads += 2;
        }
        stop.store(true, Ordering::SeqCst);
        (reads, faults.read(Word::SyncsEnded) - begin)
    });
    println!("{reads} reads, one after the other, and {written:?} writes during {syncs} syncs");
    assert!(reads >= syncs * READS_PER_SYNC_MIN, "{reads} reads during {syncs} syncs");
    server.stop();
}
