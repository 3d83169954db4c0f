//! A careful client: it keeps its refresh token until the new tokens are stored, and tries again
//! until it hears an answer.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use axum::body::Body;
use http::Request;
use tokenry_core::event::EventKind;
use tokenry_protocol::{
    ids::UserId,
    redirect_uri::ClientKind,
    time::{Seconds, Timestamp},
};

use super::{
    ledger::{Burst, HungUp, Ledger, Liveness},
    network::{Delivery, Fate, deliver},
    nodes::Nodes,
    tally::Tally,
};
use crate::{
    cast::RegisteredClient,
    environment::Dice,
    http::{Answer, Pair, current},
};

const DAY: u64 = 86_400_000;
/// The longest time between two ticks, which a second tab may be late by.
const TICK_MAX: i64 = 2_000;

/// A moment at which the clock stands still.
pub(super) struct Tick {
    pub(super) number: u64,
    pub(super) now: Timestamp,
    pub(super) nodes: Arc<Nodes>,
}

impl Tick {
    /// Sends a request to one of the nodes.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Answer> {
        self.nodes.any()?.send(request).await
    }

    /// The same where the answer is to be that a token is dead: the node has heard of it.
    async fn send_informed(&self, request: Request<Body>) -> Result<Answer> {
        let node = self.nodes.any()?;
        self.nodes.inform(node).await?;
        node.send(request).await
    }
}

/// A client with its grant, and what is known of it.
pub(super) struct Member {
    pub(super) client: Arc<RegisteredClient>,
    pub(super) user: UserId,
    pub(super) dice: Dice,
    pub(super) held: Option<Held>,
    /// When it acts next.
    pub(super) wakes_at: Timestamp,
    /// Grants of its that are over.
    pub(super) past: Vec<Ledger>,
    pub(super) tally: Tally,
}

/// A grant as its client has it.
pub(super) struct Held {
    pub(super) ledger: Ledger,
    /// What the client has stored.
    pub(super) stored: Pair,
    /// A refresh whose answer it waits for: when it was first asked, and how often since.
    pub(super) asked: Option<(Timestamp, u32)>,
    /// A second tab that still has the previous refresh token, and until when it may use it.
    pub(super) second_tab: Option<(Pair, Timestamp)>,
    pub(super) theft: Theft,
}

/// What a thief has of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theft {
    /// Nothing that anybody knows of.
    None,
    /// The thief has refreshed with the token that the client holds.
    Overtaken,
    /// The thief has a pair, given because a crash had lost a use, and waits to use it.
    Waiting { rotation: u32 },
}

impl Member {
    /// Somebody who has not signed in yet.
    pub(super) fn new(
        client: Arc<RegisteredClient>,
        user: UserId,
        dice: Dice,
        now: Timestamp,
    ) -> Self {
        let (past, tally) = (Vec::new(), Tally::default());
        Self { client, user, dice, held: None, wakes_at: now, past, tally }
    }

    /// Does one thing and says when to do the next.
    pub(super) async fn step(&mut self, tick: &Tick) -> Result<()> {
        let wait = self.act(tick).await?;
        self.wakes_at = Timestamp::from_millis(tick.now.as_millis() + i64::try_from(wait)?);
        Ok(())
    }

    async fn act(&mut self, tick: &Tick) -> Result<u64> {
        let Some(mut held) = self.held.take() else {
            self.held = Some(self.sign_in(tick).await?);
            return Ok(self.pause());
        };
        let wait = self.go_on(&mut held, tick).await;
        let wait = wait.with_context(|| format!("grant {}", held.ledger.id))?;
        if held.ledger.end.is_some() {
            self.past.push(held.ledger);
        } else {
            self.held = Some(held);
        }
        Ok(wait)
    }

    async fn go_on(&mut self, held: &mut Held, tick: &Tick) -> Result<u64> {
        if let Some((previous, until)) = held.second_tab.take() {
            if tick.now <= until {
                self.tally.second_tabs += 1;
                self.send(held, &previous, &[Fate::Arrives], tick).await?;
            }
            return Ok(self.pause());
        }
        if self.is_robbed(held, tick).await? {
            return Ok(self.pause_after_theft(held));
        }
        if held.asked.is_some() {
            return self.refresh(held, tick).await;
        }
        if self.dice.happens(1) {
            return self.give_up(held, tick).await.map(|()| self.pause());
        }
        let is_alive = self.use_stored(held, tick).await?;
        if !is_alive || self.dice.happens(800) {
            return self.refresh(held, tick).await;
        }
        Ok(self.pause())
    }

    fn pause(&mut self) -> u64 {
        self.dice.between(2_000, 30_000)
    }

    /// The client comes back when the window in which it would be answered again is over.
    fn pause_after_theft(&mut self, held: &Held) -> u64 {
        match held.theft {
            Theft::Overtaken => {
                u64::from(held.ledger.window.0) * 1_000 + self.dice.between(1, 60_000)
            }
            _ => self.pause(),
        }
    }

    async fn sign_in(&mut self, tick: &Tick) -> Result<Held> {
        let server = tick.nodes.any()?;
        let code = server.consent(&self.client, self.user).await?;
        let answer = tick.send(self.client.redeem(&code)?).await?;
        let Some(pair) = answer.pair() else { bail!("a code was refused: {answer}") };
        self.tally.sign_ins += 1;
        let policy = &server.state.policy;
        let lifetime = policy.access_token_lifetime.context("access tokens do not expire")?;
        let lifetimes = (self.client.window(server), lifetime);
        Ok(Held {
            ledger: Ledger::new(pair.clone(), lifetimes, tick.now, tick.nodes.told())?,
            stored: pair,
            asked: None,
            second_tab: None,
            theft: Theft::None,
        })
    }

    /// Calls an API with the access token that it has; whether it was let in.
    async fn use_stored(&mut self, held: &mut Held, tick: &Tick) -> Result<bool> {
        self.tally.uses += 1;
        use_token(&mut held.ledger, &held.stored, tick).await
    }

    /// One attempt: once or twice at once, with a call of the API beside it now and then.
    async fn refresh(&mut self, held: &mut Held, tick: &Tick) -> Result<u64> {
        let (first_asked, attempts) = held.asked.unwrap_or((tick.now, 0));
        held.asked = Some((first_asked, attempts + 1));
        let mut fates = vec![Fate::throw(&mut self.dice)];
        if self.dice.happens(100) {
            self.tally.sent_twice += 1;
            fates.push(Fate::throw(&mut self.dice));
        }
        let presented = held.stored.clone();
        let heard = self.send(held, &presented, &fates, tick).await?;
        let Some(new) = heard else { return Ok(self.try_again_in(attempts)) };
        if self.dice.happens(20) {
            self.tally.restarts += 1;
            return Ok(self.try_again_in(attempts));
        }
        self.tally.refreshes += 1;
        held.stored = new;
        held.asked = None;
        let window = held.ledger.window;
        let half = Seconds(window.0 / 2);
        // A copy that was late is answered as long as one that came right after the first.
        let until = first_asked.plus(window).max(tick.now.plus(half));
        let latest = u64::try_from(until.millis_since(tick.now) - TICK_MAX).unwrap_or(0);
        if latest > 500 && self.dice.happens(30) {
            // The new tokens are in use by then: the window holds whatever was done with them.
            self.use_stored(held, tick).await?;
            held.second_tab = Some((presented, until));
            return Ok(self.dice.between(500, latest));
        }
        Ok(self.pause())
    }

    /// A little longer each time; now and then the lid is closed until tomorrow.
    fn try_again_in(&mut self, attempts: u32) -> u64 {
        if self.dice.happens(50) {
            self.tally.naps += 1;
            return DAY + self.dice.between(0, DAY / 4);
        }
        let longest = 1_000_u64 << attempts.min(7);
        self.dice.between(longest / 2, longest)
    }

    /// Presents a refresh token as often as there are fates, at once. The pair that was heard.
    ///
    /// An honest client is never refused: that would be a forced sign-in.
    async fn send(
        &mut self,
        held: &mut Held,
        presented: &Pair,
        fates: &[Fate],
        tick: &Tick,
    ) -> Result<Option<Pair>> {
        let mut sent = Vec::new();
        for fate in fates {
            let request = self.client.refresh(&presented.refresh)?;
            sent.push(tokio::spawn(deliver(Arc::clone(tick.nodes.any()?), request, *fate)));
        }
        // Another thread of the client calls an API meanwhile: the old access token may still hold.
        if self.dice.happens(250) && held.stored.rotation() == presented.rotation() {
            self.tally.uses += 1;
            use_meanwhile(&mut held.ledger, &held.stored, tick).await?;
        }
        let (mut heard, mut pairs, mut hung_up) = (None, Vec::new(), HungUp::No);
        for sent in sent {
            self.tally.requests += 1;
            let (answer, is_heard) = match sent.await?? {
                Delivery::Heard(answer) => (answer, true),
                Delivery::Unheard(answer) => {
                    self.tally.answers_lost += 1;
                    (answer, false)
                }
                Delivery::NeverArrived => {
                    self.tally.requests_lost += 1;
                    continue;
                }
                Delivery::Unknown => {
                    self.tally.broken_off += 1;
                    hung_up = HungUp::Yes;
                    continue;
                }
            };
            if answer.is_unavailable() {
                self.tally.unavailable += 1;
                hung_up = HungUp::Yes;
                continue;
            }
            let Some(pair) = answer.pair() else {
                bail!(
                    "a forced sign-in: rotation {} was presented, {answer}; the ledger says \
                     rotation {:?}, used {:?}",
                    presented.rotation(),
                    held.ledger.rotation,
                    held.ledger.used
                );
            };
            heard = heard.or_else(|| is_heard.then(|| pair.clone()));
            pairs.push(pair);
        }
        let burst = Burst { presented: presented.rotation(), pairs: &pairs, hung_up };
        held.ledger.refreshed(&burst, tick.now)?;
        self.look(&held.ledger, tick).await?;
        Ok(heard)
    }

    /// At most one access token of a grant lives, and it is the right one. Looking is no use.
    pub(super) async fn look(&mut self, ledger: &Ledger, tick: &Tick) -> Result<()> {
        let mut alive = 0;
        for pair in ledger.pairs() {
            let expected = ledger.liveness(pair.rotation(), tick.now);
            let found = match self.client.record.kind() {
                ClientKind::Confidential => {
                    let request = self.client.introspect(&pair.access)?;
                    let answer = tick.send_informed(request).await?;
                    match answer.is_active() {
                        Some(true) => Liveness::Alive,
                        Some(false) => Liveness::Dead,
                        None => bail!("introspection answered {answer}"),
                    }
                }
                // A public client cannot introspect, and a call with a token that lives is a use.
                ClientKind::Public if expected == Liveness::Dead => {
                    liveness(&tick.send_informed(current(&pair.access)?).await?)?
                }
                ClientKind::Public => continue,
            };
            self.tally.looks += 1;
            check_liveness(expected, found, pair)?;
            alive += u32::from(found == Liveness::Alive);
        }
        ensure!(alive <= 1, "{alive} access tokens live at once");
        Ok(())
    }

    /// The client signs itself out (RFC 7009).
    async fn give_up(&mut self, held: &mut Held, tick: &Tick) -> Result<()> {
        let answer = tick.send(self.client.revoke(&held.stored.refresh)?).await?;
        ensure!(answer.status == 200, "a revocation was answered {answer}");
        // If the stored token is not the present one there was nothing to end.
        if held.ledger.rotation.known() != Some(held.stored.rotation()) {
            return Ok(());
        }
        held.ledger.ended(EventKind::Revoked, tick.now)?;
        self.tally.revoked += 1;
        self.look(&held.ledger, tick).await
    }
}

fn check_liveness(expected: Liveness, found: Liveness, pair: &Pair) -> Result<()> {
    match (expected, found) {
        (Liveness::Alive, Liveness::Dead) => bail!("access token {} is dead", pair.rotation()),
        (Liveness::Dead, Liveness::Alive) => bail!("access token {} lives", pair.rotation()),
        _ => Ok(()),
    }
}

/// Calls an API and compares with what must be.
pub(super) async fn use_token(ledger: &mut Ledger, pair: &Pair, tick: &Tick) -> Result<bool> {
    let expected = ledger.liveness(pair.rotation(), tick.now);
    let found = knock(pair, tick).await?;
    check_liveness(expected, found, pair)?;
    let is_alive = found == Liveness::Alive;
    if is_alive {
        ledger.used(pair.rotation(), tick.number);
    }
    Ok(is_alive)
}

/// The same while a refresh is under way, which may end the token at any moment.
async fn use_meanwhile(ledger: &mut Ledger, pair: &Pair, tick: &Tick) -> Result<()> {
    let before = ledger.liveness(pair.rotation(), tick.now);
    if knock(pair, tick).await? == Liveness::Alive {
        ensure!(before != Liveness::Dead, "access token {} lives", pair.rotation());
        ledger.used(pair.rotation(), tick.number);
    }
    Ok(())
}

/// Calls an API: 200 or 401.
async fn knock(pair: &Pair, tick: &Tick) -> Result<Liveness> {
    liveness(&tick.send(current(&pair.access)?).await?)
}

fn liveness(answer: &Answer) -> Result<Liveness> {
    match answer.status {
        200 => Ok(Liveness::Alive),
        401 => Ok(Liveness::Dead),
        _ => bail!("a call with an access token was answered {answer}"),
    }
}
