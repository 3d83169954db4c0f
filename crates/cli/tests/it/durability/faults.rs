//! The library of `tokenry-faults`, preloaded into a server, and its control file.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

#[path = "../../../../../faults/src/layout.rs"]
pub(crate) mod layout;

use self::layout::{WORDS, Word};
use super::skip;
use crate::process::Process;

const LIBRARY: &str = "libtokenry_faults.so";

/// Faults for the server of one folder.
pub(crate) struct Faults {
    folder: PathBuf,
    control: File,
    is_recording: bool,
}

impl Faults {
    /// None yet; `None` on a machine without `LD_PRELOAD`, which `test` then says.
    pub(crate) fn new(test: &str, folder: &Path) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            skip(test, "the library that makes faults is for Linux");
            return None;
        }
        let folder = folder.canonicalize().unwrap();
        let control = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(folder.join("control"));
        let control = control.unwrap();
        control.set_len((WORDS * size_of::<u64>()) as u64).unwrap();
        Some(Self { folder, control, is_recording: false })
    }

    /// From the next start on every operation is recorded.
    pub(super) fn record(&mut self) {
        self.is_recording = true;
    }

    /// Where it is recorded.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Starts the server of the folder with the library in place.
    pub(super) fn start(&self) -> Process {
        self.start_with(&[])
    }

    /// The same with settings in the environment.
    pub(crate) fn start_with(&self, more: &[(&str, &str)]) -> Process {
        let library = std::env::current_exe().unwrap().with_file_name(LIBRARY);
        assert!(
            library.exists(),
            "{} is missing: cargo builds it with this test, as a dependency",
            library.display()
        );
        // A path of its own, because spaces and colons separate several.
        let preloaded = self.folder.join("faults.so");
        if !preloaded.exists() {
            std::os::unix::fs::symlink(&library, &preloaded).unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut settings = vec![
            ("LD_PRELOAD", text(&preloaded)),
            (layout::STORE, text(&self.folder.join("data/tokenry.db"))),
            (layout::CONTROL, text(&self.folder.join("control"))),
        ];
        if self.is_recording {
            fs::write(self.journal(), "").unwrap();
            settings.push((layout::JOURNAL, text(&self.journal())));
        }
        self.set(Word::Loaded, 0);
        let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let settings: Vec<_> = settings.chain(more.iter().copied()).collect();
        let server = Process::start_with(&self.folder, &settings);
        assert_eq!(self.read(Word::Loaded), 1, "the library was not preloaded");
        server
    }

    pub(crate) fn set(&self, word: Word, value: u64) {
        self.control.write_all_at(&value.to_ne_bytes(), offset(word)).unwrap();
    }

    pub(super) fn read(&self, word: Word) -> u64 {
        let mut bytes = [0; size_of::<u64>()];
        self.control.read_exact_at(&mut bytes, offset(word)).unwrap();
        u64::from_ne_bytes(bytes)
    }
}

fn offset(word: Word) -> u64 {
    (word as usize * size_of::<u64>()) as u64
}
