//! Tokens by the thousand: made by the decision, inserted through the store's interface.

use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokenry_core::{
    client_authentication::{AuthenticatedClient, authenticate},
    grant_types::client_credentials,
    issue::{Issuance, NewToken},
    user::User,
};
use tokenry_protocol::{
    ids::TokenId,
    oauth::token::Wishes,
    redirect_uri::ClientKind,
    time::{Seconds, Timestamp},
};
use tokenry_store::IdSequence;

use super::latency::timed;
use crate::{
    environment::{Dice, SimulatedClock},
    server::Server,
};

/// Inserts under way: four of the writer's batches, so that it never waits for the next.
const UNDER_WAY: usize = 1_024;

/// A client that asks for tokens, and what it was given.
pub(super) struct Load {
    pub(super) server: Arc<Server>,
    client: AuthenticatedClient,
    owner: User,
    /// Blocks of ids with the time by which all of them were given, oldest first.
    issued: VecDeque<(RangeInclusive<u64>, Timestamp)>,
    /// Tokens issued at each time.
    pub(super) count: Vec<(Timestamp, u64)>,
}

impl Load {
    pub(super) async fn new(server: Arc<Server>) -> Result<Self> {
        let owner = server.register_user().await?;
        let client = server.register_client(owner, ClientKind::Confidential).await?;
        let (record, secret) = (Arc::new(client.record.clone()), client.secret.as_deref());
        let client = authenticate(Some(record), secret).map_err(|error| anyhow!("{error:?}"))?;
        let owner = server.state.store.find_user(owner).await?.context("the owner")?;
        Ok(Self { server, client, owner, issued: VecDeque::new(), count: Vec::new() })
    }

    /// So many seconds with so many tokens each. The clock moves on before each second.
    pub(super) async fn issue(
        &mut self,
        seconds: u32,
        rate: u32,
        clock: &SimulatedClock,
    ) -> Result<()> {
        let store = &self.server.state.store;
        let ids = store.lease_ids(IdSequence::Tokens, seconds * rate).await?;
        let (this, count) = (&*self, std::cell::RefCell::new(Vec::new()));
        let inserts = stream::iter(ids.clone().zip(0_u32..)).map(|(id, number)| {
            if number.is_multiple_of(rate) {
                clock.advance_millis(1_000);
                count.borrow_mut().push((this.server.state.now(), u64::from(rate)));
            }
            let token = this.token(id);
            async move { anyhow::Ok(this.server.state.store.insert_token(token?).await?) }
        });
        inserts.buffer_unordered(UNDER_WAY).try_for_each(|()| async { Ok(()) }).await?;
        let count = count.into_inner();
        self.count.extend(count);
        self.issued.push_back((ids, self.server.state.now()));
        Ok(())
    }

    fn token(&self, id: u64) -> Result<NewToken> {
        let state = &self.server.state;
        let keys = state.keys();
        let issuance = Issuance {
            id: TokenId::new(id)?,
            client_id: self.client.client().id,
            user_id: self.owner.id,
            now: state.now(),
            keys: &keys.token,
            entropy: state.environment.entropy.as_ref(),
        };
        let owner = Some(&self.owner);
        let issued =
            client_credentials::issue(&self.client, owner, &Wishes::NONE, &state.policy, &issuance);
        let (token, _) = issued.map_err(|rejection| anyhow!("{rejection:?}"))?;
        Ok(token)
    }

    /// Forgets tokens that have expired, so that only live ones are looked for.
    pub(super) fn forget_expired(&mut self, lifetime: Seconds) {
        let now = self.server.state.now();
        // The times are those of the end of a block: one whose end is young has no end before.
        while self.issued.get(1).is_some_and(|(_, given_by)| given_by.plus(lifetime) <= now) {
            self.issued.pop_front();
        }
    }

    /// What one durable insert takes.
    pub(super) async fn insert_one(&mut self) -> Result<Duration> {
        let state = &self.server.state;
        let id: TokenId = state.ids.next(IdSequence::Tokens).await?;
        let token = self.token(id.get())?;
        let insert = async { Ok(state.store.insert_token(token).await?) };
        let ((), time) = timed(insert).await?;
        self.count.push((state.now(), 1));
        Ok(time)
    }

    /// What finding one token takes, of those that were given last.
    pub(super) async fn find_one(&self, dice: &mut Dice) -> Result<Duration> {
        // The oldest block may hold expired ones.
        let first = usize::from(self.issued.len() > 1);
        let blocks: Vec<_> = self.issued.iter().skip(first).collect();
        let (ids, _) = dice.choose(&blocks).context("nothing was issued")?;
        let id = TokenId::new(dice.between(*ids.start(), *ids.end()))?;
        let find = async { Ok(self.server.state.store.find_token(id).await?) };
        let (found, time) = timed(find).await?;
        found.with_context(|| format!("token {id} lives and is not found"))?;
        Ok(time)
    }
}
