//! A program at a terminal of its own, and somebody who types.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::process::ExitStatusExt as _,
    },
    process::{Child, Command, ExitStatus},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use super::on;

/// How long a test waits for what never comes, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal with a program.
pub(super) struct Terminal {
    keys: File,
    screen: Arc<Screen>,
    reader: thread::JoinHandle<()>,
    child: Child,
}

#[derive(Default)]
struct Screen {
    shown: Mutex<String>,
    grew: Condvar,
}

impl Terminal {
    /// Starts a program at a terminal of so many columns.
    pub(super) fn start(command: &Command, columns: u16) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master: OwnedFd = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let child = at_terminal(command, name.to_str().unwrap());

        let (keys, screen) = (File::from(master), Arc::new(Screen::default()));
        let (mut output, shown) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // At the end, when nobody has the terminal any more, reading fails.
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                shown.shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
                shown.grew.notify_all();
            }
        });
        Self { keys, screen, reader, child }
    }

    /// Returns when this is on the screen.
    pub(super) fn wait_for(&self, text: &str) {
        let shown = self.screen.shown.lock().unwrap();
        let is_missing = |shown: &mut String| !shown.contains(text);
        let (shown, waited) =
            self.screen.grew.wait_timeout_while(shown, PATIENCE, is_missing).unwrap();
        assert!(!waited.timed_out(), "{text:?} does not come:\n{shown}");
    }

    /// Types.
    pub(super) fn enter(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
    }

    /// Whether what is typed now would be seen.
    pub(super) fn echoes(&self) -> bool {
        tcgetattr(self.keys.as_fd()).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// All that was on the screen when the program has ended, and how it has.
    pub(super) fn end(mut self) -> (String, ExitStatus) {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        (std::mem::take(&mut *self.screen.shown.lock().unwrap()), status)
    }
}

/// `setsid` makes the terminal the one that the program is controlled from, and signals mean what
/// they mean, as under a shell.
fn at_terminal(command: &Command, terminal: &str) -> Child {
    let slave = File::options().read(true).write(true).open(terminal).unwrap();
    let mut child = Command::new("setsid");
    // Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
    child.args(["--ctty", "env", "--default-signal=INT"]);
    child.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    child.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
    child.spawn().expect("setsid, which every Linux has")
}

/// The screen of `tokenry` on a folder that asks nothing.
fn screen(folder: &std::path::Path, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let mut command = on(folder, arguments);
    command.env("TERM", "xterm-256color").envs(settings.iter().copied());
    let (shown, status) = Terminal::start(&command, 60).end();
    assert!(status.success(), "{shown}");
    shown
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    crate::process::init(folder.path());
    folder
}

#[test]
fn there_is_colour_on_a_terminal_unless_somebody_does_not_want_it() {
    let folder = folder();
    let list = ["user", "list"];
    assert!(screen(folder.path(), &list, &[]).contains("\u{1b}["));
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
        let shown = screen(folder.path(), &list, &[plain]);
        assert!(!shown.contains('\u{1b}'), "{plain:?}: {shown:?}");
    }
    let piped = |settings: &[(&str, &str)]| {
        let mut command = on(folder.path(), &list);
        String::from_utf8(command.envs(settings.iter().copied()).output().unwrap().stdout).unwrap()
    };
    assert!(!piped(&[]).contains('\u{1b}'));
    assert!(piped(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}["));
}

#[test]
fn a_table_is_as_wide_as_the_terminal_or_as_columns_say() {
    let folder = folder();
    let email = format!("{}@acme.test", "long".repeat(20));
    let create = ["user", "create", "--email", &email];
    assert!(on(folder.path(), &create).output().unwrap().status.success());
    let widest = |settings: &[(&str, &str)]| {
        let settings = [settings, &[("NO_COLOR", "1")]].concat();
        let shown = screen(folder.path(), &["user", "list"], &settings);
        shown.lines().map(|line| line.chars().count()).max().unwrap()
    };
    assert_eq!(widest(&[]), 60);
    assert_eq!(widest(&[("COLUMNS", "50")]), 50);
    let piped = on(folder.path(), &["user", "list"]).output().unwrap();
    assert!(String::from_utf8(piped.stdout).unwrap().contains(&email));
}

#[test]
fn json_is_laid_out_for_people_on_a_terminal() {
    let folder = folder();
    let shown = screen(folder.path(), &["user", "show", "1", "--json"], &[]);
    assert!(shown.starts_with("{\r\n  \"id\": 1,\r\n"), "{shown}");
    let listed = screen(folder.path(), &["user", "list", "--json"], &[]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["id"], 1);
}

#[test]
fn a_program_that_is_interrupted_ends_by_the_signal() {
    let folder = folder();
    let command = on(folder.path(), &["user", "delete", "1", "--leave-no-admin"]);
    let mut terminal = Terminal::start(&command, 80);
    terminal.wait_for("for good? [y/N] ");
    terminal.enter("\u{3}");
    let (shown, status) = terminal.end();
    assert_eq!(status.signal(), Some(2), "{shown}");
}
