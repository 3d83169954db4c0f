//! Where PostgreSQL's programs are, and as whom they run.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

const MISSING: &str = "PostgreSQL is not installed, and these tests run on it. `cargo xtask test` \
    installs it; by hand, on Debian or Ubuntu: sudo apt-get install postgresql. Elsewhere: install \
    it by the system's own means, so that initdb is on PATH or pg_config --bindir names its folder";

/// The folder with `initdb`, `postgres`, `pg_ctl` and `psql`; the newest where there are several.
pub(crate) fn find() -> Option<PathBuf> {
    on_path().or_else(of_debian).or_else(of_pg_config)
}

/// The same, without which no test can run.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| find().unwrap_or_else(|| panic!("{MISSING}")))
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl", "psql"].iter().all(|program| folder.join(program).is_file())
}

fn on_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find(|folder| has_programs(folder))
}

fn of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let number =
        |folder: &PathBuf| -> Option<u32> { folder.parent()?.file_name()?.to_str()?.parse().ok() };
    folders.filter(|folder| has_programs(folder)).max_by_key(number)
}

fn of_pg_config() -> Option<PathBuf> {
    let told = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
    has_programs(&folder).then_some(folder)
}

/// A user and a group.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// As whom the server runs: it refuses to run as root. `None` is as whoever we are.
pub(crate) fn account() -> Option<Account> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = ["postgres", "nobody"].iter().find_map(|name| account_of(&accounts, name));
    Some(found.expect("as root the server needs another user: postgres or nobody"))
}

fn account_of(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    Some(Account { user: numbers.next()?.ok()?, group: numbers.next()?.ok()? })
}

/// One of the programs, as the right user.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(folder().join(name));
    // Messages in one language, whatever the machine's is.
    command.env("LC_ALL", "C").stdin(Stdio::null());
    run_as(&mut command);
    command
}

/// Has a command run as the right user, in a folder that this user may be in.
pub(crate) fn run_as(command: &mut Command) {
    if let Some(account) = account() {
        command.uid(account.user).gid(account.group);
    }
    command.current_dir("/");
}

#[cfg(test)]
mod tests {
    use super::account_of;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8:::\npostgres:x:101:104:::\n";
        let found = account_of(accounts, "postgres").unwrap();
        assert_eq!((found.user, found.group), (101, 104));
        assert!(account_of(accounts, "nobody").is_none());
    }
}
