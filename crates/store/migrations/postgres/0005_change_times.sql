-- When a change was left, by the clock that all nodes share: how late the others hear of it is
-- measured. Nodes of the schema before name the columns that they fill, and leave this one to its
-- default.
ALTER TABLE changes ADD COLUMN IF NOT EXISTS changed_at timestamptz NOT NULL DEFAULT now();
