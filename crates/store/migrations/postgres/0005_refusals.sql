-- The last time that a credential of ours was refused: one row for each that was, the latest ones. `kind`
-- is what the credential was for, and ids of kinds are counted apart. Rows are numbered in the order in
-- which credentials were refused first, and purged by that. A row changes once a second at most, and no
-- index does.
CREATE TABLE IF NOT EXISTS refusals (
    id        bigint NOT NULL PRIMARY KEY,
    record_id bigint NOT NULL,
    kind      text NOT NULL,
    at        bigint NOT NULL,
    reason    text NOT NULL,
    place     text NOT NULL  -- method and path, with {id} where an id stood
) WITH (fillfactor = 66);
CREATE UNIQUE INDEX IF NOT EXISTS refusals_record ON refusals (record_id, kind);
INSERT INTO id_leases (sequence, next) VALUES ('refusals', 1) ON CONFLICT (sequence) DO NOTHING;
