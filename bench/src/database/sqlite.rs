//! A file in the data folder.

use std::{fs, path::Path};

use anyhow::{Result, bail};
use rusqlite::{Connection, OpenFlags};

use super::Expired;

const NAME: &str = "tokenry.db";
const LOG: &str = "tokenry.db-wal";

pub(super) fn schema(folder: &Path) -> Result<String> {
    let connection = Connection::open(folder.join(NAME))?;
    let schema = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY 1)";
    Ok(connection.query_row(schema, [], |row| row.get(0))?)
}

pub(super) fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for name in [NAME, LOG] {
        bytes += fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len());
    }
    if bytes == 0 {
        bail!("{} holds no database", folder.display());
    }
    Ok(bytes)
}

/// The last id among them.
pub(super) fn expire(folder: &Path, tokens: u64, one_in: u64) -> Result<u64> {
    let connection = Connection::open(folder.join(NAME))?;
    let until = "SELECT max(id) FROM (SELECT id FROM tokens ORDER BY id LIMIT ?1)";
    let until = connection.query_row(until, [tokens], |row| row.get(0))?;
    let expire = "UPDATE tokens SET issued_at = 0, access_lifetime = 1 \
                  WHERE id <= ?1 AND id % ?2 = 0";
    connection.execute(expire, [until, one_in])?;
    Ok(until)
}

pub(super) fn left_of(folder: &Path, expired: Expired) -> Result<u64> {
    let path = folder.join(NAME);
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count = "SELECT count(*) FROM tokens WHERE id <= ?1 AND id % ?2 = 0";
    Ok(connection.query_row(count, [expired.until, expired.one_in], |row| row.get(0))?)
}
