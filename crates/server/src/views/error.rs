//! What a person is told when a page cannot be given.

use std::borrow::Cow;

use askama::Template;
use tokenry_protocol::{secret::redacted, time::Seconds};

use super::sign_in::wait;

/// A page that says what happened and how to mend it.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What happened.
    pub problem: Problem,
    /// The `X-Request-Id` of the answer, by which operators find it in the log.
    pub request_id: String,
}

/// What can happen to a person in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No client has this identifier.
    UnknownClient {
        /// As it came; empty when there was none.
        client_id: String,
    },
    /// An administrator has disabled the client.
    ClientDisabled {
        /// Its name.
        client_name: String,
    },
    /// The redirect address is not among the client's.
    RedirectUriNotRegistered {
        /// As it came.
        redirect_uri: String,
    },
    /// None was sent, and the client does not have exactly one.
    RedirectUriMissing,
    /// The authorization request cannot be read.
    MalformedRequest {
        /// What is wrong with it, in one sentence, for whoever makes the client.
        detail: String,
    },
    /// The answered authorization request is unknown, over or already answered.
    RequestEnded,
    /// The page token of a form was not good.
    PageExpired,
    /// Over a limit.
    TooManyAttempts {
        /// When to try again.
        retry_after: Seconds,
    },
    /// The store is away.
    Unavailable {
        /// When to try again.
        retry_after: Seconds,
    },
    /// A fault of the server's own.
    Internal,
    /// No page has this address.
    NotFound,
}

/// Something that came with the request, shown apart from our own words.
struct Fact<'a> {
    label: &'static str,
    value: Cow<'a, str>,
}

impl Problem {
    const fn title(&self) -> &'static str {
        match self {
            Self::UnknownClient { .. } => "This app is not known here",
            Self::ClientDisabled { .. } => "This app has been switched off",
            Self::RedirectUriNotRegistered { .. } => "The app gave a wrong return address",
            Self::RedirectUriMissing => "The app gave no return address",
            Self::MalformedRequest { .. } => "The app’s request cannot be read",
            Self::RequestEnded => "This request is over",
            Self::PageExpired => "This page was open too long",
            Self::TooManyAttempts { .. } => "Too many attempts",
            Self::Unavailable { .. } => "Not available right now",
            Self::Internal => "Something went wrong",
            Self::NotFound => "There is no page here",
        }
    }

    const fn happened(&self) -> &'static str {
        match self {
            Self::UnknownClient { .. } => {
                "The link that brought you here belongs to an app that is not registered on this \
                 server. Nothing was shared with it."
            }
            Self::ClientDisabled { .. } => {
                "An administrator has switched this app off, so it cannot be connected to any \
                 account. Nothing was shared with it."
            }
            Self::RedirectUriNotRegistered { .. } => {
                "It asked to send you to an address that is not registered for it. To keep your \
                 account safe, you were not sent there."
            }
            Self::RedirectUriMissing => {
                "It did not say where to send you afterwards, and there is not exactly one \
                 address registered for it."
            }
            Self::MalformedRequest { .. } => {
                "The link that brought you here is damaged or was put together wrongly. Nothing \
                 was shared with the app."
            }
            Self::RequestEnded => {
                "You may have answered it already, or waited too long. Nothing more was shared \
                 with the app."
            }
            Self::PageExpired => {
                "A form works for a limited time, and only in the browser that opened it. \
                 Nothing was changed."
            }
            Self::TooManyAttempts { .. } => {
                "There were more attempts than this server allows in a short time."
            }
            Self::Unavailable { .. } => {
                "This server cannot reach its records for the moment. Your connected apps and \
                 your account are as they were."
            }
            Self::Internal => "The fault is on this server, not with you.",
            Self::NotFound => "The address may be mistyped, or the page is gone.",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::UnknownClient { .. } => {
                "Go back to the app and start again. If you make the app: compare its client ID \
                 with the one registered here."
            }
            Self::ClientDisabled { .. } => "If you need it, ask your administrator.",
            Self::RedirectUriNotRegistered { .. } => {
                "Tell the people who make the app. If that is you: register exactly this \
                 address, letter for letter."
            }
            Self::RedirectUriMissing => {
                "Tell the people who make the app. If that is you: send redirect_uri with the \
                 request."
            }
            Self::MalformedRequest { .. } | Self::RequestEnded => {
                "Go back to the app and start again."
            }
            Self::PageExpired => "Go back, reload the page and try again.",
            Self::TooManyAttempts { retry_after } | Self::Unavailable { retry_after } => {
                return format!("Wait {}, then reload this page.", wait(*retry_after));
            }
            Self::Internal => {
                "Try again in a moment. If it happens again, tell your administrator, with the \
                 request ID below."
            }
            Self::NotFound => "Check the address, or begin at the start page.",
        }
        .to_owned()
    }

    fn fact(&self) -> Option<Fact<'_>> {
        let (label, value) = match self {
            Self::UnknownClient { client_id } => ("Client ID", client_id),
            Self::ClientDisabled { client_name } => ("App", client_name),
            Self::RedirectUriNotRegistered { redirect_uri } => ("Return address", redirect_uri),
            Self::MalformedRequest { detail } => ("Problem", detail),
            _ => return None,
        };
        (!value.is_empty()).then(|| Fact { label, value: redacted(value) })
    }
}
