//! What ends a server when the process that started it is gone.

use std::{
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::programs;

/// Waits for the end of its input, which comes with the end of this process; then stops the server
/// and removes its folder.
const REMOVING: &str = r#"
cat > /dev/null
"$1/pg_ctl" stop -D "$2/data" -m immediate -w -t 30 > /dev/null 2>&1
rm -rf "$2"
"#;
/// Stops the server in order, even one that was frozen, and leaves its folder.
const KEEPING: &str = r#"
cat > /dev/null
first=$(head -n 1 "$2/data/postmaster.pid")
kill -CONT $(ps -o pid= --ppid "$first") "$first"
"$1/pg_ctl" stop -D "$2/data" -m fast -w -t 300 > /dev/null 2>&1
"#;

/// What becomes of the folder when the server has ended.
#[derive(Clone, Copy)]
pub(crate) enum Afterwards {
    Removed,
    Kept,
}

/// The pipe to it; dropping that is its signal.
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn start(folder: &Path, afterwards: Afterwards) -> io::Result<Self> {
        let script = match afterwards {
            Afterwards::Removed => REMOVING,
            Afterwards::Kept => KEEPING,
        };
        let mut command = Command::new("sh");
        command.args(["-c", script, "watchdog"]).arg(programs::folder()).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        programs::run_as(&mut command);
        // What ends the tests from the keyboard must not end it before its work.
        command.process_group(0);
        Ok(Self(command.spawn()?))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
