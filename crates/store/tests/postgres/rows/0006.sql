-- Rows as a program of schema 1 left them: one of each kind.
UPDATE id_leases SET next = 1001 WHERE sequence = 'tokens';
UPDATE id_leases SET next = 2 WHERE sequence = 'nodes';
INSERT INTO keys VALUES ('token', 1, NULL, 1790000000123), ('token', 2, '\x00ff', 1790000000123);
INSERT INTO users VALUES
    (29, 'Ada@Example.test', 'ada@example.test', 'Ada', 'admin', '$argon2id$', true, false, 2,
     1790000000123, 1790000000124, NULL),
    (30, '', '', '', 'agent', NULL, false, false, 0, 1790000000123, 1790000000123, 1790000000125);
INSERT INTO clients VALUES
    (41, 'Acme', 'acme', 'Acme', 29, decode(repeat('00', 32), 'hex'), 0,
     '["https://client.test/cb"]', NULL, NULL,
     NULL, 'read write', 'enabled', 'ordinary', '["authorization_code"]', 300, NULL, 0,
     1790000000123, 1790000000123, NULL);
INSERT INTO api_tokens VALUES
    (1, decode(repeat('00', 32), 'hex'), 'Export', 'active', 29, 29, 1790000000123, 1790000000123, NULL, NULL);
INSERT INTO sign_in_sessions VALUES (1, decode(repeat('00', 32), 'hex'), 29, 2, 1790000000123, 1790003600123);
INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash,
    code_expires_at, redirect_uri, redirect_uri_named, challenge, wrong_verifiers) VALUES
    (1, 41, 29, 0, 0, 1790000000123, 'read', decode(repeat('00', 32), 'hex'), 1790000120123,
     'https://client.test/cb', true, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 3);
INSERT INTO tokens (id, client_id, user_id, origin, rotation, created_at, granted, hash, scope,
    issued_at, access_lifetime, refresh_hash, refresh_expires_at,
    refresh_lifetime, previous_hash, rotated_at, salt, key_number) VALUES
    (2, 41, 29, 0, 2, 1790000000123, 'read write', decode(repeat('00', 32), 'hex'), 'read', 1790000060123, 1800,
     decode(repeat('00', 32), 'hex'), 1792592060123, 2592000, decode(repeat('00', 32), 'hex'), 1790000060123,
     decode(repeat('00', 16), 'hex'), 2);
INSERT INTO token_uses VALUES (2, 1790000061123, 2);
INSERT INTO events VALUES (1, 1790000000123, 'revoked', 3, 41, 29, 'user', 29);
INSERT INTO nodes VALUES (1, 1, now());
INSERT INTO changes VALUES (1, 1, 'token', 3);
