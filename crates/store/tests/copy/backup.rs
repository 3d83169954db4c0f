//! A backup is the database as it was at one moment, and says so of itself.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tokenry_store::{
    StoreError,
    copy::{self, BackupNote, Copied, CopyError, Progress, Role, Side, Staged},
    suite::support::{START, World},
};

use crate::support::{Installation, Place, amounts};

/// A folder with an empty file in it.
pub(crate) struct Backup {
    _folder: tempfile::TempDir,
    pub(crate) file: PathBuf,
}

impl Backup {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.db");
        std::fs::write(&file, "").unwrap();
        Self { _folder: folder, file }
    }

    /// Of a place, at `START`.
    pub(crate) async fn of(place: &Place) -> (Self, Vec<Copied>) {
        let backup = Self::empty();
        let side = place.side(Role::Snapshot).await.unwrap();
        let copied = backup.take(&side).await;
        (backup, copied)
    }

    async fn take(&self, side: &Side) -> Vec<Copied> {
        let note = BackupNote::new(START, "somewhere".to_owned(), "1".to_owned());
        copy::back_up(side, &self.file, note, &Progress::new(|_| ())).await.unwrap()
    }

    pub(crate) fn staged(&self) -> Staged {
        Staged::new(self.file.clone(), copy::read_note(&self.file).unwrap().unwrap())
    }

    pub(crate) async fn verify(&self) -> Result<Vec<Copied>, CopyError> {
        let note = copy::read_note(&self.file)?.unwrap();
        Staged::new(self.file.clone(), note).verify(&Progress::new(|_| ())).await
    }
}

fn execute(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_the_moment_at_which_it_was_begun_whatever_is_written_meanwhile() {
    for place in [Place::sqlite(), Place::postgres()] {
        let mut installation = Installation::new(&place, 21).await;
        installation.go_on(&place, 150).await;
        let side = place.side(Role::Snapshot).await.unwrap();
        // A server goes on beside it.
        installation.go_on(&place, 150).await;
        let backup = Backup::empty();
        let copied = backup.take(&side).await;
        drop(side);
        let verified = backup.verify().await.unwrap();
        assert_eq!(amounts(&copied), amounts(&verified));
        let (_, later) = Backup::of(&place).await;
        assert_ne!(amounts(&copied), amounts(&later));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_give_the_same_backup_of_the_same_rows() {
    let (first, second) = (Place::sqlite(), Place::postgres());
    Installation::new(&first, 22).await.go_on(&first, 200).await;
    first.copy(&second).await;
    let (of_file, one) = Backup::of(&first).await;
    let (of_schema, other) = Backup::of(&second).await;
    assert_eq!(amounts(&one), amounts(&other));
    for backup in [of_file, of_schema] {
        let note = copy::read_note(&backup.file).unwrap().unwrap();
        assert_eq!((note.taken_at, note.source.as_str()), (START, "somewhere"));
        assert_eq!(note.settled_at, None);
        let files = std::fs::read_dir(backup.file.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "a backup is one file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_changed_or_damaged_is_refused() {
    let place = Place::sqlite();
    Installation::new(&place, 23).await.go_on(&place, 200).await;
    let rewrite = "UPDATE tokens SET hash = zeroblob(32) WHERE id = (SELECT min(id) FROM tokens)";
    let (backup, _) = Backup::of(&place).await;
    execute(&backup.file, rewrite);
    let refused = backup.verify().await.unwrap_err();
    assert!(matches!(refused, CopyError::Damaged { table: "tokens" }), "{refused}");
    for gone in ["DELETE FROM events", "DROP TABLE copied_tables"] {
        let (backup, _) = Backup::of(&place).await;
        execute(&backup.file, gone);
        backup.verify().await.unwrap_err();
    }
    // A page that a disk has lost.
    let (backup, _) = Backup::of(&place).await;
    let mut bytes = std::fs::read(&backup.file).unwrap();
    let middle = bytes.len() / 8_192 * 4_096;
    bytes[middle..middle + 4_096].fill(0x5A);
    std::fs::write(&backup.file, bytes).unwrap();
    backup.verify().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_backup_says_nothing_of_itself() {
    let place = Place::sqlite();
    Installation::new(&place, 24).await;
    assert_eq!(copy::read_note(&place.file()).unwrap(), None);
    let empty = Place::sqlite();
    empty.open().await.close().await;
    let side = empty.side(Role::Snapshot).await.unwrap();
    let note = BackupNote::new(START, String::new(), String::new());
    let progress = Progress::new(|_| ());
    let refused = copy::back_up(&side, &Backup::empty().file, note, &progress).await;
    assert!(matches!(refused, Err(CopyError::NoInstallation)), "{refused:?}");
}

/// Whoever takes a backup before an upgrade must not upgrade by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_an_older_schema_is_left_as_it_is() {
    let place = Place::sqlite();
    Installation::new(&place, 25).await;
    place.execute("PRAGMA user_version = 3");
    let refused = place.side(Role::Snapshot).await.unwrap_err();
    assert!(
        matches!(
            refused,
            CopyError::Store { error: StoreError::SchemaTooOld { found: 3, .. }, .. }
        ),
        "{refused}"
    );
    let shared = Place::postgres();
    Installation::new(&shared, 25).await;
    shared.execute("UPDATE tokenry_schema SET version = 3");
    let refused = shared.side(Role::Snapshot).await.unwrap_err();
    assert!(refused.to_string().contains("schema 3"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_database_is_backed_up_while_nodes_are_connected() {
    let place = Place::postgres();
    Installation::new(&place, 26).await.go_on(&place, 60).await;
    let opened = place.open().await;
    let (backup, _) = Backup::of(&place).await;
    let world = World::new(opened.store());
    world.parties().await;
    backup.verify().await.unwrap();
    opened.close().await;
}
