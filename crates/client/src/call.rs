//! An operation and who will do it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokenry_protocol::api::pagination::{CursorPosition, PageParameters, SIZE_MAX};

use crate::{
    Credentials, Error, Server,
    operation::{List, Operation},
    request::{Repeat, Response},
};

/// Does nothing itself: its calls are requests to send and answers to read.
///
/// ```
/// # fn main() -> Result<(), tokenry_client::Error> {
/// use tokenry_client::{Credentials, SansIo, Server};
///
/// let call = SansIo.oauth_tokens().show(1001);
/// let request = call.request(
///     &Server::parse("https://auth.example.com")?,
///     &Credentials::bearer("a0000000G9_tokenry_…".replace('…', "")),
/// )?;
/// assert_eq!(request.uri().path(), "/api/v2/oauth/tokens/1001");
///
/// // Send it however you like, and give the answer back:
/// let answer = http::Response::new(r#"{"token":{"id":1001}}"#.into());
/// let token = call.read(&answer)?.token;
/// assert_eq!(token.and_then(|token| token.id).map(|id| id.get()), Some(1001));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SansIo;

/// An operation, its parameters and how it is to be done. Nothing is sent before it is awaited.
#[must_use = "nothing is sent before it is awaited, or sent"]
pub struct Call<'c, C, O> {
    pub(crate) client: &'c C,
    pub(crate) operation: O,
    pub(crate) options: CallOptions,
}

/// The same call once more: the one that [`next`](Call::next) is asked of when the first is spent.
impl<C, O: Clone> Clone for Call<'_, C, O> {
    fn clone(&self) -> Self {
        let (operation, options) = (self.operation.clone(), self.options.clone());
        Self { client: self.client, operation, options }
    }
}

/// What one call does otherwise than its client.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub(crate) target: Option<(Server, Credentials)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempts_max: Option<u32>,
    pub(crate) headers: HeaderMap,
}

impl CallOptions {
    /// Where this call goes and as whom, if its client says this.
    pub(crate) fn target<'a>(
        &'a self,
        server: &'a Server,
        credentials: &'a Credentials,
    ) -> (&'a Server, &'a Credentials) {
        match &self.target {
            Some((server, credentials)) => (server, credentials),
            None => (server, credentials),
        }
    }
}

/// An answer with what came around it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// How many requests it took.
    pub attempts: u32,
}

impl<'c, C, O> Call<'c, C, O> {
    pub(crate) fn new(client: &'c C, operation: O) -> Self {
        Self { client, operation, options: CallOptions::default() }
    }

    /// Asks this server and not the client's, as whom it is said here: the client's own credentials
    /// are another server's secrets.
    pub fn server(mut self, server: Server, credentials: Credentials) -> Self {
        self.options.target = Some((server, credentials));
        self
    }

    /// Gives each attempt this long, and not what the client gives.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sends at most this many requests; 1 repeats none.
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.options.attempts_max = Some(attempts.max(1));
        self
    }

    /// Sends a header along. `Authorization` is left to the credentials.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.insert(name, value);
        self
    }
}

impl<C, O: Operation> Call<'_, C, O> {
    /// The request for this server, by who asks there.
    pub fn request(
        &self,
        server: &Server,
        credentials: &Credentials,
    ) -> Result<http::Request<Bytes>, Error> {
        let (server, credentials) = self.options.target(server, credentials);
        let authorization = credentials.fixed()?;
        let authorization = authorization.as_ref().map(crate::Authorization::value);
        self.operation.outline()?.to_http(server, authorization, &self.options.headers)
    }

    /// Reads the answer of the request.
    pub fn read(&self, response: &Response) -> Result<O::Answer, Error> {
        self.operation.read(response)
    }

    /// When the request may be sent again.
    pub fn repeat(&self) -> Result<Repeat, Error> {
        Ok(self.operation.outline()?.repeat)
    }
}

/// Which page of a list; without any of these the first 100 records.
#[cfg_attr(
    not(feature = "client"),
    expect(clippy::elidable_lifetime_names, reason = "pages() names it, where there is a client")
)]
impl<'c, C, O: List> Call<'c, C, O> {
    /// At most this many records a page, 1 to 100.
    pub fn page_size(mut self, size: u32) -> Self {
        let position = match self.operation.parameters() {
            PageParameters::Cursor { position, .. } => position.clone(),
            PageParameters::Offset { .. } => CursorPosition::Start,
        };
        self.operation.turn(PageParameters::Cursor { size, position });
        self
    }

    /// The page that begins after this cursor.
    pub fn after(self, cursor: impl Into<String>) -> Self {
        self.at(CursorPosition::After(cursor.into()))
    }

    /// The page that ends before this cursor.
    pub fn before(self, cursor: impl Into<String>) -> Self {
        self.at(CursorPosition::Before(cursor.into()))
    }

    fn at(mut self, position: CursorPosition) -> Self {
        let size = match self.operation.parameters() {
            PageParameters::Cursor { size, .. } => *size,
            PageParameters::Offset { .. } => SIZE_MAX,
        };
        self.operation.turn(PageParameters::Cursor { size, position });
        self
    }

    /// The page of this number, 1 to 100, of so many records each, 1 to 100; it comes with a count
    /// of all.
    pub fn page(mut self, page: u32, per_page: u32) -> Self {
        self.operation.turn(PageParameters::Offset { page, per_page });
        self
    }

    /// The call for the page after this answer; `None` at the end of the list.
    ///
    /// ```no_run
    /// # async fn example(client: tokenry_client::Client) -> Result<(), tokenry_client::Error> {
    /// let mut call = Some(client.oauth_tokens().list());
    /// while let Some(this) = call {
    ///     let page = this.clone().await?;
    ///     call = this.next(&page)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn next(&self, answer: &O::Answer) -> Result<Option<Self>, Error> {
        let pagination = O::pagination(answer);
        let next = crate::pagination::next(self.operation.parameters(), pagination)?;
        Ok(next.map(|page| {
            let mut call = self.clone();
            call.operation.turn(page);
            call
        }))
    }

    #[cfg(feature = "client")]
    /// All pages from this one on, each asked for when the one before has been read.
    pub fn pages(self) -> Pages<'c, C, O> {
        Pages { next: Ok(Some(self)) }
    }
}

#[cfg(feature = "client")]
/// The pages of a list.
pub struct Pages<'c, C, O> {
    /// The call for the next page, or why the page that was given last leads to none.
    pub(crate) next: Result<Option<Call<'c, C, O>>, Error>,
}

#[cfg(feature = "client")]
impl<'c, C, O: List> Pages<'c, C, O> {
    /// The call for the next page; the error of the last one is given once.
    pub(crate) fn call(&mut self) -> Result<Option<Call<'c, C, O>>, Error> {
        match &self.next {
            Ok(call) => Ok(call.clone()),
            Err(_) => std::mem::replace(&mut self.next, Ok(None)),
        }
    }
}
