//! What went wrong, told in two lines: what it is, and how to mend it.

use std::{borrow::Cow, error::Error, fmt};

use anstyle::{AnsiColor, Style};
use tokenry_server::{
    accounts::AccountError, config::ConfigErrors, data_folder::DataFolderError,
    database::DatabaseError, node::NodeError,
};
use tokenry_store::{StoreError, copy::CopyError};
use tokenry_twin::TwinError;

use crate::{connection, exit_code::Exit, output::ReaderGone};

/// What went wrong, how the process ends by it, and how to mend it if that is known.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// With this message: one line, no full stop, nothing secret.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// How to mend it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Tells on standard error what went wrong, and how the process is to end.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    let exit = exit(error);
    if exit == Exit::Done {
        return exit;
    }
    let bold = AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{bold}tokenry:{bold:#} {}", message(error));
    if let Some(hint) = hint(error) {
        let quiet = Style::new().bold();
        anstream::eprintln!("  {quiet}hint:{quiet:#} {hint}");
    }
    exit
}

/// Every cause, down to the one that has told all that there is.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let mut causes = Vec::new();
    for cause in error.chain() {
        causes.push(cause.to_string());
        if cause.is::<tokenry_client::Error>() {
            break;
        }
    }
    causes.join(": ")
}

/// How to mend it, if somebody knows.
pub(crate) fn hint(error: &anyhow::Error) -> Option<Cow<'_, str>> {
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.hint.as_deref().map(Cow::from);
        }
        if let Some(error) = cause.downcast_ref() {
            return connection::hint(error).map(Cow::from);
        }
        match cause.downcast_ref()? {
            AccountError::Unknown(_) => Some("`tokenry user list` shows who there is".into()),
            AccountError::LastAdministrator(_) => Some(
                "make another with `tokenry user create --role admin`, or add --leave-no-admin"
                    .into(),
            ),
            _ => None,
        }
    })
}

/// The first cause that says more than that it failed.
pub(crate) fn exit(error: &anyhow::Error) -> Exit {
    error.chain().find_map(exit_of).unwrap_or(Exit::Failed)
}

fn exit_of(cause: &(dyn Error + 'static)) -> Option<Exit> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(failure.exit);
    }
    if let Some(error) = cause.downcast_ref::<AccountError>() {
        return match error {
            AccountError::Unknown(_) => Some(Exit::NotFound),
            AccountError::Contended(_) => Some(Exit::Unavailable),
            AccountError::Email(_)
            | AccountError::Named
            | AccountError::Name
            | AccountError::Password => Some(Exit::Usage),
            AccountError::Store(error) => exit_of(error),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref() {
        return connection::exit(error);
    }
    if let Some(error) = cause.downcast_ref::<NodeError>() {
        return match error {
            NodeError::Database(error) => exit_of(error),
            NodeError::Folder(error) => exit_of(error),
            NodeError::Store(error) => exit_of(error),
            error => error.may_pass().then_some(Exit::Unavailable),
        };
    }
    if let Some(error) = cause.downcast_ref::<DatabaseError>() {
        return match error {
            DatabaseError::Folder(error) => exit_of(error),
            DatabaseError::Embedded { error, .. } | DatabaseError::Shared { error, .. } => {
                exit_of(error)
            }
        };
    }
    if let Some(error) = cause.downcast_ref::<CopyError>() {
        return match error {
            CopyError::Store { error, .. } | CopyError::File { error } => exit_of(error),
            CopyError::Served { .. } => Some(Exit::Unavailable),
            CopyError::NoInstallation => Some(Exit::NotFound),
            CopyError::Damaged { .. } | CopyError::Differs { .. } => Some(Exit::Wrong),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<DataFolderError>() {
        return match error {
            DataFolderError::Served(_) | DataFolderError::Filled(_) | DataFolderError::InUse(_) => {
                Some(Exit::Unavailable)
            }
            _ => None,
        };
    }
    if let Some(TwinError::OtherSeed(_)) = cause.downcast_ref() {
        return Some(Exit::Usage);
    }
    if let Some(StoreError::Unavailable(_)) = cause.downcast_ref() {
        return Some(Exit::Unavailable);
    }
    if cause.is::<ConfigErrors>() {
        return Some(Exit::Usage);
    }
    cause.is::<ReaderGone>().then_some(Exit::Done)
}
