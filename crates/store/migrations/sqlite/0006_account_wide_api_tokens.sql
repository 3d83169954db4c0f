-- Whether an API token is bound to nobody. `assigned_user_id` is its maker then, so that nodes of the
-- schema before take it for that one user's, which is less. They fill the columns that they know:
-- NULL is a token that is bound.
ALTER TABLE api_tokens ADD COLUMN account_wide INTEGER;
