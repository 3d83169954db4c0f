//! The faults themselves, and the journal.

use std::{
    env,
    ffi::{CString, OsStr, c_char, c_int, c_void},
    os::unix::ffi::{OsStrExt, OsStringExt},
    ptr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use libc::{EIO, ENOSPC, MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, SYS_write, ssize_t};

use crate::layout::{self, HEADER, Kind, StoreFile, WORDS, Word};

/// How often a sync that waits looks at how long it is to wait.
const LOOK: Duration = Duration::from_millis(1);

/// The store's files as the process sees them.
pub(crate) struct Disk {
    store: Vec<u8>,
    control: &'static [AtomicU64; WORDS],
    journal: Option<c_int>,
    /// Held from an operation's number to its record, so that the journal is in order.
    turn: Mutex<()>,
}

/// The one disk; `None` in a process that was not given any faults.
pub(crate) fn disk() -> Option<&'static Disk> {
    static DISK: OnceLock<Option<Disk>> = OnceLock::new();
    DISK.get_or_init(Disk::from_environment).as_ref()
}

impl Disk {
    /// Nothing in here may call what this library replaces: it would wait for itself.
    fn from_environment() -> Option<Self> {
        let store = env::var_os(layout::STORE)?.into_vec();
        let control = map(&env::var_os(layout::CONTROL)?)?;
        let journal = match env::var_os(layout::JOURNAL) {
            Some(path) => Some(open(&path, libc::O_WRONLY | libc::O_APPEND)?),
            None => None,
        };
        let disk = Self { store, control, journal, turn: Mutex::new(()) };
        disk.word(Word::Loaded).store(1, Ordering::SeqCst);
        Some(disk)
    }

    pub(crate) fn file_of(&self, fd: c_int) -> Option<StoreFile> {
        let link = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
        let mut path = [0_u8; libc::PATH_MAX as usize];
        let room = path.as_mut_ptr().cast::<c_char>();
        // SAFETY: a string that ends with a 0, and as much room as is said.
        let length = unsafe { libc::readlink(link.as_ptr(), room, path.len()) };
        self.file_at(path.get(..usize::try_from(length).ok()?)?)
    }

    fn file_at(&self, path: &[u8]) -> Option<StoreFile> {
        let suffix = path.strip_prefix(self.store.as_slice())?;
        StoreFile::ALL.into_iter().find(|file| file.suffix().as_bytes() == suffix)
    }

    pub(crate) fn write(
        &self,
        file: StoreFile,
        at: u64,
        bytes: &[u8],
        write: impl FnOnce() -> ssize_t,
    ) -> ssize_t {
        let _turn = self.turn();
        let number = self.next();
        if self.is_on(Word::DiskFull) {
            fail(ENOSPC);
            return -1;
        }
        let written = write();
        let kept = usize::try_from(written).ok().and_then(|written| bytes.get(..written));
        if let Some(kept) = kept {
            self.record(number, (Kind::Write, file), at, kept);
        }
        written
    }

    pub(crate) fn truncate(
        &self,
        file: StoreFile,
        length: u64,
        truncate: impl FnOnce() -> c_int,
    ) -> c_int {
        let _turn = self.turn();
        let number = self.next();
        let result = truncate();
        if result == 0 {
            self.record(number, (Kind::Truncate, file), length, &[]);
        }
        result
    }

    /// What is written while a sync runs is not covered by it, so both its ends have numbers.
    pub(crate) fn sync(&self, file: StoreFile, sync: impl FnOnce() -> c_int) -> c_int {
        let began = {
            let _turn = self.turn();
            self.next()
        };
        self.word(Word::SyncsBegun).fetch_add(1, Ordering::SeqCst);
        self.wait();
        let result = if self.is_on(Word::SyncFails) {
            fail(EIO);
            -1
        } else {
            sync()
        };
        let _turn = self.turn();
        let number = self.next();
        let kind = if result == 0 { Kind::Sync } else { Kind::FailedSync };
        self.record(number, (kind, file), began, &[]);
        self.word(Word::SyncsEnded).fetch_add(1, Ordering::SeqCst);
        result
    }

    pub(crate) fn shift(&self, time: &mut libc::timespec) {
        let shift = self.word(Word::ClockShift).load(Ordering::SeqCst).cast_signed();
        let nanoseconds = time.tv_nsec + shift.rem_euclid(1_000) * 1_000_000;
        time.tv_sec += shift.div_euclid(1_000) + nanoseconds / 1_000_000_000;
        time.tv_nsec = nanoseconds % 1_000_000_000;
    }

    fn wait(&self) {
        let began = Instant::now();
        let delay = || Duration::from_millis(self.word(Word::SyncDelay).load(Ordering::SeqCst));
        while began.elapsed() < delay() {
            thread::sleep(LOOK);
        }
    }

    /// The number of the operation that comes now, unless the process ends before it.
    fn next(&self) -> u64 {
        let number = self.word(Word::Operations).fetch_add(1, Ordering::SeqCst) + 1;
        if self.word(Word::KillAt).load(Ordering::SeqCst) == number {
            // SAFETY: takes no arguments.
            let this = unsafe { libc::getpid() };
            // SAFETY: ends this process, which is what it is for.
            unsafe { libc::kill(this, libc::SIGKILL) };
            loop {
                thread::park();
            }
        }
        number
    }

    fn record(&self, number: u64, (kind, file): (Kind, StoreFile), at: u64, data: &[u8]) {
        let Some(journal) = self.journal else { return };
        let header: [u64; HEADER] = [number, kind as u64, file as u64, at, data.len() as u64];
        let record: Vec<u8> =
            header.iter().flat_map(|word| word.to_ne_bytes()).chain(data.iter().copied()).collect();
        let bytes: *const c_void = record.as_ptr().cast();
        // SAFETY: the bytes of a record that lives until after the call.
        let written = unsafe { libc::syscall(SYS_write, journal, bytes, record.len()) };
        if usize::try_from(written) != Ok(record.len()) {
            // A journal with a hole would prove nothing.
            std::process::abort();
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_on(&self, word: Word) -> bool {
        self.word(word).load(Ordering::SeqCst) != 0
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for every word")]
    fn word(&self, word: Word) -> &AtomicU64 {
        &self.control[word as usize]
    }
}

/// Sets `errno`.
fn fail(error: c_int) {
    // SAFETY: the C library gives each thread a place for it.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: that place is this thread's own.
    unsafe { *errno = error };
}

fn open(path: &OsStr, flags: c_int) -> Option<c_int> {
    let path = CString::new(path.as_bytes()).ok()?;
    // SAFETY: a string that ends with a 0.
    let fd = unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) };
    (fd >= 0).then_some(fd)
}

fn map(path: &OsStr) -> Option<&'static [AtomicU64; WORDS]> {
    let fd = open(path, libc::O_RDWR)?;
    let size = size_of::<[AtomicU64; WORDS]>();
    // SAFETY: a new mapping of a file, which whoever made it has given this size.
    let mapped =
        unsafe { libc::mmap(ptr::null_mut(), size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) };
    if mapped == MAP_FAILED {
        return None;
    }
    // SAFETY: a page of its own, never unmapped, of which every bit pattern is a value.
    unsafe { mapped.cast::<[AtomicU64; WORDS]>().as_ref() }
}
