//! What can be asked of a server, as values: the request, and how its answer is read.

use http::StatusCode;
use serde::de::DeserializeOwned;
use tokenry_protocol::api::pagination::{PageParameters, Pagination};

use crate::{
    Error,
    refusal::Refusal,
    request::{Outline, Response},
    unreadable::Unreadable,
};

/// One thing that can be asked.
pub trait Operation: Clone + Send + Sync {
    /// What is answered.
    type Answer: Send;

    /// Its name in logs and hooks: `oauth_tokens.show`.
    const NAME: &'static str;

    /// What is sent.
    fn outline(&self) -> Result<Outline, Error>;

    /// Reads what came back.
    fn read(&self, response: &Response) -> Result<Self::Answer, Error>;

    /// What is answered when a repeat is refused with this status, because the request before it,
    /// whose answer was lost, did what was asked.
    fn read_repeat(&self, status: StatusCode) -> Option<Self::Answer> {
        let _ = status;
        None
    }
}

/// An operation that answers one page after another.
pub trait List: Operation {
    /// One record.
    type Item: Send;

    /// Which page is asked for.
    fn parameters(&self) -> &PageParameters;

    /// Asks for another page.
    fn turn(&mut self, page: PageParameters);

    /// Where a page is in the list; `None` when the list is one page.
    fn pagination(page: &Self::Answer) -> Option<&Pagination>;

    /// The records of a page.
    fn items(page: Self::Answer) -> Vec<Self::Item>;
}

/// Reads a record or a list. Zendesk's documents and its servers do not always agree whether
/// something was created, so 200 and 201 are the same.
pub(crate) fn read_json<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    match response.status() {
        StatusCode::OK | StatusCode::CREATED => match serde_json::from_slice(response.body()) {
            Ok(answer) => Ok(answer),
            Err(error) => Err(Unreadable::typed::<T>(response, &error).into()),
        },
        _ => Err(refused(response)),
    }
}

/// Reads the answer of an operation that answers nothing.
pub(crate) fn read_nothing(response: &Response) -> Result<(), Error> {
    match response.status() {
        StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
        _ => Err(refused(response)),
    }
}

fn refused(response: &Response) -> Error {
    // A redirect, or a success that nobody knows, is no refusal that has a body to read.
    if response.status().is_client_error() || response.status().is_server_error() {
        Refusal::read(response).into()
    } else {
        Unreadable::status(response).into()
    }
}
