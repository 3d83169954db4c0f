-- Which node does what one does for all: a row for each job that was ever taken. `lapses_at` is by the
-- database's clock, the one that all nodes share. A job that was given back has no holder.
CREATE TABLE IF NOT EXISTS job_leases (
    job       text NOT NULL PRIMARY KEY,
    holder    bigint,
    number    bigint NOT NULL, -- how often it was taken
    lapses_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- When a change was left, by the clock that all nodes share: how late the others hear of it is
-- measured. Nodes of the schema before name the columns that they fill, and leave this one to its
-- default.
ALTER TABLE changes ADD COLUMN IF NOT EXISTS changed_at timestamptz NOT NULL DEFAULT now();
