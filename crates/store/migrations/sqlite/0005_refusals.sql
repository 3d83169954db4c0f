-- The last time that a credential of ours was refused: one row for each that was, the latest ones. `kind`
-- is what the credential was for, and ids of kinds are counted apart. Rows are numbered in the order in
-- which credentials were refused first, and purged by that.
CREATE TABLE refusals (
    id        INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    place     TEXT NOT NULL  -- method and path, with {id} where an id stood
) STRICT;
CREATE UNIQUE INDEX refusals_record ON refusals (record_id, kind);
