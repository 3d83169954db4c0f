//! Tokens: a grant's one row, its code included. Every write carries its condition.
//!
//! What most requests need is written and read in batches: one statement over the rows of many
//! callers. It locks those whose condition holds in the order of their ids, so that two batches
//! never wait for each other, and looks at the condition again when it has them all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokenry_core::{
    early_expiry::EarlyExpiry,
    grant::{Consented, Issued, Previous, RefreshToken, SentTo, Stage, Token},
    grant_types::{
        authorization_code::{CodeRedemption, WrongVerifier},
        refresh_token::{RepeatRenewal, TokenRotation},
    },
    issue::NewToken,
};
use tokenry_protocol::{ids::TokenId, pkce::CodeChallenge, secret::SecretHash};
use tokio_postgres::Row;

use super::{
    batches::Batch,
    calls::{Call, Failure, Query},
    changes::{Log, leave_changes},
    ids::RowIds,
    pool::Pool,
    rows::{self, Columns},
    values::{column, values},
};
use crate::{
    Conditional, Result, WrongVerifierCount,
    columns::{
        ReadColumns as _,
        tokens::{read, token_columns},
    },
    words,
};

/// Tokens with their uses.
macro_rules! from_tokens {
    () => {
        "tokens LEFT JOIN token_uses ON token_uses.id = tokens.id"
    };
}
pub(super) use from_tokens;

/// Looks for records by id, whatever their stage.
pub(super) struct Find(pub(super) Arc<Pool>);

impl Batch for Find {
    type Request = TokenId;
    type Answer = Option<Token>;

    fn order(id: &TokenId) -> u64 {
        id.get()
    }

    async fn carry_out(
        &self,
        ids: &[TokenId],
    ) -> std::result::Result<Vec<Result<Option<Token>>>, Failure> {
        let by_ids = concat!(
            "SELECT ",
            token_columns!(),
            " FROM ",
            from_tokens!(),
            " WHERE tokens.id = ANY ($1::bigint[])"
        );
        let call = Call::read(by_ids, values![column(ids, |id| *id)]);
        let found = self.0.carry_out(&call).await?.rows;
        let mut rows = BTreeMap::new();
        for row in &found {
            rows.insert(Columns::new(row).id::<TokenId>()?, row);
        }
        let read = |id| rows.get(id).map(|row| read(&mut Columns::new(row))).transpose();
        Ok(ids.iter().map(read).collect())
    }
}

/// Adds records.
pub(super) struct Insert(pub(super) Arc<Pool>);

impl Batch for Insert {
    type Request = NewToken;
    type Answer = ();

    fn order(token: &NewToken) -> u64 {
        token.token().id.get()
    }

    async fn carry_out(
        &self,
        tokens: &[NewToken],
    ) -> std::result::Result<Vec<Result<()>>, Failure> {
        let insertion = "INSERT INTO tokens (id, client_id, user_id, origin, rotation, \
            created_at, granted, hash, scope, issued_at, access_lifetime, refresh_hash, \
            refresh_expires_at, refresh_lifetime, code_expires_at, redirect_uri, \
            redirect_uri_named, challenge, wrong_verifiers) \
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
            $5::bigint[], $6::bigint[], $7::text[], $8::bytea[], $9::text[], $10::bigint[], \
            $11::bigint[], $12::bytea[], $13::bigint[], $14::bigint[], $15::bigint[], \
            $16::text[], $17::boolean[], $18::text[], $19::bigint[])";
        let rows: Vec<_> = tokens.iter().map(|new| Parts::of(new.token())).collect();
        let values = values![
            column(&rows, |row| row.token.id),
            column(&rows, |row| row.token.client_id),
            column(&rows, |row| row.token.user_id),
            column(&rows, |row| words::origin(row.token.origin)),
            column(&rows, |row| row.issued.map_or(0, |issued| issued.rotation)),
            column(&rows, |row| row.token.created_at),
            column(&rows, |row| row.token.granted.to_string()),
            column(&rows, |row| row.hash),
            column(&rows, |row| row.scope.clone()),
            column(&rows, |row| row.issued.map(|issued| issued.access.issued_at)),
            column(&rows, |row| row.issued.and_then(|issued| issued.access.lifetime)),
            column(&rows, |row| row.refresh.map(|refresh| &refresh.hash)),
            column(&rows, |row| row.refresh.map(|refresh| refresh.expires_at)),
            column(&rows, |row| row.refresh.map(|refresh| refresh.lifetime)),
            column(&rows, |row| row.consented.map(|consented| consented.expires_at)),
            column(&rows, |row| row.consented.map(|consented| consented.redirect_uri.address())),
            column(&rows, |row| row.consented.map(|consented| is_named(&consented.redirect_uri))),
            column(&rows, Parts::challenge),
            column(&rows, |row| row.consented.map(|consented| consented.wrong_verifiers)),
        ];
        self.0.carry_out(&Call::write(insertion, values)).await?;
        Ok(tokens.iter().map(|_| Ok(())).collect())
    }
}

const fn is_named(sent_to: &SentTo) -> bool {
    matches!(sent_to, SentTo::Named(_))
}

/// A record, taken apart for its columns.
struct Parts<'t> {
    token: &'t Token,
    consented: Option<&'t Consented>,
    issued: Option<&'t Issued>,
    refresh: Option<&'t RefreshToken>,
    hash: &'t SecretHash,
    /// What repeats is NULL.
    scope: Option<String>,
}

impl<'t> Parts<'t> {
    fn of(token: &'t Token) -> Self {
        let (consented, issued, hash) = match &token.stage {
            Stage::Consented(consented) => (Some(consented), None, &consented.code_hash),
            Stage::Issued(issued) => (None, Some(issued), &issued.access.hash),
        };
        let narrowed = issued.filter(|issued| issued.scope != token.granted);
        Self {
            token,
            consented,
            issued,
            refresh: issued.and_then(|issued| issued.refresh.as_ref()),
            hash,
            scope: narrowed.map(|issued| issued.scope.to_string()),
        }
    }

    fn challenge(&self) -> Option<&'t str> {
        let challenge = self.consented.and_then(|consented| consented.challenge.as_ref());
        challenge.map(CodeChallenge::as_str)
    }
}

/// Turns codes into tokens: rotation 0 into 1.
pub(super) struct Redeem(pub(super) Arc<Pool>);

impl Batch for Redeem {
    type Request = CodeRedemption;
    type Answer = Conditional;

    fn order(write: &CodeRedemption) -> u64 {
        write.id().get()
    }

    async fn carry_out(
        &self,
        writes: &[CodeRedemption],
    ) -> std::result::Result<Vec<Result<Conditional>>, Failure> {
        let redemption = "WITH written AS (SELECT written.* FROM unnest($1::bigint[], \
            $2::bigint[], $3::bigint[], $4::bytea[], $5::text[], $6::bigint[], $7::bigint[], \
            $8::bytea[], $9::bigint[], $10::bigint[]) \
            AS written (place, id, rotation, hash, scope, issued_at, access_lifetime, \
            refresh_hash, refresh_expires_at, refresh_lifetime) \
            JOIN tokens ON tokens.id = written.id AND tokens.rotation = 0 \
            ORDER BY tokens.id FOR NO KEY UPDATE OF tokens) \
            UPDATE tokens SET rotation = written.rotation, hash = written.hash, \
            scope = nullif(written.scope, granted), issued_at = written.issued_at, \
            access_lifetime = written.access_lifetime, refresh_hash = written.refresh_hash, \
            refresh_expires_at = written.refresh_expires_at, \
            refresh_lifetime = written.refresh_lifetime, code_expires_at = NULL, \
            redirect_uri = NULL, redirect_uri_named = NULL, challenge = NULL, \
            wrong_verifiers = NULL FROM written \
            WHERE tokens.id = written.id AND tokens.rotation = 0 RETURNING written.place";
        let rows: Vec<_> = writes.iter().map(|write| (write.id(), write.issued())).collect();
        let call = Call::write(redemption, issued_values(&rows));
        placed(writes.len(), &self.0.carry_out(&call).await?.rows)
    }
}

/// The first ten values of a redemption and of a rotation.
fn issued_values(rows: &[(TokenId, &Issued)]) -> Vec<super::values::Value> {
    let places: Vec<i64> = (0_i64..).take(rows.len()).collect();
    values![
        places,
        column(rows, |(id, _)| *id),
        column(rows, |(_, issued)| issued.rotation),
        column(rows, |(_, issued)| &issued.access.hash),
        column(rows, |(_, issued)| issued.scope.to_string()),
        column(rows, |(_, issued)| issued.access.issued_at),
        column(rows, |(_, issued)| issued.access.lifetime),
        column(rows, |(_, issued)| issued.refresh.as_ref().map(|refresh| &refresh.hash)),
        column(rows, |(_, issued)| issued.refresh.as_ref().map(|refresh| refresh.expires_at)),
        column(rows, |(_, issued)| issued.refresh.as_ref().map(|refresh| refresh.lifetime)),
    ]
}

/// Of so many writes, those whose condition held: their places come back. Of several writes to one
/// record one at most is carried out.
fn placed(count: usize, found: &[Row]) -> std::result::Result<Vec<Result<Conditional>>, Failure> {
    let places: BTreeSet<usize> = rows::numbers(found)?;
    let told =
        |place| if places.contains(&place) { Conditional::Now } else { Conditional::Already };
    Ok((0..count).map(|place| Ok(told(place))).collect())
}

/// Replaces both tokens of records. Uses are left alone: they are noted by themselves. Other nodes
/// are told: each may have the access token before in memory.
pub(super) struct Rotate(pub(super) Arc<Log>);

const ROTATE: &str = concat!(
    "WITH written AS (SELECT written.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], \
     $5::bytea[], $6::text[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[], \
     $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[], $15::bytea[], $16::bigint[]) \
     AS written (place, id, rotation, hash, scope, issued_at, access_lifetime, \
     refresh_hash, refresh_expires_at, refresh_lifetime, from_rotation, previous_hash, \
     rotated_at, salt, key_number) \
     JOIN tokens ON tokens.id = written.id AND tokens.rotation = written.from_rotation \
     ORDER BY tokens.id FOR NO KEY UPDATE OF tokens), \
     rotated AS (UPDATE tokens SET rotation = written.rotation, hash = written.hash, \
     scope = nullif(written.scope, granted), issued_at = written.issued_at, \
     access_lifetime = written.access_lifetime, refresh_hash = written.refresh_hash, \
     refresh_expires_at = written.refresh_expires_at, \
     refresh_lifetime = written.refresh_lifetime, previous_hash = written.previous_hash, \
     rotated_at = written.rotated_at, salt = written.salt, \
     key_number = written.key_number FROM written \
     WHERE tokens.id = written.id AND tokens.rotation = written.from_rotation \
     RETURNING written.place, tokens.id), \
     told AS (SELECT 'token'::text AS record, id AS record_id FROM rotated), ",
    leave_changes!(),
    "SELECT place FROM rotated"
);

impl Batch for Rotate {
    type Request = TokenRotation;
    type Answer = Conditional;

    fn order(write: &TokenRotation) -> u64 {
        write.id().get()
    }

    async fn carry_out(
        &self,
        writes: &[TokenRotation],
    ) -> std::result::Result<Vec<Result<Conditional>>, Failure> {
        let rows: Vec<_> = writes.iter().map(|write| (write.id(), write.issued())).collect();
        let mut values = issued_values(&rows);
        values.extend(values![
            column(writes, TokenRotation::from_rotation),
            column(writes, |write| previous(write).map(|previous| &previous.hash)),
            column(writes, |write| previous(write).map(|previous| previous.rotated_at)),
            column(writes, |write| previous(write).map(|previous| previous.salt.to_vec())),
            column(writes, |write| previous(write).map(|previous| previous.key_number)),
        ]);
        placed(writes.len(), &self.0.carry_out(Call::write(ROTATE, values)).await?.rows)
    }
}

fn previous(write: &TokenRotation) -> Option<&Previous> {
    write.issued().refresh.as_ref().and_then(|refresh| refresh.previous.as_ref())
}

/// Starts lifetimes and window anew, unless the pair was rotated or used in the meantime. A use
/// that the decision knew and the row does not know yet is no obstacle.
pub(super) async fn renew(log: &Arc<Log>, write: &RepeatRenewal) -> Result<Conditional> {
    let renewal = concat!(
        "WITH renewed AS (UPDATE tokens SET issued_at = $5, refresh_expires_at = $6, \
         rotated_at = $7, access_lifetime = $8, refresh_lifetime = $9 \
         WHERE id = $2 AND rotation = $3 AND \
         coalesce((SELECT used_rotation FROM token_uses WHERE token_uses.id = $2), 0) <= $4 \
         RETURNING id), \
         told AS (SELECT 'token'::text AS record, id AS record_id FROM renewed), ",
        leave_changes!(),
        "SELECT count(*) FROM renewed"
    );
    let issued = write.issued();
    let refresh = issued.refresh.as_ref();
    let previous = refresh.and_then(|refresh| refresh.previous.as_ref());
    let values = values![
        write.id(),
        issued.rotation,
        issued.used_rotation,
        issued.access.issued_at,
        refresh.map(|refresh| refresh.expires_at),
        previous.map(|previous| previous.rotated_at),
        issued.access.lifetime,
        refresh.map(|refresh| refresh.lifetime),
    ];
    rows::written(&log.leave(Call::write(renewal, values)).await?.rows)
}

/// Ends tokens before their time, unless the pair was rotated in the meantime.
pub(super) async fn expire(log: &Arc<Log>, write: &EarlyExpiry) -> Result<Conditional> {
    let expiry = concat!(
        "WITH expired AS (UPDATE tokens SET issued_at = $4, access_lifetime = $5, \
         refresh_expires_at = $6 WHERE id = $2 AND rotation = $3 RETURNING id), \
         told AS (SELECT 'token'::text AS record, id AS record_id FROM expired), ",
        leave_changes!(),
        "SELECT count(*) FROM expired"
    );
    let access = write.access();
    let values = values![
        write.id(),
        write.rotation(),
        access.issued_at,
        access.lifetime,
        write.refresh_expires_at(),
    ];
    rows::written(&log.leave(Call::write(expiry, values)).await?.rows)
}

/// Counts a wrong verifier; the last one ends the record. The count locks the row, so that the
/// second statement finds what the first has left.
pub(super) async fn count_wrong_verifier(
    log: &Arc<Log>,
    ids: &RowIds,
    write: &WrongVerifier,
) -> Result<WrongVerifierCount> {
    let counting = "UPDATE tokens SET wrong_verifiers = wrong_verifiers + 1 \
        WHERE id = $1 AND rotation = 0 RETURNING wrong_verifiers";
    let end = concat!(
        "WITH ended AS (DELETE FROM tokens WHERE id = $2 AND rotation = 0 \
         AND wrong_verifiers >= $3 RETURNING id), \
         remembered AS (INSERT INTO events \
         (id, at, kind, token_id, client_id, user_id, actor, actor_id) \
         SELECT $4::bigint, $5::bigint, $6::text, id, $7::bigint, $8::bigint, $9::text, \
         $10::bigint FROM ended), \
         told AS (SELECT 'token'::text AS record, id AS record_id FROM ended), ",
        leave_changes!(),
        "SELECT count(*) FROM ended"
    );
    let event = write.end().event();
    let (actor, actor_id) = words::actor(event.actor);
    let values = values![
        write.id(),
        write.max(),
        ids.take(1).await?,
        event.at,
        event.kind.as_str(),
        event.client_id,
        event.user_id,
        actor,
        actor_id,
    ];
    let call = Call::write(end, values).behind(Query::new(counting, values![write.id()]));
    let counted = log.leave(call).await?;
    Ok(match rows::written(&counted.rows)? {
        Conditional::Now => WrongVerifierCount::Ended,
        Conditional::Already if counted.first.is_empty() => WrongVerifierCount::NotFound,
        Conditional::Already => WrongVerifierCount::Counted,
    })
}
