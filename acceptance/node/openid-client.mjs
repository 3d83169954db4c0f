// openid-client, the certified client on top of oauth4webapi: the whole life of a grant.

import assert from 'node:assert/strict';
import { Visitor, current, exercise, finish, pinned, setup } from './support.mjs';

const client = await import('openid-client');
const version = pinned('openid-client');
const issuer = new URL(setup.base);
const redirectUri = 'http://127.0.0.1:7313/callback';
const visitor = new Visitor();

function discover(registered, authentication) {
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
  return client.discovery(issuer, registered.identifier, undefined, authentication, options);
}

const { secret } = setup.confidential;
const configurations = await exercise('discovery, for each way to authenticate', async () => ({
  client_secret_basic: await discover(setup.confidential, client.ClientSecretBasic(secret)),
  client_secret_post: await discover(setup.confidential, client.ClientSecretPost(secret)),
  none: await discover(setup.public, client.None()),
}));

/** Where a consent led, and what is to be checked of it. */
async function consent(config, parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'read write',
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  const callback = await visitor.authorize(address);
  return [callback, { pkceCodeVerifier, expectedState }];
}

async function grant(config, parameters) {
  return client.authorizationCodeGrant(config, ...(await consent(config, parameters)));
}

const bodyError = (error, status) => (thrown) => {
  assert.ok(thrown instanceof client.ResponseBodyError, thrown);
  assert.deepEqual([thrown.error, thrown.status], [error, status]);
  return true;
};

for (const [method, config] of Object.entries(configurations)) {
  await exercise(`${method}: code, use, refresh, revocation`, async () => {
    const granted = await grant(config);
    assert.equal(granted.scope, 'read write');
    assert.ok(granted.expiresIn() > 1790);
    const me = new URL(`${setup.base}/api/v2/users/me.json`);
    const response = await client.fetchProtectedResource(config, granted.access_token, me, 'GET');
    assert.equal((await response.json()).user.email, setup.user.email);

    const refreshed = await client.refreshTokenGrant(config, granted.refresh_token, { scope: 'read' });
    assert.equal(refreshed.scope, 'read');
    assert.equal(await current(granted.access_token), undefined);
    const restored = await client.refreshTokenGrant(config, refreshed.refresh_token);
    assert.equal(restored.scope, 'read write', 'the grant keeps what was approved');

    await client.tokenRevocation(config, restored.refresh_token);
    assert.equal(await current(restored.access_token), undefined);
    const late = client.refreshTokenGrant(config, restored.refresh_token);
    await assert.rejects(late, bodyError('invalid_grant', 400));
  });

  await exercise(`${method}: a scope wider than the grant is invalid_scope, and harms nothing`, async () => {
    const granted = await grant(config, { scope: 'read' });
    const wider = client.refreshTokenGrant(config, granted.refresh_token, { scope: 'read write' });
    await assert.rejects(wider, bodyError('invalid_scope', 400));
    assert.ok(await current(granted.access_token));
  });

  await exercise(`${method}: a lifetime asked for is the lifetime given`, async () => {
    const asked = await consent(config);
    const lifetimes = { expires_in: '600', refresh_token_expires_in: '604800' };
    const granted = await client.authorizationCodeGrant(config, ...asked, lifetimes);
    assert.equal(granted.expires_in, 600);
    const short = client.refreshTokenGrant(config, granted.refresh_token, { expires_in: '299' });
    await assert.rejects(short, bodyError('invalid_request', 400));
  });
}

await exercise('a code in the hands of another client is invalid_grant and stays good', async () => {
  const [callback, checks] = await consent(configurations.client_secret_post);
  const thief = client.authorizationCodeGrant(configurations.none, callback, checks);
  await assert.rejects(thief, bodyError('invalid_grant', 400));
  const owner = await client.authorizationCodeGrant(configurations.client_secret_post, callback, checks);
  assert.ok(await current(owner.access_token));
});

await exercise('introspection of one\'s own token, of another client\'s, of garbage', async () => {
  const config = configurations.client_secret_basic;
  const own = await grant(config);
  const live = await client.tokenIntrospection(config, own.access_token);
  assert.equal(live.active, true);
  assert.equal(live.scope, 'read write');
  assert.equal(live.username, setup.user.email);
  const record = await current(own.access_token);
  assert.equal(live.jti, String(record.id));
  const theirs = await grant(configurations.none);
  for (const token of [theirs.access_token, 'garbage']) {
    assert.deepEqual(await client.tokenIntrospection(config, token), { active: false });
  }
});

await exercise('client credentials', async () => {
  const config = configurations.client_secret_basic;
  const granted = await client.clientCredentialsGrant(config, { scope: 'tickets:read users:read' });
  assert.equal(granted.scope, 'tickets:read users:read');
  const refused = client.clientCredentialsGrant(config, { scope: 'no_such_scope' });
  await assert.rejects(refused, bodyError('invalid_scope', 400));
});

await exercise('grants that are not offered are unsupported_grant_type', async () => {
  for (const grantType of ['password', 'urn:ietf:params:oauth:grant-type:device_code']) {
    const request = client.genericGrantRequest(configurations.client_secret_post, grantType, {});
    await assert.rejects(request, bodyError('unsupported_grant_type', 400));
  }
});

await exercise('prompt=none without a session is login_required', async () => {
  const address = client.buildAuthorizationUrl(configurations.none, {
    redirect_uri: redirectUri,
    state: 's',
    prompt: 'none',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const callback = await new Visitor().authorize(address);
  const redeemed = client.authorizationCodeGrant(configurations.none, callback, { expectedState: 's' });
  await assert.rejects(redeemed, (thrown) => {
    assert.ok(thrown instanceof client.AuthorizationResponseError, thrown);
    return thrown.error === 'login_required';
  });
});

finish(version, pinned('oauth4webapi'));
