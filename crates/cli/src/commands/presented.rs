//! A credential as it is given to a command that looks at it.

use std::io::Read;

use anyhow::Context;
use tokenry_protocol::secret::PUBLIC_LENGTH;

/// More than any credential has, of ours or of others.
const LENGTH_MAX: u64 = 64 << 10;

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The text of an argument, or of standard input but for a line's end. A secret that came as an
/// argument is warned of.
pub(crate) fn text(argument: &str) -> anyhow::Result<String> {
    if argument != STANDARD_INPUT {
        if argument.len() > PUBLIC_LENGTH {
            eprintln!(
                "tokenry: arguments can be seen in process lists and stay in the shell's history. \
                 Give a credential on standard input, with - in its place, or its first \
                 {PUBLIC_LENGTH} characters, which are public."
            );
        }
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().take(LENGTH_MAX).read_to_string(&mut text);
    read.context("the credential on standard input")?;
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    Ok(trimmed.strip_suffix('\r').unwrap_or(trimmed).to_owned())
}
