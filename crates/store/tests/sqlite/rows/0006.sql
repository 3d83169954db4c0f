-- Rows as a program of schema 2 left them: one of each kind.
UPDATE id_leases SET next = 1001 WHERE sequence = 'tokens';
INSERT INTO keys VALUES ('token', 1, NULL, 1790000000123), ('token', 2, x'00FF', 1790000000123);
INSERT INTO users VALUES
    (29, 'Ada@Example.test', 'ada@example.test', 'Ada', 'admin', '$argon2id$', 1, 0, 2,
     1790000000123, 1790000000124, NULL),
    (30, '', '', '', 'agent', NULL, 0, 0, 0, 1790000000123, 1790000000123, 1790000000125);
INSERT INTO clients VALUES
    (41, 'Acme', 'acme', 'Acme', 29, zeroblob(32), 0, '["https://client.test/cb"]', NULL, NULL,
     NULL, 'read write', 'enabled', 'ordinary', '["authorization_code"]', 300, NULL, 0,
     1790000000123, 1790000000123, NULL);
INSERT INTO api_tokens VALUES
    (1, zeroblob(32), 'Export', 'active', 29, 29, 1790000000123, 1790000000123, NULL, NULL);
INSERT INTO sign_in_sessions VALUES (1, zeroblob(32), 29, 2, 1790000000123, 1790003600123);
INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash,
    code_expires_at, redirect_uri, redirect_uri_named, challenge, wrong_verifiers) VALUES
    (1, 41, 29, 0, 0, 1790000000123, 'read', zeroblob(32), 1790000120123,
     'https://client.test/cb', 1, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 3);
INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash, scope,
    issued_at, access_lifetime, used_at, used_rotation, refresh_hash, refresh_expires_at,
    refresh_lifetime, previous_hash, rotated_at, salt, key_number) VALUES
    (2, 41, 29, 0, 2, 1790000000123, 'read write', zeroblob(32), 'read', 1790000060123, 1800,
     1790000061123, 2, zeroblob(32), 1792592060123, 2592000, zeroblob(32), 1790000060123,
     zeroblob(16), 2);
INSERT INTO events VALUES (1, 1790000000123, 'revoked', 3, 41, 29, 'user', 29);
INSERT INTO changes VALUES (1, 'token', 3);
INSERT INTO listing_blocks (number, first_id, last_id, entries, gone) VALUES (1, 1, 1, 1, 0);
INSERT INTO listing_parts (block, kind, owner, token_id, entries) VALUES (1, 0, 41, 1, x''), (1, 1, 29, 1, x'');
