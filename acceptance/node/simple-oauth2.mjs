// simple-oauth2 with its default paths (/oauth/authorize, /oauth/token, /oauth/revoke), and with
// `tokenPath` at the other door. It sends HTTP Basic with form-encoded halves unless told otherwise.

import assert from 'node:assert/strict';
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';
import { Visitor, current, exercise, finish, pinned, setup } from './support.mjs';

const version = pinned('simple-oauth2');
const { identifier: id, secret } = setup.confidential;
const redirectUri = 'http://127.0.0.1:7311/callback';
const visitor = new Visitor();

/** The code of a fresh consent, asked for at the library's own authorization address. */
async function code(grant, scope = 'read write') {
  const state = crypto.randomUUID();
  const address = grant.authorizeURL({ redirect_uri: redirectUri, scope, state });
  assert.ok(address.startsWith(`${setup.base}/oauth/authorize?`));
  const answer = await visitor.authorize(address);
  assert.equal(answer.searchParams.get('state'), state);
  assert.equal(answer.searchParams.get('iss'), setup.base);
  return answer.searchParams.get('code');
}

const refused = (error, status) => (thrown) => {
  assert.equal(thrown.output.statusCode, status);
  assert.equal(thrown.data.payload.error, error);
  return true;
};

const standard = new AuthorizationCode({ client: { id, secret }, auth: { tokenHost: setup.base } });

const first = await exercise('default paths: a code is redeemed', async () => {
  const redeemed = await standard.getToken({ code: await code(standard), redirect_uri: redirectUri });
  assert.equal(redeemed.token.token_type, 'bearer');
  assert.equal(redeemed.token.scope, 'read write');
  assert.equal(redeemed.token.expires_in, 1800);
  assert.equal(redeemed.token.refresh_token_expires_in, 2_592_000);
  assert.equal(redeemed.expired(), false);
  assert.ok(await current(redeemed.token.access_token));
  return redeemed;
});

const second = await exercise('default paths: a refresh replaces both tokens, not the record', async () => {
  const before = await current(first.token.access_token);
  const refreshed = await first.refresh();
  assert.notEqual(refreshed.token.access_token, first.token.access_token);
  assert.notEqual(refreshed.token.refresh_token, first.token.refresh_token);
  assert.equal(await current(first.token.access_token), undefined);
  assert.equal((await current(refreshed.token.access_token)).id, before.id);
  return refreshed;
});

await exercise('default paths: revokeAll, though the first revocation already ended both', async () => {
  await second.revokeAll();
  assert.equal(await current(second.token.access_token), undefined);
  await assert.rejects(second.refresh(), refused('invalid_grant', 400));
});

await exercise('default paths: revoking the refresh token ends the access token too', async () => {
  const redeemed = await standard.getToken({ code: await code(standard), redirect_uri: redirectUri });
  await redeemed.revoke('refresh_token');
  assert.equal(await current(redeemed.token.access_token), undefined);
});

await exercise('default paths: a code that was never issued is invalid_grant', () =>
  assert.rejects(
    standard.getToken({ code: 'c'.repeat(64), redirect_uri: redirectUri }),
    refused('invalid_grant', 400),
  ));

await exercise('default paths: a wrong secret is invalid_client', () => {
  const wrong = { client: { id, secret: `${secret.slice(0, -1)}!` }, auth: { tokenHost: setup.base } };
  const stranger = new AuthorizationCode(wrong);
  return assert.rejects(
    stranger.getToken({ code: 'c'.repeat(64), redirect_uri: redirectUri }),
    refused('invalid_client', 401),
  );
});

await exercise('default paths: client credentials give no refresh token', async () => {
  const grant = new ClientCredentials({ client: { id, secret }, auth: { tokenHost: setup.base } });
  const granted = await grant.getToken({ scope: 'read' });
  assert.equal(granted.token.scope, 'read');
  assert.equal(granted.token.refresh_token, undefined);
  assert.equal((await current(granted.token.access_token)).user_id, setup.confidential.user_id);
  await granted.revoke('access_token');
  assert.equal(await current(granted.token.access_token), undefined);
});

for (const bodyFormat of ['form', 'json']) {
  const door = new AuthorizationCode({
    client: { id, secret },
    auth: { tokenHost: setup.base, tokenPath: '/oauth/tokens' },
    options: { bodyFormat, authorizationMethod: bodyFormat === 'json' ? 'body' : 'header' },
  });

  await exercise(`/oauth/tokens, ${bodyFormat} body: silent about expires_in unless asked`, async () => {
    const silent = await door.getToken({ code: await code(door), redirect_uri: redirectUri });
    assert.equal(silent.token.expires_in, undefined);
    assert.ok((await current(silent.token.access_token)).expires_at);
    const told = await door.getToken({
      code: await code(door),
      redirect_uri: redirectUri,
      expires_in: 600,
    });
    assert.equal(told.token.expires_in, 600);
  });

  await exercise(`/oauth/tokens, ${bodyFormat} body: refresh`, async () => {
    const granted = await door.getToken({ code: await code(door), redirect_uri: redirectUri });
    const refreshed = await granted.refresh();
    assert.equal(await current(granted.token.access_token), undefined);
    assert.ok(await current(refreshed.token.access_token));
  });

  await exercise(`/oauth/tokens, ${bodyFormat} body: the standard's errors`, () =>
    assert.rejects(
      door.getToken({ code: 'c'.repeat(64), redirect_uri: redirectUri }),
      refused('invalid_grant', 400),
    ));
}

finish(version);
