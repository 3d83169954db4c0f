//! The oracle: what must be true of one grant, told by what was asked and what was answered, and
//! never by a look into the database.
//!
//! A request whose sender hung up may have been acted on or not, so some facts are known as a
//! [`Span`] until the next answer. Everything else is exact, because the clock stands still while
//! requests are under way.

use std::collections::VecDeque;

use anyhow::{Result, bail, ensure};
use tokenry_core::event::EventKind;
use tokenry_protocol::{
    ids::TokenId,
    time::{Seconds, Timestamp},
};

use super::span::Span;
use crate::http::Pair;

/// How many of the latest pairs are kept; the first one is kept as well, as the oldest to replay.
const PAIRS_KEPT: usize = 7;

/// What is known of a grant.
pub(super) struct Ledger {
    pub(super) id: TokenId,
    /// How long the previous refresh token gets the same answer.
    pub(super) window: Seconds,
    access_lifetime: Seconds,
    /// Its present rotation.
    pub(super) rotation: Span<u32>,
    /// When the present pair was given or renewed: its lifetimes and its window run from then.
    pub(super) given_at: Span<Timestamp>,
    /// The rotation of the last access token that was used, as the server knows it.
    pub(super) used: Span<u32>,
    unwritten: Unwritten,
    told: Told,
    /// In ascending order of rotation.
    pairs: VecDeque<Pair>,
    /// How and when it ended.
    pub(super) end: Option<(EventKind, Timestamp)>,
}

/// When it is certain that whoever decides knows of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// There is one server, and it has noted it.
    AtOnce,
    /// The node that noted it knows at once, and the others when it is in the database.
    OnceWritten,
}

/// Uses on their way to the database.
#[derive(Default)]
struct Unwritten {
    /// The last rotation whose use is in the database.
    written: u32,
    /// The rotation of a later use, and the tick in which it was noted.
    noted: Vec<(u32, u64)>,
}

/// Whether an access token holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    Alive,
    Dead,
    /// An answer that nobody heard decides.
    Unknown,
}

/// What presenting a refresh token must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The grant ends.
    Replay,
    /// The same tokens, or an end: a crash may have lost the use that decides.
    InDoubt,
    /// It is not an attack by the rules: the window is open, or nothing was used.
    Lawful,
}

/// One or two requests with the same refresh token, sent at once.
pub(super) struct Burst<'a> {
    /// The rotation of the refresh token that was presented.
    pub(super) presented: u32,
    /// The pairs that the server answered with, heard or not.
    pub(super) pairs: &'a [Pair],
    /// Whether one more request may have been acted on.
    pub(super) hung_up: HungUp,
}

/// Whether somebody hung up on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HungUp {
    Yes,
    No,
}

impl Ledger {
    /// A grant whose code was redeemed now.
    pub(super) fn new(
        pair: Pair,
        lifetimes: (Seconds, Seconds),
        now: Timestamp,
        told: Told,
    ) -> Result<Self> {
        let (window, access_lifetime) = lifetimes;
        ensure!(pair.rotation() == 1, "a redeemed code gave rotation {}", pair.rotation());
        let mut pairs = VecDeque::with_capacity(PAIRS_KEPT + 1);
        let id = TokenId::new(pair.access.parts().id)?;
        pairs.push_back(pair);
        Ok(Self {
            id,
            window,
            access_lifetime,
            rotation: Span::exactly(1),
            given_at: Span::exactly(now),
            used: Span::exactly(0),
            unwritten: Unwritten::default(),
            told,
            pairs,
            end: None,
        })
    }

    /// The pairs that are kept, oldest first.
    pub(super) fn pairs(&self) -> impl DoubleEndedIterator<Item = &Pair> {
        self.pairs.iter()
    }

    /// The pair of a rotation, if it is known and kept.
    pub(super) fn pair(&self, rotation: u32) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.rotation() == rotation)
    }

    /// Takes note of an honest refresh. Every answer must be the one successor of what was
    /// presented.
    pub(super) fn refreshed(&mut self, burst: &Burst<'_>, now: Timestamp) -> Result<()> {
        let next = burst.presented + 1;
        ensure!(
            self.rotation.holds(burst.presented) || self.rotation.holds(next),
            "the simulation itself erred: {} was presented at {:?}",
            burst.presented,
            self.rotation
        );
        for pair in burst.pairs {
            self.keep(pair, next)?;
        }
        let known = self.rotation.known();
        match (burst.pairs, burst.hung_up) {
            ([], HungUp::No) => {}
            ([], HungUp::Yes) if known == Some(burst.presented) => self.rotation.most = next,
            ([], HungUp::Yes) => self.given_at.most = now,
            _ if known == Some(burst.presented) => self.given_at = Span::exactly(now),
            _ if known == Some(next) => self.repeated(next, now),
            _ => self.given_at.most = now,
        }
        if !burst.pairs.is_empty() {
            self.rotation = Span::exactly(next);
        } else if self.rotation.known().is_none() {
            self.given_at.most = now;
        }
        Ok(())
    }

    /// The pair of this rotation was given again. Until half the window is over nothing is written
    /// then, nor is within the window once the pair was used; else everything starts anew.
    fn repeated(&mut self, rotation: u32, now: Timestamp) {
        let window = self.window.as_millis();
        let at_most = now.millis_since(self.given_at.least);
        let at_least = now.millis_since(self.given_at.most);
        let (is_used, may_be_used) = (self.used.least >= rotation, self.used.most >= rotation);
        if at_most <= window / 2 || is_used {
            return;
        }
        if at_least > window || (at_least > window / 2 && !may_be_used) {
            self.given_at = Span::exactly(now);
        } else {
            self.given_at.most = now;
        }
    }

    /// One pair a rotation, whoever asks and however often.
    fn keep(&mut self, pair: &Pair, expected: u32) -> Result<()> {
        let rotation = pair.rotation();
        ensure!(rotation == expected, "rotation {rotation} was given instead of {expected}");
        if let Some(known) = self.pair(rotation) {
            ensure!(known.is_same(pair), "two different pairs were given for rotation {rotation}");
            return Ok(());
        }
        self.pairs.push_back(pair.clone());
        if self.pairs.len() > PAIRS_KEPT {
            self.pairs.remove(1);
        }
        Ok(())
    }

    /// Takes note of a use of this rotation's access token.
    pub(super) fn used(&mut self, rotation: u32, tick: u64) {
        if self.told == Told::AtOnce {
            self.used.least = self.used.least.max(rotation);
        }
        self.used.most = self.used.most.max(rotation);
        let is_news = self.unwritten.noted.last().is_none_or(|(last, _)| *last < rotation);
        if is_news && self.unwritten.written < rotation {
            self.unwritten.noted.push((rotation, tick));
        }
    }

    /// Every use up to this tick is in the database.
    pub(super) fn written(&mut self, through: u64) {
        let Unwritten { written, noted } = &mut self.unwritten;
        noted.retain(|(rotation, tick)| {
            if *tick <= through {
                *written = (*written).max(*rotation);
            }
            *tick > through
        });
        self.used.least = self.used.least.max(*written);
    }

    /// A crash: uses that were not written may be lost.
    pub(super) fn crashed(&mut self, written_through: u64) {
        self.written(written_through);
        self.used.least = self.unwritten.written;
        self.unwritten.noted.clear();
    }

    /// Whether an access token of this rotation holds.
    pub(super) fn liveness(&self, rotation: u32, now: Timestamp) -> Liveness {
        if self.end.is_some() || !self.rotation.holds(rotation) {
            return Liveness::Dead;
        }
        let expires_at = |given_at: Timestamp| given_at.plus(self.access_lifetime);
        match self.rotation.known() {
            Some(_) if now < expires_at(self.given_at.least) => Liveness::Alive,
            Some(_) if now >= expires_at(self.given_at.most) => Liveness::Dead,
            _ => Liveness::Unknown,
        }
    }

    /// What a stranger who presents the refresh token of this rotation must come to.
    pub(super) fn judge(&self, presented: u32, now: Timestamp) -> Verdict {
        if presented + 1 < self.rotation.least {
            return Verdict::Replay;
        }
        let window_over = now.millis_since(self.given_at.most) > self.window.as_millis();
        match self.rotation.known() {
            Some(present) if presented + 1 == present && window_over => {
                if self.used.least >= present {
                    Verdict::Replay
                } else if self.used.most >= present {
                    Verdict::InDoubt
                } else {
                    Verdict::Lawful
                }
            }
            _ => Verdict::Lawful,
        }
    }

    /// Takes note of its end.
    pub(super) fn ended(&mut self, how: EventKind, now: Timestamp) -> Result<()> {
        if let Some((before, _)) = self.end {
            bail!("it ended twice: {before:?} and {how:?}");
        }
        self.end = Some((how, now));
        Ok(())
    }
}
