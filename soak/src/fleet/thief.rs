//! Thieves: whoever presents a refresh token that the client has left behind ends the grant, and
//! the client finds out whoever was faster than it.

use anyhow::{Context as _, Result, bail, ensure};
use tokenry_core::event::EventKind;

use super::{
    ledger::{Burst, HungUp, Ledger, Verdict},
    member::{Held, Member, Theft, Tick, use_token},
};
use crate::http::{Answer, Pair};

/// Of a thousand times that a client acts, how often a thief comes first.
const THEFTS: u64 = 5;
/// The same when a crash has lost the use that would tell.
const THEFTS_IN_DOUBT: u64 = 300;

impl Member {
    /// Whether a thief has done something, so that the client has to wait and see.
    pub(super) async fn is_robbed(&mut self, held: &mut Held, tick: &Tick) -> Result<bool> {
        match held.theft {
            Theft::Overtaken => return self.find_out(held, tick).await.map(|()| true),
            Theft::Waiting { rotation } => return self.strike_again(held, rotation, tick).await,
            Theft::None => {}
        }
        let in_doubt = previous(&held.ledger)
            .filter(|pair| held.ledger.judge(pair.rotation(), tick.now) == Verdict::InDoubt);
        if let Some(pair) = in_doubt.cloned() {
            let strikes = self.dice.happens(THEFTS_IN_DOUBT);
            return if strikes { self.strike(held, &pair, tick).await } else { Ok(false) };
        }
        if !self.dice.happens(THEFTS) {
            return Ok(false);
        }
        if held.asked.is_none() && self.dice.happens(300) {
            return self.overtake(held, tick).await.map(|()| true);
        }
        let is_replay =
            |pair: &&Pair| held.ledger.judge(pair.rotation(), tick.now) == Verdict::Replay;
        let stolen: Vec<Pair> = held.ledger.pairs().filter(is_replay).cloned().collect();
        let chosen = if self.dice.happens(500) { stolen.last() } else { self.dice.choose(&stolen) };
        match chosen {
            Some(pair) => self.strike(held, pair, tick).await,
            None => Ok(false),
        }
    }

    /// Presents a refresh token that the client has left behind.
    async fn strike(&mut self, held: &mut Held, stolen: &Pair, tick: &Tick) -> Result<bool> {
        let answer = tick.send(self.client.refresh(&stolen.refresh)?).await?;
        match (held.ledger.judge(stolen.rotation(), tick.now), answer.pair()) {
            (Verdict::Replay, None) => {
                match held.ledger.rotation.least.checked_sub(stolen.rotation()) {
                    Some(1) => self.tally.previous_replayed += 1,
                    _ => self.tally.older_replayed += 1,
                }
                self.caught(held, &answer, tick).await.context("a replay")?;
            }
            (Verdict::InDoubt, None) => self.caught(held, &answer, tick).await?,
            (Verdict::InDoubt, Some(pair)) => self.excepted(held, stolen, &pair, tick)?,
            (verdict, _) => bail!(
                "a replay of rotation {} at {:?}, used {:?}, is {verdict:?} and was answered \
                 {answer}",
                stolen.rotation(),
                held.ledger.rotation,
                held.ledger.used
            ),
        }
        Ok(true)
    }

    /// The thief got what the client has, and uses it at the next step of the chain.
    fn excepted(
        &mut self,
        held: &mut Held,
        stolen: &Pair,
        given: &Pair,
        tick: &Tick,
    ) -> Result<()> {
        self.tally.excepted += 1;
        let pairs = std::slice::from_ref(given);
        let burst = Burst { presented: stolen.rotation(), pairs, hung_up: HungUp::No };
        held.ledger.refreshed(&burst, tick.now)?;
        held.theft = Theft::Waiting { rotation: given.rotation() };
        Ok(())
    }

    /// As soon as the client has gone on from what the thief has, presenting it is a replay.
    async fn strike_again(&mut self, held: &mut Held, rotation: u32, tick: &Tick) -> Result<bool> {
        let pair = held.ledger.pair(rotation).context("a stolen pair is not kept")?.clone();
        if held.ledger.judge(rotation, tick.now) != Verdict::Replay {
            return Ok(false);
        }
        self.strike(held, &pair, tick).await
    }

    /// A thief refreshes with the token that the client holds, and uses the new access token.
    async fn overtake(&mut self, held: &mut Held, tick: &Tick) -> Result<()> {
        let answer = tick.send(self.client.refresh(&held.stored.refresh)?).await?;
        let Some(pair) = answer.pair() else { bail!("the present token was refused: {answer}") };
        let presented = held.stored.rotation();
        let pairs = std::slice::from_ref(&pair);
        held.ledger.refreshed(&Burst { presented, pairs, hung_up: HungUp::No }, tick.now)?;
        let is_alive = use_token(&mut held.ledger, &pair, tick).await?;
        ensure!(is_alive, "new tokens are dead");
        held.theft = Theft::Overtaken;
        Ok(())
    }

    /// The client that was overtaken refreshes, and thereby ends the thief's grant.
    async fn find_out(&mut self, held: &mut Held, tick: &Tick) -> Result<()> {
        let verdict = held.ledger.judge(held.stored.rotation(), tick.now);
        let answer = tick.send(self.client.refresh(&held.stored.refresh)?).await?;
        match (verdict, answer.pair()) {
            (Verdict::Replay, None) => {
                self.tally.overtaken += 1;
                self.caught(held, &answer, tick).await.context("an overtaken client")
            }
            (Verdict::InDoubt, None) => self.caught(held, &answer, tick).await,
            (Verdict::InDoubt, Some(pair)) => {
                let stolen = held.stored.clone();
                self.excepted(held, &stolen, &pair, tick)?;
                held.stored = pair;
                Ok(())
            }
            _ => bail!("an overtaken client ({verdict:?}) was answered {answer}"),
        }
    }

    /// The grant is dead: its row, all its tokens; and it is remembered why.
    async fn caught(&mut self, held: &mut Held, answer: &Answer, tick: &Tick) -> Result<()> {
        ensure!(answer.is_invalid_grant(), "it was answered {answer}");
        held.ledger.ended(EventKind::RefreshTokenReplayed, tick.now)?;
        let (id, store) = (held.ledger.id, &tick.nodes.any()?.state.store);
        ensure!(store.find_token(id).await?.is_none(), "the record is still there");
        let events = store.list_events(id).await?;
        let is_remembered =
            events.iter().any(|event| event.kind == EventKind::RefreshTokenReplayed);
        ensure!(is_remembered, "no event tells of it: {events:?}");
        self.look(&held.ledger, tick).await?;
        let last = held.ledger.pairs().next_back().context("a grant without pairs")?;
        let answer = tick.send(self.client.refresh(&last.refresh)?).await?;
        ensure!(answer.is_invalid_grant(), "its last refresh token was answered {answer}");
        Ok(())
    }
}

fn previous(ledger: &Ledger) -> Option<&Pair> {
    ledger.pair(ledger.rotation.known()?.checked_sub(1)?)
}
