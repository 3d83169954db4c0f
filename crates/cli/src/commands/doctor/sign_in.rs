//! Who is signed in on this machine, and what says so.

use super::report::Report;
use crate::connection::{self, ConnectionArgs, Profiles, Target};

/// Checks what names a server; what it names.
pub(super) fn check(arguments: &ConnectionArgs, report: &mut Report) -> Option<Target> {
    for (name, why) in connection::unused_variables() {
        report.warn("environment", format!("{name} is set and changes nothing: {why}"), {
            format!("unset {name}, or mend it: `tokenry whoami --help`")
        });
    }
    let profiles = match Profiles::open() {
        Ok(profiles) => profiles,
        Err(error) => {
            report.failed("profiles", &error, "sign in again: tokenry login");
            return None;
        }
    };
    let (path, count) = (profiles.path().display(), profiles.all().count());
    match count {
        0 => report.ok("profiles", "there are none"),
        _ => report.ok("profiles", format!("{count} in {path}, its owner's alone")),
    }
    match connection::target(arguments, &profiles) {
        Ok(Some(target)) => Some(target),
        Ok(None) => {
            report.ok("sign-in", "nobody is signed in, and no server is named: none to check");
            None
        }
        Err(error) => {
            report.failed("sign-in", &error, "sign in again: tokenry login");
            None
        }
    }
}
