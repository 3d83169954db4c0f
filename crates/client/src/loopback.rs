//! The address of a native app that its users come back to: a listener on this machine for one
//! callback (RFC 8252 §7.3, §8.3).
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn example(client: tokenry_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use tokenry_client::{AuthorizationCode, ClientAuthentication, Loopback};
//!
//! let app = ClientAuthentication::public("acme_cli");
//! let listener = Loopback::bind(0).await?;
//! let pending = AuthorizationCode::new(app.client_id(), listener.redirect_uri())
//!     .scope("read")
//!     .discover(&client)
//!     .await?
//!     .begin(&client)?;
//! println!("open {}", pending.url());
//! let callback = listener.receive(pending, Duration::from_secs(300)).await?;
//! let tokens = client.grant_type_tokens().redeem(&app, callback).await?;
//! # Ok(()) }
//! ```

mod connection;
mod page;

use std::{io, net::Ipv4Addr, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::net::{TcpListener, TcpStream};

use self::connection::{Asked, CONNECTION_TIMEOUT};
use crate::{CallbackError, CheckedCallback, PendingAuthorization};

/// Connections that are heard at once. Browsers open a few, and some say nothing.
const CONNECTIONS_MAX: usize = 16;

/// The path of the callback, which a client registers as `http://127.0.0.1/callback`.
pub(crate) const PATH: &str = "/callback";

/// A listener on this machine alone, which waits for one user to come back.
///
/// It answers the callback with a small page of its own, and everything else with an error: other
/// methods, other paths, and callbacks that do not bring back the `state` of the authorization it
/// waits for. Those do not end the wait, so a page that the user happens to have open cannot.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
}

/// Why no callback was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// Nobody came back in time.
    #[error("nobody came back within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The user came back without a code.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The authorization was begun with another redirect address, which leads elsewhere.
    #[error("the users of this sign-in come back to {asked}, and {own} is listened at")]
    OtherAddress {
        /// Where the users are sent.
        asked: String,
        /// Where this listener is.
        own: String,
    },
    /// The listener broke.
    #[error("the callback cannot be waited for: {0}")]
    Listen(#[source] io::Error),
}

impl Loopback {
    /// Listens at this port of 127.0.0.1, or with 0 at one that is free. Tokenry takes any port at
    /// a registered `http://127.0.0.1/callback`, Zendesk only the port that was registered.
    ///
    /// The error is the operating system's: another program listens at that port.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let redirect_uri = format!("http://{}:{port}{PATH}", Ipv4Addr::LOCALHOST);
        Ok(Self { listener, redirect_uri })
    }

    /// The address that users come back to: `http://127.0.0.1:{port}/callback`.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the callback of this authorization, for at most this long, and checks it. The user
    /// sees whether it went well, and the listener is closed.
    pub async fn receive(
        self,
        pending: PendingAuthorization,
        wait_max: Duration,
    ) -> Result<CheckedCallback, LoopbackError> {
        if pending.redirect_uri() != self.redirect_uri {
            let (asked, own) = (pending.redirect_uri().to_owned(), self.redirect_uri);
            return Err(LoopbackError::OtherAddress { asked, own });
        }
        let waited = tokio::time::timeout(wait_max, self.callback(&pending)).await;
        let callback = waited.map_err(|_| LoopbackError::Timeout(wait_max))??;
        Ok(pending.check(&callback)?)
    }

    /// The first callback that is this authorization's.
    async fn callback(&self, pending: &PendingAuthorization) -> Result<String, LoopbackError> {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                    let stream = accepted.map_err(LoopbackError::Listen)?.0;
                    connections.push(within_time(stream, pending));
                }
                Some(callback) = connections.next() => {
                    if let Some(callback) = callback {
                        return Ok(callback);
                    }
                }
            }
        }
    }
}

/// One request and its answer; the callback, if it was ours.
async fn within_time(stream: TcpStream, pending: &PendingAuthorization) -> Option<String> {
    let mut connection = connection::Connection::new(stream);
    let asked = tokio::time::timeout(CONNECTION_TIMEOUT, connection.asked()).await;
    let Ok(Ok(asked)) = asked else {
        return None;
    };
    let (page, callback) = match asked {
        Asked::Callback(query) if pending.matches(&query) => {
            (page::of(pending.refusal_of(&query).as_ref()), Some(query))
        }
        Asked::Callback(_) => (page::of(Some(&CallbackError::OtherState)), None),
        Asked::OtherPath => (page::nothing_here(), None),
        Asked::OtherMethod => (page::only_get(), None),
        Asked::Unreadable => (page::unreadable(), None),
    };
    // The callback counts whether or not its user waited for the page.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection.answer(&page)).await;
    callback
}
