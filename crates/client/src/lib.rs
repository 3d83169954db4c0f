//! A client of the OAuth token API that Tokenry and Zendesk speak: every record, every grant.
//!
//! ```no_run
//! # async fn example() -> Result<(), tokenry_client::Error> {
//! use tokenry_client::{Client, Credentials};
//!
//! let client = Client::builder()
//!     .server("https://auth.example.com")
//!     .credentials(Credentials::api_token("ada@example.com", "p00000000B_tokenry_…"))
//!     .build()?;
//! let answer = client.oauth_tokens().show(1001).await?;
//! if let Some(token) = answer.token {
//!     println!("last used at {:?}", token.used_at);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `.subdomain("acme")` in place of `.server(…)` speaks to Zendesk itself, and
//! [`Client::from_env`] reads both from the environment.
//!
//! # Where things are
//!
//! * [`models`]: the types of requests and answers, the same that the server is built of.
//! * [`resources`]: the operations, a resource a module.
//! * [`Client`], and [`blocking::Client`] for programs without an async runtime.
//! * [`Error`]: what can go wrong, with status, headers, code and body of a refusal.
//! * [`authorization_code`]: a user's consent, from the browser to the tokens.
//! * [`token_source`]: access tokens that are renewed by themselves.
//! * [`SansIo`]: the operations as requests to send and answers to read, for another transport.
//!
//! # Features
//!
//! | feature | adds | needs |
//! |---|---|---|
//! | none | [`models`] | serde and serde_json |
//! | `sans-io` | [`resources`], [`SansIo`], [`Server`], [`Credentials`], [`Error`] | http, url |
//! | `client` | [`Client`], [`TokenSource`], over a [`Transport`] of your own | tokio |
//! | `reqwest` (default) | a transport | reqwest with rustls |
//! | `loopback` (default) | [`Loopback`], where users of native apps come back | sockets |
//! | `blocking` (default) | [`blocking::Client`] | a small runtime inside |

#[cfg(feature = "sans-io")]
pub mod authorization_code;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "sans-io")]
mod call;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "sans-io")]
mod client_authentication;
#[cfg(feature = "sans-io")]
mod credentials;
#[cfg(feature = "client")]
mod environment;
#[cfg(feature = "sans-io")]
mod error;
#[cfg(feature = "client")]
mod hook;
#[cfg(feature = "sans-io")]
mod id;
#[cfg(feature = "loopback")]
mod loopback;
#[cfg(feature = "sans-io")]
mod operation;
#[cfg(feature = "sans-io")]
mod pagination;
#[cfg(feature = "sans-io")]
mod refusal;
#[cfg(feature = "sans-io")]
mod request;
#[cfg(feature = "sans-io")]
pub mod resources;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "sans-io")]
mod server;
#[cfg(feature = "client")]
pub mod token_source;
#[cfg(feature = "client")]
mod transport;
#[cfg(feature = "sans-io")]
mod unreadable;
#[cfg(feature = "sans-io")]
mod variables;

/// The types of requests and answers.
pub mod models {
    pub use tokenry_protocol::{
        api::{
            api_tokens::{ApiTokenObject, ApiTokenRequest, ApiTokenResponse, ApiTokensResponse},
            clients::{
                ClientKind, ClientRequest, OAuthClientObject, OAuthClientResponse,
                OAuthClientsResponse,
            },
            error::{
                ErrorBody, FieldError, FieldErrorCode, FieldErrors, ListedError, PlainError,
                TitledError,
            },
            extra::Extra,
            global_clients::{GlobalClientObject, GlobalClientsResponse},
            open::Open,
            pagination::{CursorLinks, CursorMeta, CursorPosition, PageParameters, Pagination},
            request::Sent,
            secret_text::SecretText,
            tokens::{
                ClientReference, CreateTokenRequest, OAuthTokenObject, OAuthTokenResponse,
                OAuthTokensResponse,
            },
            users::{Photo, UserObject, UserResponse},
        },
        ids::{ApiTokenId, ClientId, InvalidId, TokenId, UserId},
        oauth::{
            error::ErrorCode,
            introspection::IntrospectionResponse,
            metadata::Metadata,
            token::{GrantType, TokenResponse},
        },
        time::{Seconds, Timestamp},
    };
}

#[cfg(feature = "loopback")]
pub use crate::loopback::{Loopback, LoopbackError};
#[cfg(feature = "sans-io")]
pub use crate::{
    authorization_code::{
        AuthorizationCode, AuthorizationRefusal, CallbackError, CheckedCallback,
        PendingAuthorization,
    },
    call::{Answer, Call, SansIo},
    client_authentication::ClientAuthentication,
    credentials::{Authorization, BoxFuture, CredentialSource, Credentials},
    error::Error,
    id::IntoId,
    operation::{List, Operation},
    refusal::{Refusal, RefusalKind},
    request::{Repeat, Response},
    server::Server,
    unreadable::Unreadable,
};
#[cfg(feature = "client")]
pub use crate::{
    call::Pages,
    client::{Client, ClientBuilder},
    environment::{Environment, SystemEnvironment},
    hook::{Attempt, Hook},
    retry::RetryPolicy,
    token_source::{
        FileStorage, MemoryStorage, StorageError, StorageGuard, StoredTokens, TokenSource,
        TokenSourceBuilder, TokenSourceError, TokenStorage,
    },
    transport::{Transport, TransportError, TransportErrorKind},
};
