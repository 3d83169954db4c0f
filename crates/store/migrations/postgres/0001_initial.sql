-- Times are milliseconds since 1970-01-01T00:00:00Z. Hashes are SHA-256, 32 bytes. Scopes are words
-- separated by spaces. What is unset is NULL. Whole numbers are bigint, the one width that every
-- engine of this protocol has.
--
-- Every statement may run again over what it has made: not every engine keeps definitions in the
-- transaction of the step. An engine that does not order a primary key by itself (YugabyteDB) needs
-- (id ASC) in each of them.

-- The next id of each sequence. Ids are leased in blocks and never given twice, so a block that was
-- lost in a crash is a gap. `checks` is nobody's: it is counted up to see whether writing works.
CREATE TABLE IF NOT EXISTS id_leases (
    sequence text NOT NULL PRIMARY KEY,
    next     bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO id_leases (sequence, next) VALUES
    ('tokens', 1), ('clients', 1), ('users', 1), ('api_tokens', 1), ('sign_in_sessions', 1),
    ('events', 1), ('nodes', 1), ('checks', 1)
    ON CONFLICT (sequence) DO NOTHING;

CREATE TABLE IF NOT EXISTS keys (
    purpose    text NOT NULL,
    number     bigint NOT NULL,
    sealed     bytea,             -- NULL once the root key was lost
    created_at bigint NOT NULL,
    PRIMARY KEY (purpose, number)
);

-- A deleted user or client stays as a tombstone until nothing refers to it. Its folded name is free
-- at once.
CREATE TABLE IF NOT EXISTS users (
    id             bigint NOT NULL PRIMARY KEY,
    email          text NOT NULL,
    folded_email   text NOT NULL,
    name           text NOT NULL,
    role           text NOT NULL,
    password_hash  text,
    verified       boolean NOT NULL,
    suspended      boolean NOT NULL,
    password_epoch bigint NOT NULL,
    created_at     bigint NOT NULL,
    updated_at     bigint NOT NULL,
    deleted_at     bigint
);
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (folded_email) WHERE deleted_at IS NULL;

CREATE TABLE IF NOT EXISTS clients (
    id                         bigint NOT NULL PRIMARY KEY,
    identifier                 text NOT NULL,
    folded_identifier          text NOT NULL,
    name                       text NOT NULL,
    user_id                    bigint NOT NULL REFERENCES users (id),
    secret_hash                bytea,   -- NULL of a public client
    secret_generation          bigint,
    redirect_uris              text NOT NULL, -- JSON
    company                    text,
    description                text,
    logo_url                   text,
    allowed_scope              text,
    status                     text NOT NULL,
    role                       text NOT NULL,
    grant_types                text,    -- JSON
    access_token_lifetime_max  bigint,  -- seconds
    refresh_token_lifetime_max bigint,  -- seconds
    retry_window               bigint,  -- seconds
    created_at                 bigint NOT NULL,
    updated_at                 bigint NOT NULL,
    deleted_at                 bigint
);
CREATE UNIQUE INDEX IF NOT EXISTS clients_identifier ON clients (folded_identifier)
    WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS clients_user ON clients (user_id, id);

-- A few hundred rows at most: no index.
CREATE TABLE IF NOT EXISTS api_tokens (
    id               bigint NOT NULL PRIMARY KEY,
    hash             bytea NOT NULL,
    description      text NOT NULL,
    status           text NOT NULL,
    user_id          bigint NOT NULL REFERENCES users (id),
    assigned_user_id bigint NOT NULL REFERENCES users (id),
    created_at       bigint NOT NULL,
    updated_at       bigint NOT NULL,
    last_used        bigint
);

CREATE TABLE IF NOT EXISTS sign_in_sessions (
    id             bigint NOT NULL PRIMARY KEY,
    hash           bytea NOT NULL,
    user_id        bigint NOT NULL REFERENCES users (id),
    password_epoch bigint NOT NULL,
    created_at     bigint NOT NULL,
    expires_at     bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS sign_in_sessions_user ON sign_in_sessions (user_id);

-- A grant: one row from its code (rotation 0) to its end. `hash` serves the code first and the
-- access token afterwards, and what repeats is NULL. A token whose client or user is not there is
-- over: references would cost every insertion two look-ups and two locks.
-- A third of each page is left free, so that a rotation finds its new row a place beside the old one
-- and writes no index.
CREATE TABLE IF NOT EXISTS tokens (
    id                 bigint NOT NULL PRIMARY KEY,
    client_id          bigint NOT NULL,
    user_id            bigint NOT NULL,
    origin             bigint NOT NULL, -- 0 consent, 1 client credentials, 2 created
    rotation           bigint NOT NULL,
    created_at         bigint NOT NULL,
    granted            text NOT NULL,
    hash               bytea NOT NULL,  -- of the code, then of the access token
    -- From rotation 1 on.
    scope              text,            -- of the access token; NULL is all that was granted
    issued_at          bigint,
    access_lifetime    bigint,          -- seconds; NULL is for ever
    refresh_hash       bytea,
    refresh_expires_at bigint,
    refresh_lifetime   bigint,          -- seconds
    -- From rotation 2 on.
    previous_hash      bytea,
    rotated_at         bigint,
    salt               bytea,
    key_number         bigint,
    -- At rotation 0 only.
    code_expires_at    bigint,
    redirect_uri       text,
    redirect_uri_named boolean,
    challenge          text,
    wrong_verifiers    bigint
) WITH (fillfactor = 66);
-- For lists. There is no other: an index on a column that rotation changes would double what a
-- rotation writes, and purging goes by id.
CREATE INDEX IF NOT EXISTS tokens_client ON tokens (client_id, id);
CREATE INDEX IF NOT EXISTS tokens_user ON tokens (user_id, id);

-- The last use of a token. It changes more often than anything else and is small, so it is not in
-- the token's own row, of which every version would be written whole.
CREATE TABLE IF NOT EXISTS token_uses (
    id            bigint NOT NULL PRIMARY KEY,
    used_at       bigint NOT NULL,
    used_rotation bigint NOT NULL
) WITH (fillfactor = 66);

CREATE TABLE IF NOT EXISTS events (
    id         bigint NOT NULL PRIMARY KEY,
    at         bigint NOT NULL,
    kind       text NOT NULL,
    token_id   bigint NOT NULL,
    client_id  bigint NOT NULL,
    user_id    bigint NOT NULL,
    actor      text NOT NULL,
    actor_id   bigint
);
CREATE INDEX IF NOT EXISTS events_token ON events (token_id, id);

-- Who leaves changes: a row for each process that has left one. Taking the next number locks the
-- row until the change is committed, so a node's numbers are seen in their order. `changed_at` is
-- by the database's clock, the one that all nodes share.
CREATE TABLE IF NOT EXISTS nodes (
    node        bigint NOT NULL PRIMARY KEY,
    last_change bigint NOT NULL,
    changed_at  timestamptz NOT NULL
) WITH (fillfactor = 10);

-- What other processes may have cached and must look at again.
CREATE TABLE IF NOT EXISTS changes (
    node      bigint NOT NULL,
    number    bigint NOT NULL,
    record    text NOT NULL,
    record_id bigint,
    PRIMARY KEY (node, number)
);
