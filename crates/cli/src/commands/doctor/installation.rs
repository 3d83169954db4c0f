//! The installation on this machine: configuration, folder, database.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::statvfs;
use tokenry_client::models::Timestamp;
use tokenry_server::{
    config::{Config, Weakness},
    data_folder::DataFolder,
    database::Database,
};
use tokenry_store::Schema;

use super::report::Report;
use crate::{args::ConfigArgs, commands::load, connection};

/// Less free space than this is worth a look, and than that too little.
const SPACE_LOW: u64 = 1 << 30;
const SPACE_MIN: u64 = 100 << 20;
/// A file from further ahead shows that the clock was set back.
const CLOCK_TOLERANCE_MILLIS: i64 = 5_000;

/// Checks what the configuration names. Without a folder or a database there is nothing to check,
/// unless somebody named one.
pub(super) async fn check(arguments: &ConfigArgs, report: &mut Report) {
    let config = match load(arguments, &arguments.overrides()) {
        Ok(loaded) => loaded.config,
        Err(error) => {
            let mend = "`tokenry check-config` shows every setting and where it comes from";
            return report.failed("configuration", &error, mend);
        }
    };
    report.ok("configuration", "can be used");
    check_weaknesses(&config, report);
    let folder = DataFolder::named(&config.data);
    if !config.data.exists() {
        let found = format!("there is none in {}", config.data.display());
        if arguments.data.is_some() || arguments.config.is_some() {
            return report.wrong("data folder", found, "make it with `tokenry init`");
        }
        return report.ok("data folder", format!("{found}: no server of this folder to check"));
    }
    check_folder(&config.data, report);
    check_key(&folder, &config, report);
    check_lock(&folder, report);
    if config.store.is_some() || folder.database().exists() {
        check_schema(&folder, &config, report).await;
    } else {
        let found = format!("there is no database in {}", config.data.display());
        report.wrong("database", found, "make it with `tokenry init`");
    }
    check_space(&config.data, report);
    check_clock(&folder, report);
}

fn check_weaknesses(config: &Config, report: &mut Report) {
    for Weakness { key, consequence } in config.weaknesses() {
        let mend = "set it back to its default unless something needs it as it is; \
                    `tokenry check-config` shows where it is set";
        report.warn("setting", format!("{key}: {consequence}"), mend);
    }
}

fn check_folder(path: &Path, report: &mut Report) {
    let shown = path.display();
    let mode = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata.permissions().mode(),
        Ok(_) => {
            let found = format!("{shown} is no folder");
            return report.wrong("data folder", found, "name another with --data");
        }
        Err(error) => {
            let mend = "run this as the user whom the server runs as";
            return report.wrong("data folder", format!("{shown}: {error}"), mend);
        }
    };
    if mode & 0o077 != 0 {
        let found = format!("others can look into {shown}");
        return report.warn("data folder", found, format!("chmod 700 {shown}"));
    }
    // Nothing of it is left, whatever happens.
    if let Err(error) = tempfile::tempfile_in(path) {
        let mend = "run this as the user whom the server runs as, or give the folder to that user";
        return report.wrong("data folder", format!("{shown} cannot be written: {error}"), mend);
    }
    report.ok("data folder", format!("{shown} is its owner's alone and can be written"));
}

fn check_key(folder: &DataFolder, config: &Config, report: &mut Report) {
    if config.server_key.is_some() {
        return report.ok("server key", "comes from the configuration");
    }
    let path = config.key_file.clone().unwrap_or_else(|| folder.server_key());
    let shown = path.display();
    match fs::metadata(&path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            let found = format!("others can read {shown}");
            report.wrong("server key", found, format!("chmod 600 {shown}"));
        }
        Ok(_) => report.ok("server key", format!("{shown} is its owner's alone")),
        Err(error) => report.wrong(
            "server key",
            format!("{shown}: {error}"),
            "put it back from its backup; if it is lost for good, `tokenry key replace --lost`",
        ),
    }
}

/// Whether a server has the folder. To try the lock would keep out one that starts just now.
fn check_lock(folder: &DataFolder, report: &mut Report) {
    let path = folder.serve_lock();
    let Ok(metadata) = fs::metadata(&path) else {
        return report.ok("lock", "no server has served this folder");
    };
    let Ok(locks) = fs::read_to_string("/proc/locks") else {
        return;
    };
    match holder(&locks, metadata.ino()) {
        Some(process) => report.ok("lock", format!("process {process} serves this folder")),
        None => report.ok("lock", "no server serves this folder now"),
    }
}

/// The process that locks this file, as Linux lists locks:
/// `1: FLOCK  ADVISORY  WRITE 4711 08:02:131 0 EOF`.
fn holder(locks: &str, inode: u64) -> Option<&str> {
    let inode = format!(":{inode}");
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, "FLOCK", _, "WRITE", process, file, ..] if file.ends_with(&inode) => Some(*process),
            _ => None,
        }
    })
}

async fn check_schema(folder: &DataFolder, config: &Config, report: &mut Report) {
    match Database::schema(folder, config).await {
        Ok(Schema { found, known }) if found == known => {
            report.ok("database", "opens");
            report.ok("schema", format!("{found}, this version's"));
        }
        Ok(Schema { found, known }) => {
            report.ok("database", "opens");
            report.warn(
                "schema",
                format!("{found}, and this version writes {known}"),
                "the next start brings it up to date: make a backup before",
            );
        }
        Err(error) => {
            let mend = if error.may_pass() {
                "is the database there, and the address right? See `store` in check-config"
            } else {
                "restore the database from a backup, or start the version that wrote it"
            };
            report.failed("database", &error.into(), mend);
        }
    }
}

fn check_space(path: &Path, report: &mut Report) {
    let free = match statvfs(path) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            let found = format!("cannot be told: {error}");
            return report.warn("disk space", found, "look with `df`");
        }
    };
    let found = format!("{} MiB are free in {}", free >> 20, path.display());
    let mend = "make room: without it the server answers 503 to whatever it would have to write";
    match free {
        SPACE_LOW.. => report.ok("disk space", found),
        SPACE_MIN.. => report.warn("disk space", found, mend),
        _ => report.wrong("disk space", found, mend),
    }
}

fn check_clock(folder: &DataFolder, report: &mut Report) {
    let Ok(written) = fs::metadata(folder.database()).and_then(|found| found.modified()) else {
        return;
    };
    let ahead = Timestamp::from(written).millis_since(connection::now());
    if ahead > CLOCK_TOLERANCE_MILLIS {
        let found = format!("the database was written {} s from now", ahead / 1_000);
        let mend = "set the clock, and keep it with a time service such as chrony";
        return report.wrong("clock", found, mend);
    }
    report.ok("clock", "has not gone back since the database was written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 17 08:02:99 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 4711 08:02:99 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 12 08:02:98 0 EOF\n";
        assert_eq!(holder(locks, 99), Some("4711"));
        assert_eq!(holder(locks, 9), None);
        assert_eq!(holder(locks, 98), None);
    }
}
