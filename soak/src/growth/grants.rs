//! Long-lived grants among the short-lived tokens: the purge must not touch one.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokenry_core::grant::Token;
use tokenry_protocol::{ids::UserId, redirect_uri::ClientKind, secret::SecretHash};

use crate::{cast::RegisteredClient, environment::Dice, http::Pair, server::Server};

/// Grants that live, each with its row as it must be.
pub(super) struct Grants {
    pub(super) server: Arc<Server>,
    client: Arc<RegisteredClient>,
    user: UserId,
    alive: Vec<(Pair, Token)>,
}

impl Grants {
    pub(super) async fn new(server: Arc<Server>, count: u32) -> Result<Self> {
        let user = server.register_user().await?;
        let client = server.register_client(user, ClientKind::Confidential).await?;
        let mut grants = Self { server, client, user, alive: Vec::new() };
        for _ in 0..count {
            grants.consent().await?;
        }
        Ok(grants)
    }

    pub(super) fn count(&self) -> u64 {
        self.alive.len().try_into().unwrap_or(u64::MAX)
    }

    async fn consent(&mut self) -> Result<()> {
        let code = self.server.consent(&self.client, self.user).await?;
        let answer = self.server.send(self.client.redeem(&code)?).await?;
        let Some(pair) = answer.pair() else { bail!("a code was refused: {answer}") };
        let row = self.row(&pair).await?;
        self.alive.push((pair, row));
        Ok(())
    }

    async fn row(&self, pair: &Pair) -> Result<Token> {
        let id = tokenry_protocol::ids::TokenId::new(pair.access.parts().id)?;
        let found = self.server.state.store.find_token(id).await?;
        found.with_context(|| format!("grant {id} lives, and its row is gone"))
    }

    /// One is refreshed, one is given up, and a new one comes in its place.
    pub(super) async fn live_on(&mut self, dice: &mut Dice) -> Result<()> {
        let last = self.alive.len().checked_sub(1).context("no grants")?;
        let chosen = usize::try_from(dice.between(0, u64::try_from(last)?))?;
        let (pair, _) = self.alive.swap_remove(chosen);
        let answer = self.server.send(self.client.refresh(&pair.refresh)?).await?;
        let Some(pair) = answer.pair() else { bail!("a live grant was refused: {answer}") };
        let row = self.row(&pair).await?;
        self.alive.push((pair, row));
        let chosen = usize::try_from(dice.between(0, u64::try_from(last)?))?;
        let (pair, _) = self.alive.swap_remove(chosen);
        let answer = self.server.send(self.client.revoke(&pair.refresh)?).await?;
        ensure!(answer.status == 200, "a revocation was answered {answer}");
        self.consent().await
    }

    /// Every row is as it was left.
    pub(super) async fn check(&self) -> Result<()> {
        for (pair, expected) in &self.alive {
            let row = self.row(pair).await?;
            let is_same =
                format!("{row:?}") == format!("{expected:?}") && hashes(&row) == hashes(expected);
            ensure!(is_same, "a live grant was touched: {row:?}, expected {expected:?}");
        }
        Ok(())
    }
}

/// What `Debug` does not show.
fn hashes(token: &Token) -> Vec<[u8; 32]> {
    let issued = token.issued();
    let refresh = issued.and_then(|issued| issued.refresh.as_ref());
    let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
    let all = [
        issued.map(|issued| &issued.access.hash),
        refresh.map(|refresh| &refresh.hash),
        previous.map(|previous| &previous.hash),
    ];
    all.into_iter().flatten().map(SecretHash::as_bytes).copied().collect()
}
