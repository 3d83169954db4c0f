//! Signing in with email and password.

use askama::Template;
use tokenry_protocol::time::Seconds;

use super::layout::ClientSummary;

/// `/sign-in`. Posts `email`, `password`, `page_token` and `return_to` to its own address.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// For the form.
    pub page_token: String,
    /// Where to go afterwards, as the handler checks it again when the form comes.
    pub return_to: String,
    /// What was typed before; empty at first.
    pub email: String,
    /// On whose behalf the browser was sent here, when that is known.
    pub client: Option<ClientSummary>,
    /// What there is to say above the form.
    pub message: Option<SignInMessage>,
}

/// Why the sign-in page is shown once more, or at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInMessage {
    /// The two do not belong together. Never says which is wrong.
    WrongEmailOrPassword,
    /// Over the limit of failed sign-ins.
    TooManyAttempts {
        /// When to try again.
        retry_after: Seconds,
    },
    /// The page token was no longer good.
    PageExpired,
    /// The client asked for a new sign-in (`prompt=login`).
    SignInAgain,
}

/// Whether a message says that something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Failure,
    Notice,
}

impl SignInMessage {
    const fn tone(self) -> Tone {
        match self {
            Self::WrongEmailOrPassword | Self::TooManyAttempts { .. } | Self::PageExpired => {
                Tone::Failure
            }
            Self::SignInAgain => Tone::Notice,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::WrongEmailOrPassword => "Email or password is wrong",
            Self::TooManyAttempts { .. } => "Too many attempts",
            Self::PageExpired => "This page was open too long",
            Self::SignInAgain => "Please sign in once more",
        }
    }

    fn detail(self) -> String {
        match self {
            Self::WrongEmailOrPassword => {
                "Check both and try again. Capital letters count in the password.".to_owned()
            }
            Self::TooManyAttempts { retry_after } => format!(
                "To protect this account, signing in is paused. Try again in {}.",
                wait(retry_after)
            ),
            Self::PageExpired => "You are not signed in. Enter your password again.".to_owned(),
            Self::SignInAgain => {
                "The app wants to be sure that it is you before it goes on.".to_owned()
            }
        }
    }
}

impl SignInPage {
    fn failed(&self) -> bool {
        let tone = self.message.map(SignInMessage::tone);
        tone == Some(Tone::Failure)
    }

    /// Whether the typed email and password were looked at and found wrong.
    fn fields_are_wrong(&self) -> bool {
        self.message == Some(SignInMessage::WrongEmailOrPassword)
    }
}

/// A waiting time in words, never shorter than it is.
pub(super) fn wait(span: Seconds) -> String {
    let (count, unit) = match span.0 {
        seconds @ 0..=90 => (seconds.max(1), "second"),
        seconds => (seconds.div_ceil(60), "minute"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_time_is_never_shorter_than_it_is() {
        for (seconds, words) in [
            (0, "1 second"),
            (1, "1 second"),
            (42, "42 seconds"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (3_601, "61 minutes"),
        ] {
            assert_eq!(wait(Seconds(seconds)), words);
        }
    }
}
