//! What is known of the request that a task is answering: for the log, for error pages and for
//! metrics.
//!
//! It lies beside the task and is looked at when a line is written. A tracing span would be written
//! for every request, and again for every fact that is learned on the way, whether or not a line
//! follows: several times the cost of checking a token.

use std::{
    cell::{Cell, OnceCell},
    fmt,
    sync::Arc,
};

use http::HeaderValue;
use tokenry_protocol::ids::{ClientId, UserId};
use tokio::task::futures::TaskLocalFuture;

use crate::routes::Row;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// What is known of one request.
pub struct RequestContext {
    id: HeaderValue,
    user: Cell<Option<UserId>>,
    client: Cell<Option<ClientId>>,
    row: OnceCell<Arc<Row>>,
}

impl RequestContext {
    /// All that is known of a request at first: by which operators find it in the log.
    pub const fn new(id: HeaderValue) -> Self {
        Self { id, user: Cell::new(None), client: Cell::new(None), row: OnceCell::new() }
    }

    /// Does `work` as part of this request.
    pub fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, work)
    }
}

/// As a line of text has it: `request{id=… user.id=… client.id=…}`, without what is not known.
impl fmt::Display for RequestContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "request{{id={}", self.id())?;
        if let Some(user) = self.user.get() {
            write!(formatter, " user.id={user}")?;
        }
        if let Some(client) = self.client.get() {
            write!(formatter, " client.id={client}")?;
        }
        formatter.write_str("}")
    }
}

impl RequestContext {
    fn id(&self) -> &str {
        self.id.to_str().unwrap_or("-")
    }
}

/// The same as a JSON object. Ids are numbers, and the request's id holds nothing to escape.
pub struct AsJson<'a>(pub &'a RequestContext);

impl fmt::Display for AsJson<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(context) = self;
        write!(formatter, r#"{{"id":"{}""#, context.id())?;
        if let Some(user) = context.user.get() {
            write!(formatter, r#","user.id":{user}"#)?;
        }
        if let Some(client) = context.client.get() {
            write!(formatter, r#","client.id":{client}"#)?;
        }
        formatter.write_str("}")
    }
}

/// Looks at the request that this task is answering, if it is answering one.
pub fn look<T>(at: impl FnOnce(&RequestContext) -> T) -> Option<T> {
    CURRENT.try_with(at).ok()
}

/// Notes who calls.
pub fn note_user(id: UserId) {
    look(|context| context.user.set(Some(id)));
}

/// Notes which client calls.
pub fn note_client(id: ClientId) {
    look(|context| context.client.set(Some(id)));
}

/// Notes which row of the table answers. The first to answer is the one.
pub fn note_row(row: &Arc<Row>) {
    look(|context| drop(context.row.set(Arc::clone(row))));
}

/// The row of the table that answers.
pub fn row() -> Option<Arc<Row>> {
    look(|context| context.row.get().cloned()).flatten()
}

/// By which operators find the request in the log.
pub fn id() -> String {
    look(|context| context.id().to_owned()).unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_learned_on_the_way_is_seen_at_the_end() {
        let context = RequestContext::new(HeaderValue::from_static("r-1"));
        let (text, json) = context
            .scope(async {
                note_user(UserId::new(7).unwrap());
                note_client(ClientId::new(41).unwrap());
                let text = look(ToString::to_string);
                (text, look(|context| AsJson(context).to_string()))
            })
            .await;
        assert_eq!(text.as_deref(), Some("request{id=r-1 user.id=7 client.id=41}"));
        assert_eq!(json.as_deref(), Some(r#"{"id":"r-1","user.id":7,"client.id":41}"#));
    }

    #[tokio::test]
    async fn outside_a_request_there_is_nothing_to_see() {
        note_user(UserId::new(7).unwrap());
        assert!(look(ToString::to_string).is_none());
        assert_eq!(id(), "-");
    }
}
