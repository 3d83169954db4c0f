//! Faults on demand for the real binary: a library to preload (`LD_PRELOAD`) that stands between
//! the store and the disk, and between the process and the time of day. It is for tests, and no
//! part of what is shipped.
//!
//! * Only the database and its log are touched, as the environment names them (`layout`).
//! * A control file, mapped into memory, steers it while the process runs.
//! * With a journal it records what was written, cut and synced, in order, so that a power
//!   loss at any point can be replayed.
//!
//! The functions here replace those of the C library in every part of the process, and are never
//! called by this library itself.

#![cfg(target_os = "linux")]

mod disk;
mod layout;

use std::slice;

use libc::{
    CLOCK_REALTIME, SEEK_CUR, SYS_clock_gettime, SYS_fdatasync, SYS_fsync, SYS_ftruncate,
    SYS_lseek, SYS_pwrite64, SYS_write, c_int, c_long, c_void, clockid_t, off64_t, size_t, ssize_t,
    timespec,
};

use crate::disk::{Disk, disk};

/// Replaces `write(2)`.
///
/// # Safety
///
/// As there: `count` bytes can be read from `buffer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller's arguments, unchanged.
    let write = || unsafe { syscall!(SYS_write, fd, buffer, count) };
    let Some((disk, file)) = disk_of(fd) else {
        return write();
    };
    // SAFETY: asks for the position and changes nothing.
    let at: ssize_t = unsafe { syscall!(SYS_lseek, fd, 0 as c_long, SEEK_CUR) };
    // SAFETY: the caller promises this much.
    let bytes = unsafe { slice::from_raw_parts(buffer.cast::<u8>(), count) };
    disk.write(file, u64::try_from(at).unwrap_or(0), bytes, write)
}

/// Replaces `pwrite(2)`.
///
/// # Safety
///
/// As there: `count` bytes can be read from `buffer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    fd: c_int,
    buffer: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    // SAFETY: the caller's arguments, unchanged.
    let write = || unsafe { syscall!(SYS_pwrite64, fd, buffer, count, offset) };
    let Some((disk, file)) = disk_of(fd) else {
        return write();
    };
    // SAFETY: the caller promises this much.
    let bytes = unsafe { slice::from_raw_parts(buffer.cast::<u8>(), count) };
    disk.write(file, u64::try_from(offset).unwrap_or(0), bytes, write)
}

/// Replaces `pwrite(2)` under its other name.
///
/// # Safety
///
/// As [`pwrite64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(
    fd: c_int,
    buffer: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    // SAFETY: the caller's arguments, unchanged.
    unsafe { pwrite64(fd, buffer, count, offset) }
}

/// Replaces `ftruncate(2)`.
///
/// # Safety
///
/// None is needed: it takes no pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    // SAFETY: the caller's arguments, unchanged.
    let truncate = || unsafe { syscall!(SYS_ftruncate, fd, length) };
    match disk_of(fd) {
        Some((disk, file)) => disk.truncate(file, u64::try_from(length).unwrap_or(0), truncate),
        None => truncate(),
    }
}

/// Replaces `ftruncate(2)` under its other name.
///
/// # Safety
///
/// As [`ftruncate64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off64_t) -> c_int {
    // SAFETY: the caller's arguments, unchanged.
    unsafe { ftruncate64(fd, length) }
}

/// Replaces `fsync(2)`.
///
/// # Safety
///
/// None is needed: it takes no pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    // SAFETY: the caller's argument, unchanged.
    let sync = || unsafe { syscall!(SYS_fsync, fd) };
    match disk_of(fd) {
        Some((disk, file)) => disk.sync(file, sync),
        None => sync(),
    }
}

/// Replaces `fdatasync(2)`.
///
/// # Safety
///
/// None is needed: it takes no pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    // SAFETY: the caller's argument, unchanged.
    let sync = || unsafe { syscall!(SYS_fdatasync, fd) };
    match disk_of(fd) {
        Some((disk, file)) => disk.sync(file, sync),
        None => sync(),
    }
}

/// Replaces `clock_gettime(2)`: the time of day is shifted, every other clock is left alone.
///
/// # Safety
///
/// As there: `time` can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the caller's arguments, unchanged.
    let result = unsafe { syscall!(SYS_clock_gettime, clock, time) };
    if result == 0
        && clock == CLOCK_REALTIME
        && let Some(disk) = disk()
    {
        // SAFETY: the call succeeded, so `time` is valid and filled in.
        disk.shift(unsafe { &mut *time });
    }
    result
}

fn disk_of(fd: c_int) -> Option<(&'static Disk, layout::StoreFile)> {
    let disk = disk()?;
    Some((disk, disk.file_of(fd)?))
}

/// The system call itself: the C library's own functions are the ones that were replaced.
macro_rules! syscall {
    ($number:expr, $($argument:expr),*) => {
        // Every result of these calls fits what the C library's function returns.
        libc::syscall($number, $($argument),*).try_into().unwrap_or(-1)
    };
}
use syscall;
