//! The servers of an address, and which of them connections lead to.
//!
//! 1. Servers are tried in the order in which they are written, and all addresses of a name in
//!    theirs; but first the one that was right the last time. Names are resolved each time. Each
//!    has an equal share of the time that is left: one that is dead does not take all of it.
//! 2. A server is not trusted before it has confirmed a commit. One that was the primary and has
//!    lost its standbys can confirm none, and is passed over: what it would show is old. The same
//!    is asked again when there is reason for doubt: connections were lost, or a commit was
//!    answered with a warning. A primary that comes back after a crash shows commits that
//!    no standby has; once a later one is confirmed they are all confirmed.
//! 3. Connections from before a doubt, or to a server that another one has taken the place of, are
//!    not used again.

use std::{
    io,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::lookup_host,
    time::{Instant, timeout_at},
};
use tokio_postgres::{Config, config::Host, error::SqlState};

use super::{
    address::{PostgresAddress, ServerName},
    calls::{Failure, unavailable},
    open::{self, PostgresOptions},
    session::Session,
};

/// A commit that changes nothing, and nothing that others wait for long.
const CONFIRM: &str = "UPDATE id_leases SET next = next WHERE sequence = 'nodes'";

/// The servers of an address.
pub(super) struct Hosts {
    address: PostgresAddress,
    options: PostgresOptions,
    trust: Mutex<Trust>,
}

/// Where a connection can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The number of the server in the address.
    server: usize,
    /// What its name was resolved to.
    ip: Option<IpAddr>,
}

#[derive(Default)]
struct Trust {
    /// Where the last connection led to.
    place: Option<Place>,
    /// It has confirmed a commit, and there was no doubt since.
    is_confirmed: bool,
    /// Of connections: grows with each doubt and each change of place.
    era: u64,
}

impl Hosts {
    pub(super) fn new(address: PostgresAddress, options: PostgresOptions) -> Self {
        Self { address, options, trust: Mutex::default() }
    }

    /// Whether a connection may still be used.
    pub(super) fn are_trusted_since(&self, era: u64) -> bool {
        self.lock().era == era
    }

    /// A connection of this era has ended, or said something that raises doubts.
    pub(super) fn doubt(&self, era: u64) {
        let mut trust = self.lock();
        if trust.era == era {
            trust.era += 1;
            trust.is_confirmed = false;
        }
    }

    /// A connection that is ready for use, within the time that connecting may take.
    pub(super) async fn connect(&self) -> Result<Session, Failure> {
        let until = Instant::now() + self.options.connect_timeout;
        let mut reasons = Vec::new();
        let order = self.order();
        for (before, number) in order.iter().copied().enumerate() {
            let Some(server) = self.address.servers.get(number) else { continue };
            let until = share(until, order.len() - before);
            let connected = self.connect_to(number, server, until).await;
            match connected {
                Ok(session) => return Ok(session),
                Err(failure) => {
                    let reason = crate::StoreError::from(failure).reason();
                    reasons.push(if order.len() > 1 {
                        format!("{server}: {reason}")
                    } else {
                        reason
                    });
                }
            }
        }
        Err(Failure::Unavailable(reasons.join("; ")))
    }

    /// The servers' numbers, the one that was right the last time first.
    fn order(&self) -> Vec<usize> {
        let last = self.lock().place.as_ref().map(|place| place.server);
        let mut order: Vec<usize> = (0..self.address.servers.len()).collect();
        order.sort_by_key(|number| Some(*number) != last);
        order
    }

    async fn connect_to(
        &self,
        number: usize,
        server: &ServerName,
        until: Instant,
    ) -> Result<Session, Failure> {
        let slow = |_| unavailable("connecting took too long");
        let found = timeout_at(until, resolve(server)).await.map_err(slow)?;
        let found = found.map_err(|error| unavailable(&format!("its name: {error}")))?;
        let mut places: Vec<Place> =
            found.into_iter().map(|ip| Place { server: number, ip }).collect();
        let last = self.lock().place.clone();
        places.sort_by_key(|place| Some(place) != last.as_ref());
        let mut failure = unavailable("its name has no address");
        for (before, place) in places.iter().enumerate() {
            let until = share(until, places.len() - before);
            let connected = timeout_at(until, self.open(server, place)).await;
            match connected.map_err(slow).flatten() {
                Ok(session) => return Ok(session),
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    async fn open(&self, server: &ServerName, place: &Place) -> Result<Session, Failure> {
        let (era, is_confirmed) = {
            let trust = self.lock();
            (trust.era, trust.is_confirmed && trust.place.as_ref() == Some(place))
        };
        let mut config = self.address.config.clone();
        server.name(&mut config, place.ip);
        let session = open::connect(&config, self.address.tls.as_ref(), &self.options).await?;
        if !is_confirmed {
            self.confirm(&session).await?;
        }
        let mut trust = self.lock();
        if trust.era != era {
            // Somebody had doubts meanwhile, or was led elsewhere.
            return Ok(session.of_era(era));
        }
        let is_other = trust.place.as_ref().is_some_and(|last| last != place);
        if is_other {
            trust.era += 1;
            tracing::warn!(server = server.to_string(), "another server is the database now");
        }
        trust.place = Some(place.clone());
        trust.is_confirmed = true;
        Ok(session.of_era(trust.era))
    }

    async fn confirm(&self, session: &Session) -> Result<(), Failure> {
        match session.batch(CONFIRM).await {
            // It is empty: there is nothing that could be old.
            Err(failure) if failure.is(&SqlState::UNDEFINED_TABLE) => Ok(()),
            // Asked for by an address with one server, which may be one that only reads.
            Err(failure)
                if failure.is(&SqlState::READ_ONLY_SQL_TRANSACTION)
                    && !self.address.must_write() =>
            {
                Ok(())
            }
            confirmed => confirmed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when the first of so many may take what is left.
fn share(until: Instant, count: usize) -> Instant {
    let now = Instant::now();
    let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    now + until.saturating_duration_since(now) / count
}

/// The addresses of a server; `None` is the one of a socket in the file system.
async fn resolve(server: &ServerName) -> io::Result<Vec<Option<IpAddr>>> {
    match (&server.host, server.ip) {
        (Some(Host::Tcp(name)), None) => {
            let found = lookup_host((name.as_str(), server.port)).await?;
            Ok(found.map(|address| Some(address.ip())).collect())
        }
        (_, ip) => Ok(vec![ip]),
    }
}

impl ServerName {
    /// Has a configuration without a server lead to this one, at an address.
    fn name(&self, config: &mut Config, ip: Option<IpAddr>) {
        match &self.host {
            // The name is what the certificate must be for.
            Some(Host::Tcp(name)) => _ = config.host(name),
            #[cfg(unix)]
            Some(Host::Unix(path)) => _ = config.host_path(path),
            None => {}
        }
        if let Some(ip) = ip {
            config.hostaddr(ip);
        }
        config.port(self.port);
    }
}
