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
const SCRIPT: &str = r#"
cat > /dev/null
"$1/pg_ctl" stop -D "$2/data" -m immediate -w -t 30 > /dev/null 2>&1
rm -rf "$2"
"#;

/// The pipe to it; dropping that is its signal.
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "watchdog"]).arg(programs::folder()).arg(folder);
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
