//! How a client is made.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::RwLock;

use super::{Client, Shared};
use crate::{
    Credentials, Environment, Error, Hook, RetryPolicy, Server, SystemEnvironment, Transport,
    variables::Variables,
};

/// Time for one attempt, from sending to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Time for a connection.
#[cfg(feature = "reqwest")]
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const ON_BEHALF_OF: HeaderName = HeaderName::from_static("x-on-behalf-of");

/// A client to be. Only the server has no default.
#[must_use = "a builder makes nothing before it is built"]
pub struct ClientBuilder {
    server: Option<Result<Server, Error>>,
    credentials: Credentials,
    /// The server that credentials of the environment were read for.
    meant_for: Option<Server>,
    transport: Option<Result<Arc<dyn Transport>, Error>>,
    environment: Arc<dyn Environment>,
    hooks: Vec<Arc<dyn Hook>>,
    headers: HeaderMap,
    on_behalf_of: Option<Result<HeaderValue, Error>>,
    retry: RetryPolicy,
    timeout: Duration,
    insecure_http: bool,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            server: None,
            credentials: Credentials::None,
            meant_for: None,
            transport: None,
            environment: Arc::new(SystemEnvironment),
            hooks: Vec::new(),
            headers: HeaderMap::new(),
            on_behalf_of: None,
            retry: RetryPolicy::default(),
            timeout: TIMEOUT,
            insecure_http: false,
        }
    }

    /// The address of the server: `https://auth.example.com`.
    pub fn server(mut self, address: &str) -> Self {
        self.server = Some(Server::parse(address));
        self
    }

    /// A Zendesk account, by its subdomain.
    pub fn subdomain(mut self, subdomain: &str) -> Self {
        self.server = Some(Server::zendesk(subdomain));
        self
    }

    /// Who asks; nobody without it.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self.meant_for = None;
        self
    }

    /// Server and credentials as these variables name them, see [`Client::from_env`]. A server that
    /// is named in code is named before, so that credentials are read for it.
    pub fn from_variables(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let variables = Variables(variable);
        if let Some(server) = variables.server() {
            self.server = Some(server);
        }
        let named = self.server.as_ref().and_then(|server| server.as_ref().ok());
        if let Some(credentials) = variables.credentials(named)? {
            self.meant_for = named.cloned();
            self.credentials = credentials;
        }
        Ok(self)
    }

    /// Sends by a `reqwest` that is set up like this: with a proxy or certificates of yours. What
    /// it says of proxies holds for this machine too. Redirects are not followed.
    #[cfg(feature = "reqwest")]
    pub fn http(mut self, builder: reqwest::ClientBuilder) -> Self {
        let transport = crate::transport::of_reqwest(builder);
        self.transport = Some(transport.map(|transport| Arc::new(transport) as Arc<dyn Transport>));
        self
    }

    /// Sends with this and not with a transport of its own. It must follow no redirects.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Ok(Arc::new(transport)));
        self
    }

    /// Takes time and randomness from here and not from the operating system.
    pub fn environment(mut self, environment: impl Environment) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    /// Lets this see every request and answer, after the hooks that were added before.
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Sends this header with every request. `Authorization` is left to the credentials.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Runs every call as this end user, who is named by id or by address. It takes a bearer token
    /// of an administrator's with the scope `impersonate`; its other scopes say what may be done.
    pub fn on_behalf_of(mut self, user: impl fmt::Display) -> Self {
        let user = user.to_string();
        // Servers take a header without a name for none, and the call would run as its caller.
        let named = Some(user.as_bytes()).filter(|_| !user.trim().is_empty());
        let value = named.and_then(|name| HeaderValue::from_bytes(name).ok());
        self.on_behalf_of = Some(value.ok_or_else(|| {
            Error::Request("on_behalf_of takes the id or the address of a user".to_owned())
        }));
        self
    }

    /// How requests are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Time for each attempt, from sending to the end of the answer: 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends credentials over plain http to another machine, where everybody on the way can read
    /// them. Without it that is refused.
    pub fn insecure_http(mut self) -> Self {
        self.insecure_http = true;
        self
    }

    /// The client.
    #[cfg(feature = "reqwest")]
    pub fn build(mut self) -> Result<Client, Error> {
        let transport = match self.transport.take() {
            Some(transport) => transport?,
            None => Arc::new(crate::transport::by_reqwest(CONNECT_TIMEOUT)?),
        };
        self.build_over(transport)
    }

    /// The client, over the transport that was given.
    #[cfg(not(feature = "reqwest"))]
    pub fn build(mut self) -> Result<Client, Error> {
        let transport = self.transport.take();
        let missing = || Error::Request("name a transport: there is none by default".to_owned());
        self.build_over(transport.ok_or_else(missing)??)
    }

    fn build_over(mut self, transport: Arc<dyn Transport>) -> Result<Client, Error> {
        if let Some(user) = self.on_behalf_of {
            self.headers.insert(ON_BEHALF_OF, user?);
        }
        let server = self.server.unwrap_or_else(|| {
            Err(Error::Request(
                "name a server: .server(\"https://auth.example.com\"), .subdomain(\"acme\"), or \
                 the variable TOKENRY_CLIENT_SERVER or ZENDESK_SUBDOMAIN"
                    .to_owned(),
            ))
        })?;
        if let Some(meant) = self.meant_for.filter(|meant| *meant != server) {
            return Err(Error::Request(format!(
                "the credentials of the environment are for {meant} and not for {server}: name the \
                 server before from_variables"
            )));
        }
        Ok(Client {
            shared: Arc::new(Shared {
                server,
                authorization: self.credentials.fixed().ok().flatten(),
                credentials: self.credentials,
                transport,
                environment: self.environment,
                hooks: self.hooks,
                headers: self.headers,
                retry: self.retry,
                timeout: self.timeout,
                insecure_http: self.insecure_http,
                is_open: RwLock::new(true),
            }),
        })
    }
}
