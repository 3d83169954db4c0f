//! A credential as it is given to a command that looks at it.

use tokenry_protocol::secret::PUBLIC_LENGTH;

use crate::ask;

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

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
    ask::secret_from_stdin("credential")
}
