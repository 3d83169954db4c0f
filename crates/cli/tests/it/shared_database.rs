//! A database that nodes of any version share.

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, program};

/// A database with an administrator, and the server key of its nodes.
pub(crate) struct SharedDatabase {
    pub(crate) admin: Value,
    /// Its address.
    pub(crate) store: String,
    /// Where `init` has put the key.
    folder: TempDir,
}

impl SharedDatabase {
    /// Made by `init` of this binary.
    pub(crate) fn made_by(binary: &str) -> Self {
        Self::made_at(tokenry_postgres_testing::schema(), binary)
    }

    /// The same at this address.
    pub(crate) fn made_at(store: String, binary: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let init = ["init", "--admin-email", "ada@acme.test", "--json", "--store", &store];
        let made = program(binary, folder.path(), &init).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let admin = serde_json::from_slice(&made.stdout).unwrap();
        Self { admin, store, folder }
    }

    /// Starts a node of this binary, in a folder of its own.
    pub(crate) fn start(&self, binary: &str, more: &[(&str, &str)]) -> Node {
        let folder = tempfile::tempdir().unwrap();
        let key = self.key_file();
        let mut settings = vec![("TOKENRY_STORE", &*self.store), ("TOKENRY_KEY_FILE", &*key)];
        settings.extend(more);
        let process = Process::start_program(binary, "127.0.0.1:0", folder.path(), &settings);
        Node { process, folder }
    }

    /// The key of its nodes.
    pub(crate) fn key_file(&self) -> String {
        self.folder.path().join("data/server.key").to_str().unwrap().to_owned()
    }
}

/// A node, and the folder that goes with it.
pub(crate) struct Node {
    pub(crate) process: Process,
    folder: TempDir,
}

impl Node {
    /// `SIGTERM`: ends with status 0.
    pub(crate) fn stop(self) {
        self.process.stop();
        drop(self.folder);
    }
}
