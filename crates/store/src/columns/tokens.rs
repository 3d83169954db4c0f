//! Tokens: a grant's one row, its code included.

use tokenry_core::grant::{
    AccessToken, Consented, Issued, Previous, RefreshToken, SentTo, Stage, Token,
};
use tokenry_protocol::{pkce::CodeChallenge, scope::Scope, secret::SecretHash};

use super::ReadColumns;
use crate::{Result, words};

/// In the order of [`read`]. Only `id` is a name in another table that an engine joins.
macro_rules! token_columns {
    () => {
        "tokens.id, client_id, user_id, origin, created_at, granted, rotation, hash, \
         scope, issued_at, access_lifetime, used_at, used_rotation, \
         refresh_hash, refresh_expires_at, refresh_lifetime, \
         previous_hash, rotated_at, salt, key_number, \
         code_expires_at, redirect_uri, redirect_uri_named, challenge, wrong_verifiers"
    };
}
pub(crate) use token_columns;

/// Where the columns of a code begin.
const CODE_COLUMNS_AT: usize = 20;

/// From the columns of [`token_columns`].
pub(crate) fn read(columns: &mut impl ReadColumns) -> Result<Token> {
    let id = columns.id()?;
    let client_id = columns.id()?;
    let user_id = columns.id()?;
    let origin = columns.integer(|number| words::parse_origin(number?.try_into().ok()?))?;
    let created_at = columns.time()?;
    let granted = columns.scope()?;
    let rotation: u32 = columns.number()?;
    let hash = columns.hash()?;
    let stage = match rotation {
        0 => Stage::Consented(read_consented(columns, hash)?),
        _ => Stage::Issued(read_issued(columns, rotation, hash, &granted)?),
    };
    Ok(Token { id, client_id, user_id, origin, created_at, granted, stage })
}

fn read_issued(
    columns: &mut impl ReadColumns,
    rotation: u32,
    hash: SecretHash,
    granted: &Scope,
) -> Result<Issued> {
    Ok(Issued {
        rotation,
        scope: columns.scope_set()?.unwrap_or_else(|| granted.clone()),
        access: AccessToken { hash, issued_at: columns.time()?, lifetime: columns.seconds_set()? },
        used_at: columns.time_set()?,
        used_rotation: columns.number_set()?.unwrap_or(0),
        refresh: read_refresh(columns)?,
    })
}

fn read_refresh(columns: &mut impl ReadColumns) -> Result<Option<RefreshToken>> {
    let Some(hash) = columns.hash_set()? else {
        return Ok(None);
    };
    Ok(Some(RefreshToken {
        hash,
        expires_at: columns.time()?,
        lifetime: columns.seconds()?,
        previous: match columns.hash_set()? {
            None => None,
            Some(hash) => Some(Previous {
                hash,
                rotated_at: columns.time()?,
                salt: columns.array()?,
                key_number: columns.number()?,
            }),
        },
    }))
}

fn read_consented(columns: &mut impl ReadColumns, code_hash: SecretHash) -> Result<Consented> {
    columns.skip_to(CODE_COLUMNS_AT);
    let expires_at = columns.time()?;
    let address = columns.text()?;
    let redirect_uri = if columns.flag()? { SentTo::Named(address) } else { SentTo::Only(address) };
    Ok(Consented {
        code_hash,
        expires_at,
        redirect_uri,
        challenge: columns.word_set(|text| CodeChallenge::parse(text).ok())?,
        wrong_verifiers: columns.number()?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_columns_of_a_code_begin_where_they_are_read() {
        let columns: Vec<_> = token_columns!().split(',').map(str::trim).collect();
        assert_eq!(columns.get(super::CODE_COLUMNS_AT), Some(&"code_expires_at"));
    }
}
