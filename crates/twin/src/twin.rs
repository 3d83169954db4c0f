//! A running twin.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokenry_server::{
    config::{BaseUrl, Config},
    listen::{self, Listener},
    node::NodeError,
    stop_signal::StopSignal,
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    account::{Account, AccountToken},
    clock::TwinClock,
    connect::ConnectionDetails,
    double::Double,
    error::TwinError,
    faults::{InForce, Rule, Scenario},
    https::Https,
    journal::Journal,
    options::Options,
    profile::Profile,
    seed::{Authorization, Authorize, IssueToken},
    service::Service,
};

/// A double of Zendesk that serves on this machine until it is dropped.
///
/// Every twin is alone: two in one process share nothing.
pub struct Twin {
    double: Arc<Double>,
    /// Its end is what stops the twin.
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

/// A twin that listens and does not answer yet.
pub struct Bound {
    listener: Listener,
    base: BaseUrl,
    /// Where it is a proxy for Zendesk's own address.
    https: Option<(Listener, SocketAddr)>,
    options: Options,
}

impl Twin {
    /// One on any free port of this machine, in memory, with the account of the examples
    /// ([`contract_cast`](crate::Seed::contract_cast)), before expiry was enforced
    /// ([`Profile::Legacy`]).
    pub async fn start() -> Result<Self, TwinError> {
        Self::start_with(Options::default()).await
    }

    /// One of another kind.
    pub async fn start_with(options: Options) -> Result<Self, TwinError> {
        Bound::bind(options)?.start().await
    }

    /// Where it is, without a slash at the end.
    pub fn base_url(&self) -> &str {
        self.double.base.as_str()
    }

    /// Everybody and everything that was planted, with every credential in full: of each record the
    /// tokens that it was given last. Of a folder that an earlier twin has left
    /// ([`Options::data`]) it is as the database has it now.
    pub fn account(&self) -> Account {
        self.double.account()
    }

    /// What one needs to connect.
    pub fn connection_details(&self) -> ConnectionDetails {
        self.double.connection_details(self.base_url())
    }

    /// The clock that everything in it goes by.
    pub fn clock(&self) -> &TwinClock {
        &self.double.clock
    }

    /// Every call with its outcome.
    pub fn journal(&self) -> &Journal {
        &self.double.journal
    }

    /// Puts a fault in force; its id, by which it can be ended.
    pub fn add_fault(&self, rule: Rule) -> u64 {
        self.double.script().faults.add(rule)
    }

    /// Ends a fault; `false` when there is none with this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.double.script().faults.remove(id).is_some()
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.double.script().faults.clear();
    }

    /// The faults in force, and how often each has struck.
    pub fn faults(&self) -> Vec<InForce> {
        self.double.script().faults.list().to_vec()
    }

    /// Everything as it was at the start.
    pub async fn reset(&self) -> Result<(), TwinError> {
        self.double.reset(None).await
    }

    /// The same, in another profile from now on.
    pub async fn reset_to(&self, profile: Profile) -> Result<(), TwinError> {
        self.double.reset(Some(profile)).await
    }

    /// Keeps this moment under a name. What had the name before is gone.
    pub async fn snapshot(&self, name: &str) -> Result<(), TwinError> {
        self.double.snapshot(name).await
    }

    /// Goes back to a moment. It can be gone back to again.
    pub async fn restore(&self, name: &str) -> Result<(), TwinError> {
        self.double.restore(name).await
    }

    /// Begins a scenario: in the profile that it names with everything as it was at the start, and
    /// without one where things are.
    pub async fn play(&self, scenario: &Scenario) -> Result<(), TwinError> {
        self.double.play(scenario).await
    }

    /// Makes a token record as if its client had asked for it, without a browser.
    pub async fn issue_token(&self, asked: &IssueToken) -> Result<AccountToken, TwinError> {
        self.double.issue(asked, &self.double.base).await
    }

    /// Consents in a user's place: the code, and the address that a browser would bring back.
    pub async fn authorize(&self, asked: &Authorize) -> Result<Authorization, TwinError> {
        self.double.authorize(asked, &self.double.base).await
    }

    /// Finishes what is in flight and ends; what is only held back is answered at once. Dropping
    /// does the same, and does not wait for it.
    pub async fn stop(self) {
        let Self { stop, served, .. } = self;
        drop(stop);
        if let Err(error) = served.await {
            tracing::error!(%error, "a twin did not end in order");
        }
    }
}

impl Bound {
    /// Listens.
    pub fn bind(options: Options) -> Result<Self, TwinError> {
        if !options.listen.ip().is_loopback() && !options.allow_remote {
            return Err(TwinError::Remote(options.listen));
        }
        if !is_label(&options.subdomain) {
            return Err(TwinError::Subdomain(options.subdomain));
        }
        if let Some(host) = options.hosts.iter().find(|host| !is_host_name(host)) {
            return Err(TwinError::Host(host.clone()));
        }
        let (listener, at) = listen_at(options.listen)?;
        let base = BaseUrl::at(at).map_err(|error| NodeError::Listen {
            address: options.listen,
            error: std::io::Error::other(error),
        })?;
        let https = options.https_port.map(|port| SocketAddr::new(options.listen.ip(), port));
        let https = https.map(listen_at).transpose()?;
        Ok(Self { listener, base, https, options })
    }

    /// Plants the seed and answers from now on.
    pub async fn start(self) -> Result<Twin, TwinError> {
        let Self { listener, base, https, options } = self;
        let (stop, stopped) = StopSignal::new();
        let mut double = Double::open(options, base, stopped).await?;
        let mut over_tls = None;
        if let Some((listener, at)) = https {
            let (proxy, told) = Https::start(listener, at, &double.options)?;
            (over_tls, double.https) = (Some(proxy), Some(told));
        }
        let double = Arc::new(double);
        let served = tokio::spawn(serve(listener, over_tls, Arc::clone(&double)));
        Ok(Twin { double, stop, served })
    }
}

/// Listens; with where this machine reaches it.
fn listen_at(address: SocketAddr) -> Result<(Listener, SocketAddr), NodeError> {
    let fail = |error| NodeError::Listen { address, error };
    let listener = listen::bind(address).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, reachable(bound)))
}

async fn serve(listener: Listener, over_tls: Option<Listener>, double: Arc<Double>) {
    let limits = Config::default().limits;
    let service = Service::new(Arc::clone(&double));
    let serve = async |listener, service| {
        let mut stop = double.stop.clone();
        listen::serve(listener, service, &limits, stop.given()).await;
    };
    match over_tls {
        Some(proxy) => {
            tokio::join!(serve(listener, service.clone()), serve(proxy, service.over_tls()));
        }
        None => serve(listener, service).await,
    }
    double.close().await;
}

/// Where this machine reaches what listens on an address: on all of them, by the loopback one.
const fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// Labels with dots between them.
fn is_host_name(name: &str) -> bool {
    name.to_ascii_lowercase().split('.').all(is_label)
}

/// RFC 1123 §2.1, in lower case.
fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}
