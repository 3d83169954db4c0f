// oauth4webapi, the strictest reader of the standards: every answer's status, type and members.

import assert from 'node:assert/strict';
import { Visitor, current, exercise, finish, pinned, setup } from './support.mjs';

const oauth = await import('oauth4webapi');
const version = pinned('oauth4webapi');
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(setup.base);
const redirectUri = 'http://127.0.0.1:7312/callback';
const visitor = new Visitor();

const server = await exercise('discovery: the metadata is the issuer\'s own', async () => {
  const options = { ...insecure, algorithm: 'oauth2' };
  const response = await oauth.discoveryRequest(issuer, options);
  const metadata = await oauth.processDiscoveryResponse(issuer, response);
  assert.equal(metadata.issuer, setup.base);
  assert.equal(metadata.token_endpoint, `${setup.base}/oauth/token`);
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
  assert.deepEqual(metadata.response_types_supported, ['code']);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  return metadata;
});

/** A client of the set-up, as the library describes one. */
const known = (client) => ({ client_id: client.identifier });
const [confidential, open] = [known(setup.confidential), known(setup.public)];
const methods = {
  client_secret_basic: [confidential, oauth.ClientSecretBasic(setup.confidential.secret)],
  client_secret_post: [confidential, oauth.ClientSecretPost(setup.confidential.secret)],
  none: [open, oauth.None()],
};

/** The answer of a consent, checked for `state` and `iss`, and the verifier it was asked with. */
async function consent(client, { scope = 'read', answer = /^allow/i } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const callback = await visitor.authorize(address, answer);
  return { callback, state, verifier };
}

async function redeem(client, authentication, { callback, state, verifier }) {
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, redirectUri, verifier, insecure,
  );
  return oauth.processAuthorizationCodeResponse(server, client, response);
}

async function refresh(client, authentication, refreshToken) {
  const response = await oauth.refreshTokenGrantRequest(
    server, client, authentication, refreshToken, insecure,
  );
  return oauth.processRefreshTokenResponse(server, client, response);
}

async function introspect(client, authentication, token) {
  const response = await oauth.introspectionRequest(server, client, authentication, token, insecure);
  return oauth.processIntrospectionResponse(server, client, response);
}

async function revoke(client, authentication, token) {
  const response = await oauth.revocationRequest(server, client, authentication, token, insecure);
  return oauth.processRevocationResponse(response);
}

const bodyError = (error, status) => (thrown) => {
  assert.ok(thrown instanceof oauth.ResponseBodyError, thrown);
  assert.deepEqual([thrown.error, thrown.status], [error, status]);
  return true;
};

for (const [method, [client, authentication]] of Object.entries(methods)) {
  await exercise(`${method}: code with PKCE, refresh, revocation`, async () => {
    const granted = await redeem(client, authentication, await consent(client));
    assert.equal(granted.token_type, 'bearer');
    assert.equal(granted.scope, 'read');
    assert.equal(granted.expires_in, 1800);
    const refreshed = await refresh(client, authentication, granted.refresh_token);
    assert.equal(await current(granted.access_token), undefined);
    assert.ok(await current(refreshed.access_token));
    await revoke(client, authentication, refreshed.access_token);
    assert.equal(await current(refreshed.access_token), undefined);
    await assert.rejects(
      refresh(client, authentication, refreshed.refresh_token),
      bodyError('invalid_grant', 400),
    );
  });

  await exercise(`${method}: a lost answer is given again, a replay ends the grant`, async () => {
    const granted = await redeem(client, authentication, await consent(client));
    const once = await refresh(client, authentication, granted.refresh_token);
    const again = await refresh(client, authentication, granted.refresh_token);
    assert.equal(again.access_token, once.access_token);
    assert.equal(again.refresh_token, once.refresh_token);
    const next = await refresh(client, authentication, once.refresh_token);
    assert.ok(await current(next.access_token));
    await assert.rejects(
      refresh(client, authentication, granted.refresh_token),
      bodyError('invalid_grant', 400),
    );
    assert.equal(await current(next.access_token), undefined);
  });

  await exercise(`${method}: a code redeemed twice ends what it gave`, async () => {
    const asked = await consent(client);
    const granted = await redeem(client, authentication, asked);
    assert.ok(await current(granted.access_token));
    const second = redeem(client, authentication, asked);
    await assert.rejects(second, bodyError('invalid_grant', 400));
    assert.equal(await current(granted.access_token), undefined);
  });

  await exercise(`${method}: a wrong verifier is refused and spends nothing`, async () => {
    const asked = await consent(client);
    const wrong = { ...asked, verifier: oauth.generateRandomCodeVerifier() };
    await assert.rejects(redeem(client, authentication, wrong), bodyError('invalid_grant', 400));
    assert.ok((await redeem(client, authentication, asked)).access_token);
  });
}

await exercise('introspection: live, then dead', async () => {
  const [client, authentication] = methods.client_secret_basic;
  const granted = await redeem(client, authentication, await consent(client));
  const live = await introspect(client, authentication, granted.access_token);
  assert.equal(live.active, true);
  assert.equal(live.client_id, client.client_id);
  assert.equal(live.username, setup.user.email);
  assert.equal(live.sub, String(setup.user.id));
  assert.equal(live.iss, setup.base);
  assert.equal(live.exp - live.iat, 1800);
  const ofRefresh = await introspect(client, authentication, granted.refresh_token);
  assert.equal(ofRefresh.active, true);
  assert.equal(ofRefresh.token_type, undefined);
  await revoke(client, authentication, granted.refresh_token);
  const dead = await introspect(client, authentication, granted.access_token);
  assert.deepEqual(dead, { active: false });
});

await exercise('introspection: not for public clients', async () => {
  const [client, authentication] = methods.none;
  const asked = introspect(client, authentication, 'a'.repeat(64));
  await assert.rejects(asked, bodyError('invalid_client', 401));
});

await exercise('revocation: unknown tokens are answered like known ones', async () => {
  for (const [client, authentication] of Object.values(methods)) {
    await revoke(client, authentication, 'not a token of anybody');
  }
});

await exercise('client credentials: for confidential clients, with the scope asked for', async () => {
  const [client, authentication] = methods.client_secret_post;
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, authentication, { scope: 'read write' }, insecure,
  );
  const granted = await oauth.processClientCredentialsResponse(server, client, response);
  assert.equal(granted.scope, 'read write');
  assert.equal(granted.refresh_token, undefined);
});

await exercise('client credentials: refused to public clients', async () => {
  const [client, authentication] = methods.none;
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, authentication, { scope: 'read' }, insecure,
  );
  const processed = oauth.processClientCredentialsResponse(server, client, response);
  await assert.rejects(processed, bodyError('unauthorized_client', 400));
});

await exercise('a wrong secret is challenged when it came in the header, and only then', async () => {
  const secret = `${setup.confidential.secret.slice(0, -1)}!`;
  const ask = (authentication) => refresh(confidential, authentication, 'r'.repeat(64));
  await assert.rejects(ask(oauth.ClientSecretBasic(secret)), (thrown) => {
    assert.ok(thrown instanceof oauth.WWWAuthenticateChallengeError, thrown);
    assert.equal(thrown.status, 401);
    assert.equal(thrown.cause[0].scheme, 'basic');
    return true;
  });
  await assert.rejects(ask(oauth.ClientSecretPost(secret)), bodyError('invalid_client', 401));
});

await exercise('denial: access_denied, with state and iss', async () => {
  const { callback, state } = await consent(open, { answer: /^(deny|cancel|refuse)/i });
  assert.throws(() => oauth.validateAuthResponse(server, open, callback, state), (thrown) => {
    assert.ok(thrown instanceof oauth.AuthorizationResponseError, thrown);
    assert.equal(thrown.error, 'access_denied');
    return true;
  });
});

await exercise('the library refuses an answer of another issuer, and one without iss', async () => {
  const { callback, state } = await consent(open);
  const [foreign, nameless] = [new URL(callback), new URL(callback)];
  foreign.searchParams.set('iss', 'https://elsewhere.test');
  nameless.searchParams.delete('iss');
  for (const changed of [foreign, nameless]) {
    const validate = () => oauth.validateAuthResponse(server, open, changed, state);
    assert.throws(validate, oauth.OperationProcessingError);
  }
});

await exercise('errors of the request travel back by redirect: scope, response type, challenge', async () => {
  const parameters = { client_id: open.client_id, redirect_uri: redirectUri, state: 's' };
  const challenge = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
  const cases = {
    invalid_scope: { response_type: 'code', scope: 'no_such_scope', ...challenge },
    unsupported_response_type: { response_type: 'token', scope: 'read', ...challenge },
    invalid_request: { response_type: 'code', scope: 'read' },
  };
  for (const [error, request] of Object.entries(cases)) {
    const address = new URL(server.authorization_endpoint);
    address.search = new URLSearchParams({ ...parameters, ...request });
    const callback = await visitor.authorize(address);
    assert.throws(() => oauth.validateAuthResponse(server, open, callback, 's'), { error });
  }
});

finish(version);
