//! The servers that the fleet talks to: one, or several nodes on one database.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result};

use tokenry_server::config::Consistency;

use super::ledger::Told;
use crate::server::{Server, Site, settled};

/// One server at least.
pub(super) struct Nodes {
    servers: Vec<Arc<Server>>,
    asked: AtomicUsize,
}

impl Nodes {
    /// Starts so many, over what the last ones left.
    pub(super) async fn start(site: &Site, count: usize) -> Result<Self> {
        let mut servers = Vec::new();
        for _ in 0..count.max(1) {
            servers.push(Arc::new(site.start().await?));
        }
        Ok(Self { servers, asked: AtomicUsize::new(0) })
    }

    /// Where the next call goes: they take turns among all calls of all members, so that nobody can
    /// say at which node the next call of one will be.
    pub(super) fn any(&self) -> Result<&Arc<Server>> {
        let place = self.asked.fetch_add(1, Ordering::Relaxed) % self.servers.len();
        self.servers.get(place).context("there is no server")
    }

    /// When all of them know of a use.
    pub(super) const fn told(&self) -> Told {
        if self.servers.len() > 1 { Told::OnceWritten } else { Told::AtOnce }
    }

    /// Each of them.
    pub(super) fn all(&self) -> &[Arc<Server>] {
        &self.servers
    }

    /// Each hears of what the others have changed.
    pub(super) async fn catch_up(&self) -> Result<()> {
        for server in &self.servers {
            self.inform(server).await?;
        }
        Ok(())
    }

    /// One hears of it, where what it has in memory may be old.
    pub(super) async fn inform(&self, server: &Server) -> Result<()> {
        let is_strict = server.state.config.consistency == Consistency::Strict;
        if self.servers.len() > 1 && !is_strict {
            server.catch_up().await?;
        }
        Ok(())
    }

    /// Each writes the uses that it has noted.
    pub(super) async fn flush(&self) -> Result<()> {
        for server in &self.servers {
            server.flush().await?;
        }
        Ok(())
    }

    /// Waits until nothing is under way.
    pub(super) async fn settled(&self) -> Result<()> {
        settled(&self.servers).await
    }

    /// Ends one of them under whatever is going on, and starts it again.
    pub(super) async fn restart(&mut self, site: &Site, place: usize) -> Result<()> {
        let server = self.servers.get_mut(place).context("there is no such server")?;
        server.close().await;
        settled(&self.servers).await?;
        let again = Arc::new(site.start().await?);
        if let Some(server) = self.servers.get_mut(place) {
            *server = again;
        }
        Ok(())
    }

    /// Ends all of them.
    pub(super) async fn close(&self) -> Result<()> {
        for server in &self.servers {
            server.close().await;
        }
        self.settled().await
    }
}
