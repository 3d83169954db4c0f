//! Tokens: a grant's one row, its code included. Every write carries its condition.

use rusqlite::{Connection, params};
use tokenry_core::{
    early_expiry::EarlyExpiry,
    grant::{Consented, Issued, SentTo, Stage, Token},
    grant_types::{
        authorization_code::{CodeRedemption, WrongVerifier},
        refresh_token::{RepeatRenewal, TokenRotation},
    },
    revocation::GrantEnd,
};
use tokenry_protocol::{ids::TokenId, pkce::CodeChallenge, time::Timestamp};

use super::{changes, events, listings, rows, session::Session};
use crate::{
    ChangedRecord, Conditional, Result, TokenUse, WrongVerifierCount,
    columns::{
        ReadColumns as _,
        tokens::{read, token_columns},
    },
    words,
};

pub(super) const FIND: &str = concat!("SELECT ", token_columns!(), " FROM tokens WHERE id = ?");

/// By id, whatever its stage.
pub(super) fn find(session: &Session<'_>, id: TokenId) -> Result<Option<Token>> {
    session.find_token.find([id.get()], |columns| read(columns))
}

/// Adds a record.
pub(super) fn insert(session: &Session<'_>, token: &Token) -> Result<()> {
    match &token.stage {
        Stage::Consented(consented) => insert_consented(session, token, consented)?,
        Stage::Issued(issued) => insert_issued(session, token, issued)?,
    }
    listings::list_if_late(session, token)
}

fn insert_consented(connection: &Connection, token: &Token, consented: &Consented) -> Result<()> {
    let insertion = "INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, \
        granted, hash, code_expires_at, redirect_uri, redirect_uri_named, challenge, \
        wrong_verifiers) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        token.id.get(),
        token.client_id.get(),
        token.user_id.get(),
        words::origin(token.origin),
        token.created_at.as_millis(),
        token.granted.to_string(),
        consented.code_hash.as_bytes(),
        consented.expires_at.as_millis(),
        consented.redirect_uri.address(),
        matches!(consented.redirect_uri, SentTo::Named(_)),
        consented.challenge.as_ref().map(CodeChallenge::as_str),
        consented.wrong_verifiers,
    ];
    rows::write(connection, insertion, values)?;
    Ok(())
}

pub(super) const INSERT_ISSUED: &str = "INSERT INTO tokens (id, client_id, user_id, origin, \
    rotation, created_at, granted, hash, scope, issued_at, access_lifetime, refresh_hash, \
    refresh_expires_at, refresh_lifetime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

fn insert_issued(session: &Session<'_>, token: &Token, issued: &Issued) -> Result<()> {
    // What repeats is NULL.
    let scope = (issued.scope != token.granted).then(|| issued.scope.to_string());
    let refresh = issued.refresh.as_ref();
    let values = params![
        token.id.get(),
        token.client_id.get(),
        token.user_id.get(),
        words::origin(token.origin),
        issued.rotation,
        token.created_at.as_millis(),
        token.granted.to_string(),
        issued.access.hash.as_bytes(),
        scope,
        issued.access.issued_at.as_millis(),
        issued.access.lifetime.map(|lifetime| lifetime.0),
        refresh.map(|refresh| refresh.hash.as_bytes()),
        refresh.map(|refresh| refresh.expires_at.as_millis()),
        refresh.map(|refresh| refresh.lifetime.0),
    ];
    session.insert_issued.write(values)?;
    Ok(())
}

/// Turns a code into tokens: rotation 0 into 1.
pub(super) fn redeem(connection: &Connection, write: &CodeRedemption) -> Result<Conditional> {
    let redemption = "UPDATE tokens SET rotation = ?2, hash = ?3, scope = nullif(?4, granted), \
        issued_at = ?5, access_lifetime = ?6, refresh_hash = ?7, refresh_expires_at = ?8, \
        refresh_lifetime = ?9, code_expires_at = NULL, redirect_uri = NULL, \
        redirect_uri_named = NULL, challenge = NULL, wrong_verifiers = NULL \
        WHERE id = ?1 AND rotation = 0";
    let issued = write.issued();
    let refresh = issued.refresh.as_ref();
    let values = params![
        write.id().get(),
        issued.rotation,
        issued.access.hash.as_bytes(),
        issued.scope.to_string(),
        issued.access.issued_at.as_millis(),
        issued.access.lifetime.map(|lifetime| lifetime.0),
        refresh.map(|refresh| refresh.hash.as_bytes()),
        refresh.map(|refresh| refresh.expires_at.as_millis()),
        refresh.map(|refresh| refresh.lifetime.0),
    ];
    rows::write_if(connection, redemption, values)
}

pub(super) const ROTATE: &str = "UPDATE tokens SET rotation = ?3, hash = ?4, \
    scope = nullif(?5, granted), issued_at = ?6, access_lifetime = ?7, refresh_hash = ?8, \
    refresh_expires_at = ?9, refresh_lifetime = ?10, previous_hash = ?11, rotated_at = ?12, \
    salt = ?13, key_number = ?14 WHERE id = ?1 AND rotation = ?2";

/// Replaces both tokens. Uses are left alone: they are noted by themselves.
pub(super) fn rotate(session: &Session<'_>, write: &TokenRotation) -> Result<Conditional> {
    let issued = write.issued();
    let refresh = issued.refresh.as_ref();
    let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
    let values = params![
        write.id().get(),
        write.from_rotation(),
        issued.rotation,
        issued.access.hash.as_bytes(),
        issued.scope.to_string(),
        issued.access.issued_at.as_millis(),
        issued.access.lifetime.map(|lifetime| lifetime.0),
        refresh.map(|refresh| refresh.hash.as_bytes()),
        refresh.map(|refresh| refresh.expires_at.as_millis()),
        refresh.map(|refresh| refresh.lifetime.0),
        previous.map(|previous| previous.hash.as_bytes()),
        previous.map(|previous| previous.rotated_at.as_millis()),
        previous.map(|previous| previous.salt.as_slice()),
        previous.map(|previous| previous.key_number),
    ];
    session.rotate_token.write_if(values)
}

/// Starts lifetimes and window anew, unless the pair was rotated or used in the meantime. A use
/// that the decision knew and the row does not know yet is no obstacle.
pub(super) fn renew(connection: &Connection, write: &RepeatRenewal) -> Result<Conditional> {
    let renewal = "UPDATE tokens SET issued_at = ?4, refresh_expires_at = ?5, rotated_at = ?6, \
        access_lifetime = ?7, refresh_lifetime = ?8 \
        WHERE id = ?1 AND rotation = ?2 AND coalesce(used_rotation, 0) <= ?3";
    let issued = write.issued();
    let refresh = issued.refresh.as_ref();
    let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
    let values = params![
        write.id().get(),
        issued.rotation,
        issued.used_rotation,
        issued.access.issued_at.as_millis(),
        refresh.map(|refresh| refresh.expires_at.as_millis()),
        previous.map(|previous| previous.rotated_at.as_millis()),
        issued.access.lifetime.map(|lifetime| lifetime.0),
        refresh.map(|refresh| refresh.lifetime.0),
    ];
    rows::write_if(connection, renewal, values)
}

/// Ends tokens before their time, unless the pair was rotated in the meantime.
pub(super) fn expire(connection: &Connection, write: &EarlyExpiry) -> Result<Conditional> {
    let expiry = "UPDATE tokens SET issued_at = ?3, access_lifetime = ?4, \
        refresh_expires_at = ?5 WHERE id = ?1 AND rotation = ?2";
    let access = write.access();
    let values = params![
        write.id().get(),
        write.rotation(),
        access.issued_at.as_millis(),
        access.lifetime.map(|lifetime| lifetime.0),
        write.refresh_expires_at().map(Timestamp::as_millis),
    ];
    rows::write_if(connection, expiry, values)
}

/// Counts a wrong verifier; the last one ends the record.
pub(super) fn count_wrong_verifier(
    connection: &Connection,
    write: &WrongVerifier,
) -> Result<WrongVerifierCount> {
    let counting = "UPDATE tokens SET wrong_verifiers = wrong_verifiers + 1 \
        WHERE id = ? AND rotation = 0 RETURNING wrong_verifiers";
    let count =
        rows::find(connection, counting, [write.id().get()], |columns| columns.number::<u8>())?;
    match count {
        None => Ok(WrongVerifierCount::NotFound),
        Some(count) if count < write.max() => Ok(WrongVerifierCount::Counted),
        Some(_) => {
            end(connection, write.end())?;
            Ok(WrongVerifierCount::Ended)
        }
    }
}

/// Ends a record: the row goes, the event stays, other processes are told.
pub(super) fn end(connection: &Connection, end: &GrantEnd) -> Result<Conditional> {
    let ended = rows::write_if(connection, "DELETE FROM tokens WHERE id = ?", [end.id().get()])?;
    if ended == Conditional::Now {
        listings::note_gone(connection, &[end.id().get()])?;
        events::record(connection, end.event())?;
        changes::leave(connection, ChangedRecord::Token(end.id()))?;
    }
    Ok(ended)
}

/// Notes uses. Neither the time nor the rotation ever goes back.
pub(super) fn record_uses(connection: &Connection, uses: &[TokenUse]) -> Result<()> {
    let later = "UPDATE tokens SET used_at = max(coalesce(used_at, ?2), ?2), \
        used_rotation = max(coalesce(used_rotation, 0), ?3) \
        WHERE id = ?1 AND rotation > 0 \
        AND (used_at IS NULL OR used_at < ?2 OR used_rotation < ?3)";
    for used in uses {
        let values = params![used.id.get(), used.used_at.as_millis(), used.rotation];
        rows::write(connection, later, values)?;
    }
    Ok(())
}
