//! A server whose folder is kept for the next one, and what benchmarks do with it.

#[cfg(test)]
use std::os::unix::fs::PermissionsExt as _;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Server,
    programs::{self, program},
    server::own,
    watchdog::{Afterwards, Watchdog},
};

impl Server {
    /// Starts the server of this folder, with more settings as `name = value`. The folder is made
    /// if it is not there, and stays when the server ends, which it does in order.
    pub fn start_kept(folder: &Path, settings: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("a folder for the database");
        if let Some(account) = programs::account() {
            own(folder, account);
        }
        let watchdog = Watchdog::start(folder, Afterwards::Kept).expect("a shell");
        Self::run(folder.to_owned(), settings, watchdog, |_| ())
    }

    /// The id of its first process, the parent of all others.
    pub fn process(&self) -> u32 {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let first = file.lines().next().and_then(|line| line.trim().parse().ok());
        first.expect("the number of a process")
    }

    /// A folder that its programs may write to.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Another program of PostgreSQL's, as the user that the server runs as.
    pub fn program(name: &str) -> Command {
        program(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_kept_holds_its_tables_for_the_next_server_even_if_this_one_is_frozen() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("kept");
        // The user that the server runs as has to get there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let first = Server::start_kept(&data, &[]);
        first.execute("CREATE TABLE kept AS SELECT 7 AS number");
        assert_eq!(first.query("SHOW shared_buffers"), "64MB");
        first.freeze();
        drop(first);
        let next = Server::start_kept(&data, &["shared_buffers = 32MB"]);
        assert_eq!(next.query("SELECT number FROM kept"), "7");
        assert_eq!(next.query("SHOW shared_buffers"), "32MB");
        assert!(!fs::read_to_string(data.join("log")).unwrap().contains("not properly shut down"));
    }
}
