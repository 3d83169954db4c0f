//! File systems of a test's own, where a test may mount them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted file system, until it is dropped.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// In memory, of a size as `mount` takes it.
    pub(super) fn in_memory(place: &Path, size: &str) -> Result<Self, String> {
        let size = format!("size={size}");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place))?;
        Ok(Self(place.to_owned()))
    }

    /// What is in an image.
    pub(super) fn image(image: &Path, place: &Path) -> Result<Self, String> {
        run(Command::new("mount").args(["-t", "ext4", "-o", "loop"]).arg(image).arg(place))?;
        Ok(Self(place.to_owned()))
    }

    /// Cuts the file system off as a loss of power does: what is not on its disk now, the entries
    /// of its journal included, will never be. Every later operation on it fails.
    pub(super) fn cut_off(&self) -> Result<(), String> {
        // The ioctl EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let call = "import fcntl, os, struct, sys\n\
            fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
        run(Command::new("python3").args(["-c", call]).arg(&self.0))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(reason) = run(Command::new("umount").arg(&self.0)) {
            // Something of a failed test is still open: it goes when that does.
            println!("{reason}");
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.0));
        }
    }
}

/// An empty ext4 file system in a file.
pub(super) fn format(image: &Path, size: u64) -> Result<(), String> {
    let made = std::fs::File::create(image).and_then(|file| file.set_len(size));
    made.map_err(|error| format!("{}: {error}", image.display()))?;
    run(Command::new("mkfs.ext4").arg("-q").arg("-F").arg(image))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
