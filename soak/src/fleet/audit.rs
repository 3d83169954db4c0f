//! The oracle and the database, row for row.

use anyhow::{Context as _, Result, ensure};
use tokenry_core::grant::Token;
use tokenry_store::TokenFilter;

use super::{
    ledger::Ledger,
    member::{Member, Tick},
};

/// How many records were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audit {
    /// Grants that live.
    pub alive: u64,
    /// Grants that ended.
    pub ended: u64,
}

/// Compares every grant that there ever was.
pub(super) async fn audit(members: &[Member], tick: &Tick) -> Result<Audit> {
    let mut audit = Audit::default();
    for member in members {
        for ledger in &member.past {
            check_ended(ledger, tick).await.with_context(|| format!("grant {}", ledger.id))?;
            audit.ended += 1;
        }
        if let Some(held) = &member.held {
            let id = held.ledger.id;
            check_alive(&held.ledger, member, tick).await.with_context(|| format!("grant {id}"))?;
            audit.alive += 1;
        }
    }
    let store = &tick.nodes.any()?.state.store;
    let rows = store.count_tokens(TokenFilter::default(), u32::MAX, tick.now).await?;
    ensure!(
        u64::from(rows) == audit.alive,
        "the database lists {rows} records, the oracle {}",
        audit.alive
    );
    Ok(audit)
}

async fn check_ended(ledger: &Ledger, tick: &Tick) -> Result<()> {
    let store = &tick.nodes.any()?.state.store;
    ensure!(store.find_token(ledger.id).await?.is_none(), "it ended, and its row is there");
    let events = store.list_events(ledger.id).await?;
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.at)).collect();
    let expected: Vec<_> = ledger.end.into_iter().collect();
    ensure!(told == expected, "events {told:?}, expected {expected:?}");
    Ok(())
}

async fn check_alive(ledger: &Ledger, member: &Member, tick: &Tick) -> Result<()> {
    let store = &tick.nodes.any()?.state.store;
    let token = store.find_token(ledger.id).await?.context("it lives, and its row is gone")?;
    let events = store.list_events(ledger.id).await?;
    ensure!(events.is_empty(), "it lives, and there are events: {events:?}");
    ensure!(token.client_id == member.client.record.id, "its client is {}", token.client_id);
    ensure!(token.user_id == member.user, "its user is {}", token.user_id);
    check_row(ledger, &token)
}

fn check_row(ledger: &Ledger, token: &Token) -> Result<()> {
    let issued = token.issued().context("its code is not redeemed")?;
    let refresh = issued.refresh.as_ref().context("it has no refresh token")?;
    let rotation = issued.rotation;
    ensure!(ledger.rotation.holds(rotation), "rotation {rotation}: {:?}", ledger.rotation);
    let (used, expected) = (issued.used_rotation, ledger.used);
    ensure!(expected.holds(used), "used {used}, expected {expected:?}");
    let (given_at, expected) = (issued.access.issued_at, ledger.given_at);
    ensure!(expected.holds(given_at), "given at {given_at:?}, expected {expected:?}");
    if let Some(pair) = ledger.pair(rotation) {
        ensure!(issued.access.hash.matches(&pair.access.hash()), "another access token");
        ensure!(refresh.hash.matches(&pair.refresh.hash()), "another refresh token");
    } else {
        ensure!(ledger.rotation.known().is_none(), "the pair of its rotation is not known");
    }
    match (rotation.checked_sub(1).and_then(|before| ledger.pair(before)), &refresh.previous) {
        (Some(pair), Some(previous)) => {
            ensure!(previous.hash.matches(&pair.refresh.hash()), "another previous token");
        }
        (Some(_), None) => anyhow::bail!("the previous refresh token is forgotten"),
        (None, _) => {}
    }
    Ok(())
}
