-- Whose tokens are which is told by listings, which are filled a while after a token is inserted and
-- many at a time, instead of by indexes of which every insertion would write two random pages.

-- Without references: they would cost every insertion two look-ups, and every deletion of a client
-- a search for its tokens. A token whose client or user is not there is over.
CREATE TABLE tokens_new (
    id                 INTEGER PRIMARY KEY,
    client_id          INTEGER NOT NULL,
    user_id            INTEGER NOT NULL,
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
INSERT INTO tokens_new SELECT * FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;

-- The ids up to the last block's `last_id`, in intervals without a gap between them. Tokens past
-- it are not listed yet, and found by their ids. A block whose interval is empty is on its way out.
CREATE TABLE listing_blocks (
    number   INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id  INTEGER NOT NULL,
    entries  INTEGER NOT NULL, -- tokens that were listed in it
    gone     INTEGER NOT NULL, -- of them, those that were removed since
    PRIMARY KEY (last_id, number)
) STRICT, WITHOUT ROWID;

-- Whose the tokens of a block are. What is outside the block's interval, or is no token any more,
-- says nothing.
CREATE TABLE listings (
    block    INTEGER NOT NULL,
    kind     INTEGER NOT NULL, -- of owner: 0 client, 1 user
    owner    INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    PRIMARY KEY (block, kind, owner, token_id)
) STRICT, WITHOUT ROWID;

-- Every token that is there is listed, 8,192 a block.
INSERT INTO listing_blocks
    SELECT number, 1 + coalesce(lag(max(id)) OVER (ORDER BY number), 0), max(id), count(*), 0
    FROM (SELECT (row_number() OVER (ORDER BY id) - 1) / 8192 + 1 AS number, id FROM tokens)
    GROUP BY number;
INSERT INTO listings
    SELECT number, 0, client_id, id FROM listing_blocks CROSS JOIN tokens
    ON id BETWEEN first_id AND last_id;
INSERT INTO listings
    SELECT number, 1, user_id, id FROM listing_blocks CROSS JOIN tokens
    ON id BETWEEN first_id AND last_id;
