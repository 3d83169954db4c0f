//! The client for programs without an async runtime.
//!
//! ```no_run
//! # fn example() -> Result<(), tokenry_client::Error> {
//! use tokenry_client::{Credentials, blocking::Client};
//!
//! let client = Client::new(
//!     Client::builder()
//!         .subdomain("acme")
//!         .credentials(Credentials::api_token("ada@acme.test", "…")),
//! )?;
//! for token in client.oauth_tokens().list().all(true).items() {
//!     println!("{:?}", token?.used_at);
//! }
//! # Ok(())
//! # }
//! ```

use std::{fmt, sync::Arc};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Answer, Call, ClientBuilder, Error, List, Operation, Pages, Server};

/// A client whose calls wait for their answers. It is [`crate::Client`] over a small runtime of
/// its own; cloning it is cheap, and any number of threads may use it.
#[derive(Clone)]
pub struct Client {
    inner: crate::Client,
    worker: Arc<Worker>,
}

/// A runtime that may be dropped anywhere, an async context included.
struct Worker(Option<Runtime>);

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        crate::Client::builder()
    }

    /// The client that the builder describes.
    pub fn new(builder: ClientBuilder) -> Result<Self, Error> {
        let inner = builder.build()?;
        // Its own thread drives connections while nobody waits, and one is enough.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Error::Request(format!("no runtime: {error}")))?;
        Ok(Self { inner, worker: Arc::new(Worker(Some(runtime))) })
    }

    /// A client of what the environment names, see [`crate::Client::from_env`].
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new(Self::builder().from_variables(|name| std::env::var(name).ok())?)
    }

    /// The server.
    pub fn server(&self) -> &Server {
        self.inner.server()
    }

    /// Waits for what is under way in other threads, and sends nothing more, see
    /// [`crate::Client::close`].
    pub fn close(&self) -> Result<(), Error> {
        self.wait(async {
            self.inner.close().await;
            Ok(())
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        if Handle::try_current().is_ok() {
            let text = "a blocking client would stop the async runtime that it is called in: use \
                        tokenry_client::Client there";
            return Err(Error::Request(text.to_owned()));
        }
        let runtime = self.worker.0.as_ref().ok_or(Error::Closed)?;
        runtime.block_on(work)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

impl<'c, O: Operation> Call<'c, Client, O> {
    /// The same call by the client inside.
    fn inner(self) -> Call<'c, crate::Client, O> {
        let Self { client, operation, options } = self;
        Call { client: &client.inner, operation, options }
    }

    /// Sends it and waits.
    pub fn send(self) -> Result<O::Answer, Error> {
        Ok(self.answer()?.value)
    }

    /// Sends it and waits, and gives status and headers beside what was asked for.
    pub fn answer(self) -> Result<Answer<O::Answer>, Error> {
        let client = self.client;
        client.wait(self.inner().answer())
    }
}

impl<'c, O: List> Call<'c, Client, O> {
    /// Every record from this page on, page after page. Ends after an error.
    pub fn items(self) -> impl Iterator<Item = Result<O::Item, Error>> + 'c
    where
        O: 'c,
    {
        self.pages().flat_map(|page| match page {
            Ok(page) => O::items(page).into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }
}

/// Ends after an error: whoever passes over errors would ask for the same page forever.
impl<O: List> Iterator for Pages<'_, Client, O> {
    type Item = Result<O::Answer, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let call = match self.call() {
            Ok(call) => call?,
            Err(error) => return Some(Err(error)),
        };
        self.next = Ok(None);
        let page = call.clone().send();
        if let Ok(answer) = &page {
            self.next = call.next(answer);
        }
        Some(page)
    }
}
