-- Times are milliseconds since 1970-01-01T00:00:00Z. Hashes are SHA-256, 32 bytes. Scopes are words
-- separated by spaces. What is unset is NULL.

-- The next id of each sequence. Ids are leased in blocks and never given twice, so a block that was
-- lost in a crash is a gap. `checks` is nobody's: it is counted up to see whether writing works.
CREATE TABLE id_leases (
    sequence TEXT NOT NULL PRIMARY KEY,
    next     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO id_leases (sequence, next) VALUES
    ('tokens', 1), ('clients', 1), ('users', 1), ('api_tokens', 1), ('sign_in_sessions', 1),
    ('checks', 1);

CREATE TABLE keys (
    purpose    TEXT NOT NULL,
    number     INTEGER NOT NULL,
    sealed     BLOB,              -- NULL once the root key was lost
    created_at INTEGER NOT NULL,
    PRIMARY KEY (purpose, number)
) STRICT, WITHOUT ROWID;

-- A deleted user or client stays as a tombstone until nothing refers to it. Its folded name is free
-- at once.
CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    email          TEXT NOT NULL,
    folded_email   TEXT NOT NULL,
    name           TEXT NOT NULL,
    role           TEXT NOT NULL,
    password_hash  TEXT,
    verified       INTEGER NOT NULL,
    suspended      INTEGER NOT NULL,
    password_epoch INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    deleted_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX users_email ON users (folded_email) WHERE deleted_at IS NULL;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE clients (
    id                         INTEGER PRIMARY KEY,
    identifier                 TEXT NOT NULL,
    folded_identifier          TEXT NOT NULL,
    name                       TEXT NOT NULL,
    user_id                    INTEGER NOT NULL REFERENCES users (id),
    secret_hash                BLOB,     -- NULL of a public client
    secret_generation          INTEGER,
    redirect_uris              TEXT NOT NULL, -- JSON
    company                    TEXT,
    description                TEXT,
    logo_url                   TEXT,
    allowed_scope              TEXT,
    status                     TEXT NOT NULL,
    role                       TEXT NOT NULL,
    grant_types                TEXT,     -- JSON
    access_token_lifetime_max  INTEGER,  -- seconds
    refresh_token_lifetime_max INTEGER,  -- seconds
    retry_window               INTEGER,  -- seconds
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL,
    deleted_at                 INTEGER
) STRICT;
CREATE UNIQUE INDEX clients_identifier ON clients (folded_identifier) WHERE deleted_at IS NULL;
CREATE INDEX clients_user ON clients (user_id);
CREATE INDEX clients_deleted ON clients (deleted_at) WHERE deleted_at IS NOT NULL;

-- A few hundred rows at most: no index.
CREATE TABLE api_tokens (
    id               INTEGER PRIMARY KEY,
    hash             BLOB NOT NULL,
    description      TEXT NOT NULL,
    status           TEXT NOT NULL,
    user_id          INTEGER NOT NULL REFERENCES users (id),
    assigned_user_id INTEGER NOT NULL REFERENCES users (id),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    last_used        INTEGER
) STRICT;

CREATE TABLE sign_in_sessions (
    id             INTEGER PRIMARY KEY,
    hash           BLOB NOT NULL,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    password_epoch INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_sessions_user ON sign_in_sessions (user_id);

-- A grant: one row from its code (rotation 0) to its end. Every column costs each row a byte, so
-- `hash` serves the code first and the access token afterwards, and what repeats is NULL.
CREATE TABLE tokens (
    id                 INTEGER PRIMARY KEY,
    client_id          INTEGER NOT NULL REFERENCES clients (id),
    user_id            INTEGER NOT NULL REFERENCES users (id),
    origin             INTEGER NOT NULL, -- 0 consent, 1 client credentials, 2 created
    rotation           INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    granted            TEXT NOT NULL,
    hash               BLOB NOT NULL,    -- of the code, then of the access token
    -- From rotation 1 on.
    scope              TEXT,             -- of the access token; NULL is all that was granted
    issued_at          INTEGER,
    access_lifetime    INTEGER,          -- seconds; NULL is for ever
    used_at            INTEGER,
    used_rotation      INTEGER,
    refresh_hash       BLOB,
    refresh_expires_at INTEGER,
    refresh_lifetime   INTEGER,          -- seconds
    -- From rotation 2 on.
    previous_hash      BLOB,
    rotated_at         INTEGER,
    salt               BLOB,
    key_number         INTEGER,
    -- At rotation 0 only.
    code_expires_at    INTEGER,
    redirect_uri       TEXT,
    redirect_uri_named INTEGER,
    challenge          TEXT,
    wrong_verifiers    INTEGER
) STRICT;
-- For lists. An index of SQLite ends in the row's id, so these are (client_id, id) and
-- (user_id, id). There is no other: an index on a column that rotation changes would double what a
-- rotation writes, and purging goes by id.
CREATE INDEX tokens_client ON tokens (client_id);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE events (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    token_id   INTEGER NOT NULL,
    client_id  INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    actor_id   INTEGER
) STRICT;
CREATE INDEX events_token ON events (token_id);

-- What other processes may have cached and must look at again. The last row is never purged, so
-- numbers only rise.
CREATE TABLE changes (
    number    INTEGER PRIMARY KEY,
    record    TEXT NOT NULL,
    record_id INTEGER
) STRICT;
