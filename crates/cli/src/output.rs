//! What commands print.

use std::io::{self, Write};

/// Prints a line on standard output. A reader that has gone away is no error of ours.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
