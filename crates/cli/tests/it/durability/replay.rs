//! The journal of a run, and what a power loss at any point of it would have left on the disk.
//!
//! The model, for each file by itself:
//!
//! * What was written or cut before the begin of a sync that succeeded is there.
//! * Of everything after it any part may be there: nothing, all, some sectors of 512 bytes, or a
//!   sector that was torn in the middle of being written.
//! * A sync that failed did nothing. A later one that succeeds covers what was written before both.

use std::{fs, path::Path};

use super::{
    dice::Dice,
    faults::layout::{HEADER, Kind, StoreFile},
};

const SECTOR: usize = 512;

/// One operation.
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) file: StoreFile,
    /// Offset, length, or the number at which the sync began.
    pub(super) at: u64,
    data: Vec<u8>,
}

/// Every operation of a run, in order.
pub(super) struct Journal(pub(super) Vec<Record>);

/// What each file holds; a file that is not there is empty.
pub(super) type Files = [Vec<u8>; StoreFile::ALL.len()];

impl Journal {
    pub(super) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (mut records, mut rest) = (Vec::new(), bytes.as_slice());
        // The kill may have cut the last one.
        while let Some((header, after)) = rest.split_at_checked(HEADER * size_of::<u64>()) {
            let word = |index: usize| {
                let word = &header[index * size_of::<u64>()..][..size_of::<u64>()];
                u64::from_ne_bytes(word.try_into().unwrap())
            };
            let length = usize::try_from(word(4)).unwrap();
            let Some((data, after)) = after.split_at_checked(length) else { break };
            let (kind, file) = (kind(word(1)), file(word(2)));
            records.push(Record { number: word(0), kind, file, at: word(3), data: data.to_vec() });
            rest = after;
        }
        Self(records)
    }

    /// The files after a power loss when the operation `moment` was the last.
    pub(super) fn disk_after(&self, moment: u64, before: &Files, dice: &mut Dice) -> Files {
        let end = self.0.partition_point(|record| record.number <= moment);
        let mut files = before.clone();
        for (file, content) in StoreFile::ALL.into_iter().zip(&mut files) {
            let records: Vec<&Record> =
                self.0[..end].iter().filter(|record| record.file == file).collect();
            let luck = dice.roll(4);
            let synced = synced_before(&records);
            for record in records {
                let is_synced = record.number < synced;
                match record.kind {
                    Kind::Write | Kind::Truncate if is_synced => record.apply(content),
                    Kind::Write | Kind::Truncate => record.apply_some(content, luck, dice),
                    Kind::Sync | Kind::FailedSync => {}
                }
            }
        }
        files
    }
}

/// What has a lower number is on the disk.
fn synced_before(records: &[&Record]) -> u64 {
    let syncs = records.iter().filter(|record| record.kind == Kind::Sync);
    syncs.map(|record| record.at).max().unwrap_or(0)
}

impl Record {
    fn apply(&self, content: &mut Vec<u8>) {
        let at = usize::try_from(self.at).unwrap();
        if self.kind == Kind::Truncate {
            content.resize(at, 0);
        } else {
            write(content, at, &self.data);
        }
    }

    /// `luck` is the same for a whole disk: nothing survives, everything does, or anything may.
    fn apply_some(&self, content: &mut Vec<u8>, luck: u64, dice: &mut Dice) {
        let choice = match luck {
            0 => 0,
            1 => 1,
            _ => dice.roll(4),
        };
        let at = usize::try_from(self.at).unwrap();
        match (choice, self.kind) {
            (0, _) => {}
            (1, _) | (_, Kind::Truncate) => self.apply(content),
            (2, _) => write(content, at, &self.data[..dice.place(self.data.len() + 1)]),
            (_, _) => {
                // Sectors are the disk's, not the write's.
                let mut from = 0;
                while from < self.data.len() {
                    let to = (from + SECTOR - (at + from) % SECTOR).min(self.data.len());
                    if dice.roll(2) == 0 {
                        write(content, at + from, &self.data[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

fn write(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let end = at + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(data);
}

fn kind(number: u64) -> Kind {
    let kinds = [Kind::Write, Kind::Truncate, Kind::Sync, Kind::FailedSync];
    *kinds.iter().find(|kind| **kind as u64 == number).expect("the journal is damaged")
}

fn file(number: u64) -> StoreFile {
    *StoreFile::ALL.iter().find(|file| **file as u64 == number).expect("the journal is damaged")
}
