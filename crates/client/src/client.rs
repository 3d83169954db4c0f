//! The client: sends what operations ask for, again where that is safe, and reads the answers.

mod builder;
mod perform;
mod redaction;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{Stream, TryStreamExt, stream};
use http::HeaderMap;
use tokio::sync::{RwLock, RwLockReadGuard};

pub use builder::ClientBuilder;

use crate::{
    Answer, Authorization, Call, Credentials, Environment, Error, Hook, List, Operation, Pages,
    RetryPolicy, Server, Transport, credentials::BoxFuture,
};

/// A client of one server. Cloning it is cheap, and clones share connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) server: Server,
    pub(crate) credentials: Credentials,
    /// Of credentials that do not change: the header of every request, made once.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) headers: HeaderMap,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Duration,
    pub(crate) insecure_http: bool,
    /// Held by every operation under way; `false` once the client is closed.
    is_open: RwLock<bool>,
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client of what the environment names: the server by `TOKENRY_CLIENT_SERVER`,
    /// `ZENDESK_SERVER_URL` or `ZENDESK_SUBDOMAIN`, and who asks as in
    /// [`Credentials::from_variables`].
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().from_variables(|name| std::env::var(name).ok())?.build()
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.shared.server
    }

    /// The same client for other credentials; connections are shared.
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        let Shared { server, transport, environment, hooks, headers, retry, .. } = &*self.shared;
        Self {
            shared: Arc::new(Shared {
                server: server.clone(),
                authorization: credentials.fixed().ok().flatten(),
                credentials,
                transport: Arc::clone(transport),
                environment: Arc::clone(environment),
                hooks: hooks.clone(),
                headers: headers.clone(),
                retry: retry.clone(),
                timeout: self.shared.timeout,
                insecure_http: self.shared.insecure_http,
                is_open: RwLock::new(true),
            }),
        }
    }

    /// Waits until every operation under way has its answer, and sends nothing more: what comes
    /// later is [`Error::Closed`]. Clones are closed with it.
    pub async fn close(&self) {
        *self.shared.is_open.write().await = false;
    }

    /// What is held while an operation is under way.
    async fn enter(&self) -> Result<RwLockReadGuard<'_, bool>, Error> {
        let is_open = self.shared.is_open.read().await;
        if *is_open { Ok(is_open) } else { Err(Error::Closed) }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("server", &self.shared.server)
            .field("credentials", &self.shared.credentials)
            .finish_non_exhaustive()
    }
}

impl<O: Operation> Call<'_, Client, O> {
    /// Sends it. Awaiting the call itself does the same.
    pub async fn send(self) -> Result<O::Answer, Error> {
        Ok(self.answer().await?.value)
    }

    /// Sends it, and gives status and headers beside what was asked for.
    pub async fn answer(self) -> Result<Answer<O::Answer>, Error> {
        let _under_way = self.client.enter().await?;
        self.client.perform(&self.operation, &self.options).await
    }
}

impl<'c, O: Operation + 'c> IntoFuture for Call<'c, Client, O> {
    type Output = Result<O::Answer, Error>;
    type IntoFuture = BoxFuture<'c, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<'c, O: List + 'c> Call<'c, Client, O> {
    /// Every record from this page on, page after page.
    pub fn stream(self) -> impl Stream<Item = Result<O::Item, Error>> + Send + 'c {
        self.pages()
            .into_stream()
            .map_ok(|page| stream::iter(O::items(page).into_iter().map(Ok)))
            .try_flatten()
    }
}

impl<'c, O: List + 'c> Pages<'c, Client, O> {
    /// The next page; `None` after the last one. When it is dropped before its end, or ends with
    /// an error, the same page is asked for at the next call.
    pub async fn next(&mut self) -> Result<Option<O::Answer>, Error> {
        let Some(call) = self.call()? else {
            return Ok(None);
        };
        let answer = call.clone().send().await?;
        self.next = call.next(&answer);
        Ok(Some(answer))
    }

    /// The pages as a stream, which ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<O::Answer, Error>> + Send + 'c {
        stream::try_unfold(self, |mut pages| async move {
            Ok(pages.next().await?.map(|page| (page, pages)))
        })
    }
}
