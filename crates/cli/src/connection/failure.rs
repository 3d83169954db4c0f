//! What a server's refusal means to whoever typed the command: how it ends, and how to mend it.

use tokenry_client::{Error, Refusal, RefusalKind, TokenSourceError, TransportErrorKind};

use crate::exit_code::Exit;

/// How a command ends by it.
pub(crate) fn exit(error: &Error) -> Option<Exit> {
    match error {
        Error::Request(_) => Some(Exit::Usage),
        Error::Refused(refusal) => Some(match refusal.kind() {
            RefusalKind::Unauthenticated
            | RefusalKind::InvalidToken
            | RefusalKind::InvalidGrant
            | RefusalKind::Forbidden => Exit::NotAllowed,
            RefusalKind::NotFound => Exit::NotFound,
            RefusalKind::RateLimited | RefusalKind::Unavailable => Exit::Unavailable,
            _ => Exit::Failed,
        }),
        Error::Transport(error) => Some(match error.kind() {
            TransportErrorKind::Connect
            | TransportErrorKind::Lost
            | TransportErrorKind::Timeout => Exit::Unavailable,
            _ => Exit::Failed,
        }),
        Error::TokenSource(error) => of_source(error),
        // What stopped it may say more.
        _ => None,
    }
}

fn of_source(error: &TokenSourceError) -> Option<Exit> {
    match error {
        TokenSourceError::AuthorizeAgain(_) => Some(Exit::NotAllowed),
        TokenSourceError::Refresh(error) => exit(error),
        _ => None,
    }
}

/// How to mend it.
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Request(text) if text.contains("insecure_http") => {
            Some("use https, or add --insecure-http if nobody else is on the way".to_owned())
        }
        Error::Refused(refusal) => of_refusal(refusal),
        Error::Transport(error) if error.kind() == TransportErrorKind::Timeout => {
            Some("wait longer with --timeout SECONDS".to_owned())
        }
        Error::Transport(error) if error.kind() == TransportErrorKind::Connect => {
            Some("is the address right, and does the server run? `tokenry doctor` looks".to_owned())
        }
        Error::TokenSource(error) => match &**error {
            TokenSourceError::AuthorizeAgain(_) => Some("sign in again: tokenry login".to_owned()),
            TokenSourceError::Refresh(error) => hint(error),
            _ => None,
        },
        Error::Unreadable(_) => {
            Some("is it the address of a Tokenry or Zendesk server? See --server".to_owned())
        }
        _ => None,
    }
}

/// What precedes the scopes that a token lacks.
const MISSING_SCOPES: &str = "required scopes: ";

fn of_refusal(refusal: &Refusal) -> Option<String> {
    match refusal.kind() {
        RefusalKind::Unauthenticated if refusal.code() == Some("invalid_client") => {
            Some("check the identifier and the secret of the client".to_owned())
        }
        RefusalKind::Unauthenticated | RefusalKind::InvalidToken | RefusalKind::InvalidGrant => {
            Some("sign in again: tokenry login".to_owned())
        }
        RefusalKind::Forbidden => Some(of_forbidden(refusal)),
        RefusalKind::RateLimited | RefusalKind::Unavailable => {
            Some(refusal.retry_after().map_or_else(
                || "try again in a moment".to_owned(),
                |wait| format!("try again in {} seconds", wait.as_secs()),
            ))
        }
        RefusalKind::ServerError => refusal
            .request_id()
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
            .map(|id| format!("the server's log has more, under the request id {id}")),
        _ => None,
    }
}

fn of_forbidden(refusal: &Refusal) -> String {
    let description = refusal.description().unwrap_or_default();
    match description.split_once(MISSING_SCOPES) {
        Some((_, scopes)) => {
            let scopes: String = scopes.chars().filter(|c| !c.is_control()).take(200).collect();
            format!("sign in with a token that has the scope {scopes}, or with an API token")
        }
        None => "administrators may: `tokenry whoami` shows your role, `tokenry login` signs in \
                 as somebody else"
            .to_owned(),
    }
}
