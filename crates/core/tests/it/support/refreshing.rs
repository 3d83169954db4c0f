//! A grant whose tokens are out, and the requests to refresh them.

use std::time::Duration;

use tokenry_core::{
    client_authentication::AuthenticatedClient,
    grant::{Stage, Token},
    grant_types::refresh_token::{Refresh, refresh},
    issue::IssuedTokens,
};
use tokenry_protocol::{oauth::token::Wishes, secret::Credential};

use super::{Redeeming, World};

/// A pair of tokens in a client's hands.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) access: Credential,
    pub(crate) refresh: Credential,
}

impl Pair {
    pub(crate) fn of(answer: &IssuedTokens) -> Self {
        Self {
            access: answer.access_token.clone(),
            refresh: answer.refresh_token.as_ref().unwrap().0.clone(),
        }
    }
}

/// The record at rest, and the pair that was given out last.
pub(crate) struct Grant {
    pub(crate) world: World,
    pub(crate) token: Token,
    pub(crate) pair: Pair,
}

impl Grant {
    /// `read write` of a confidential client, a moment after the code was redeemed.
    pub(crate) fn new() -> Self {
        Self::of(World::confidential(), "read write")
    }

    pub(crate) fn of(world: World, scope: &str) -> Self {
        Self::after(Redeeming::of(world, scope))
    }

    /// A moment after this request to redeem.
    pub(crate) fn after(mut redeeming: Redeeming) -> Self {
        let answer = redeeming.spend();
        Self { world: redeeming.world, token: redeeming.token, pair: Pair::of(&answer) }
    }

    /// The decision; the record stays as it is.
    pub(crate) fn ask(&self, presented: &Credential, wishes: &Wishes) -> Refresh {
        self.ask_as(&self.world.proved(), presented, wishes)
    }

    pub(crate) fn ask_as(
        &self,
        client: &AuthenticatedClient,
        presented: &Credential,
        wishes: &Wishes,
    ) -> Refresh {
        let world = &self.world;
        let asked = (presented, wishes);
        let circumstances = world.circumstances();
        refresh(client, Some(&self.token), world.user.as_ref(), asked, &circumstances)
    }

    /// The decision in a word or two, for tables.
    pub(crate) fn outcome(&self, presented: &Credential) -> String {
        outcome(&self.ask(presented, &Wishes::NONE))
    }

    pub(crate) fn outcome_for(&self, presented: &Credential, wishes: &Wishes) -> String {
        outcome(&self.ask(presented, wishes))
    }

    /// What the store does when its condition holds.
    pub(crate) fn commit(&mut self, refresh: &Refresh) {
        let issued = match refresh {
            Refresh::Rotate { write, .. } => write.issued(),
            Refresh::Renew { write, .. } => write.issued(),
            Refresh::Repeat(_) | Refresh::Replay(_) | Refresh::Refuse(_) => return,
        };
        self.token.stage = Stage::Issued(issued.clone());
    }

    /// Asks and commits.
    pub(crate) fn send(&mut self, presented: &Credential, wishes: &Wishes) -> IssuedTokens {
        let refresh = self.ask(presented, wishes);
        self.commit(&refresh);
        match refresh {
            Refresh::Rotate { answer, .. }
            | Refresh::Renew { answer, .. }
            | Refresh::Repeat(answer) => answer,
            other => panic!("no tokens were given: {other:?}"),
        }
    }

    /// An ordinary refresh; the pair that it replaced.
    pub(crate) fn rotate(&mut self) -> Pair {
        self.rotate_for(&Wishes::NONE).0
    }

    pub(crate) fn rotate_for(&mut self, wishes: &Wishes) -> (Pair, IssuedTokens) {
        let before = self.pair.clone();
        assert_eq!(self.outcome_for(&before.refresh, wishes), "rotate");
        let answer = self.send(&before.refresh, wishes);
        self.pair = Pair::of(&answer);
        (before, answer)
    }

    /// The access token that is valid now authenticates a call.
    pub(crate) fn use_access_token(&mut self) {
        let now = self.world.now;
        if let Stage::Issued(issued) = &mut self.token.stage {
            issued.overlay(now, issued.rotation);
        }
    }

    pub(crate) fn wait(&mut self, span: Duration) {
        self.world.wait(span);
    }
}

pub(crate) fn outcome(refresh: &Refresh) -> String {
    match refresh {
        Refresh::Rotate { .. } => "rotate".to_owned(),
        Refresh::Repeat(_) => "repeat".to_owned(),
        Refresh::Renew { .. } => "renew".to_owned(),
        Refresh::Replay(_) => "replay".to_owned(),
        Refresh::Refuse(rejection) => format!("refuse: {}", rejection.as_str()),
    }
}
