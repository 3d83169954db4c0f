//! What the library and the tests that steer it agree on: the words of the control file and the
//! records of the journal.
//!
//! The tests include this file by its path. Linked against the library itself they would be under
//! its faults as well.

/// A 64-bit word of the control file, in the machine's byte order.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(crate) enum Word {
    /// 1 once the library is in place.
    Loaded,
    /// Operations on the store's files so far. A sync counts when it begins and when it is over.
    Operations,
    /// Syncs that have begun.
    SyncsBegun,
    /// Syncs that are over.
    SyncsEnded,
    /// How long a sync waits before it is done, in milliseconds. Those that wait see it change.
    SyncDelay,
    /// While not 0, a sync does nothing and fails with `EIO`.
    SyncFails,
    /// While not 0, a write does nothing and fails with `ENOSPC`.
    DiskFull,
    /// The operation before which the process is killed; 0 is none.
    KillAt,
    /// What is added to the time of day, in milliseconds; a negative one as its two's complement.
    ClockShift,
}

/// How many words there are.
pub(crate) const WORDS: usize = 9;

/// The variable that names the database; its log is named after it.
pub(crate) const STORE: &str = "FAULTS_STORE";
/// The variable that names the control file.
pub(crate) const CONTROL: &str = "FAULTS_CONTROL";
/// The variable that names the journal. Without it nothing is recorded.
pub(crate) const JOURNAL: &str = "FAULTS_JOURNAL";

/// The words before the data of a record: the operation's number, its kind, its file, where (see
/// [`Kind`]), and how many bytes of data follow.
pub(crate) const HEADER: usize = 5;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// The data was written at this offset.
    Write,
    /// The file was cut to this length.
    Truncate,
    /// The file was synced; the sync began as the operation of this number.
    Sync,
    /// The same, but it failed.
    FailedSync,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum StoreFile {
    /// The database.
    Database,
    /// Its write-ahead log.
    Log,
}

impl StoreFile {
    pub(crate) const ALL: [Self; 2] = [Self::Database, Self::Log];

    /// What follows the database's name.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Database => "",
            Self::Log => "-wal",
        }
    }
}
