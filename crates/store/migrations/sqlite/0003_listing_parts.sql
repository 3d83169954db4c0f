-- The listings of a block are packed, 128 to a row, instead of a row each: listing more in a block
-- writes the few pages of all its parts anew instead of looking for the place of each.

DROP TABLE listings;

-- Sorted by owner and token. A part is named by the first of its entries; `entries` is what
-- follows, as differences (`listings/parts.rs`). What is outside the block's interval, or is no
-- token any more, says nothing.
CREATE TABLE listing_parts (
    block    INTEGER NOT NULL,
    kind     INTEGER NOT NULL, -- of owner: 0 client, 1 user
    owner    INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    entries  BLOB NOT NULL,
    PRIMARY KEY (block, kind, owner, token_id)
) STRICT, WITHOUT ROWID;

-- All that is there is listed again, by the program, before anybody sees this schema.
DELETE FROM listing_blocks;
