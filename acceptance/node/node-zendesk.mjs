// node-zendesk, pointed at this server by `endpointUri`: tokens, clients, the caller, bearer mode.

import assert from 'node:assert/strict';
import zendesk from 'node-zendesk';
import { current, exercise, finish, pinned, setup } from './support.mjs';

const version = pinned('node-zendesk');
const endpointUri = `${setup.base}/api/v2`;
const { email, api_token: apiToken } = setup.admin;
const admin = zendesk.createClient({ username: email, token: apiToken, endpointUri });
const bearer = (token) => zendesk.createClient({ token, useOAuth: true, endpointUri });

await exercise('users.me tells who calls', async () => {
  const { result } = await admin.users.me();
  assert.equal(result.email, email);
  assert.equal(result.role, 'admin');
});

const client = await exercise('oauthclients.create answers the whole secret once', async () => {
  const { response, result } = await admin.oauthclients.create({
    name: 'Node exporter',
    identifier: 'node_exporter',
    redirect_uri: ['https://exporter.acme.test/callback'],
  });
  assert.equal(response.status, 201);
  assert.equal(result.client.secret.length, 64);
  assert.equal(result.client.kind, 'confidential');
  return result.client;
});

await exercise('oauthclients.show answers the secret cut to ten characters', async () => {
  const { result } = await admin.oauthclients.show(client.id);
  assert.equal(result.client.secret, client.secret.slice(0, 10));
});

await exercise('oauthclients.update changes what it names and nothing else', async () => {
  const { result } = await admin.oauthclients.update(client.id, { company: 'Acme Ltd' });
  assert.equal(result.client.company, 'Acme Ltd');
  assert.equal(result.client.name, 'Node exporter');
});

await exercise('oauthclients.generateSecret needs no body', async () => {
  const { result } = await admin.oauthclients.generateSecret(client.id);
  assert.equal(result.client.secret.length, 64);
  assert.notEqual(result.client.secret, client.secret);
});

await exercise('oauthclients.list holds the client', async () => {
  const clients = await admin.oauthclients.list();
  assert.ok(clients.some(({ identifier }) => identifier === 'node_exporter'));
});

await exercise('a second client of one identifier is refused with 422', () =>
  assert.rejects(
    admin.oauthclients.create({ name: 'Twin', identifier: 'NODE_EXPORTER' }),
    /422.*Unprocessable Entity/,
  ));

const token = await exercise('oauthtokens.create answers the whole token once', async () => {
  const request = { token: { client_id: client.id, scopes: ['read', 'write'] } };
  const { response, result } = await admin.oauthtokens.create(request);
  assert.equal(response.status, 201);
  assert.equal(result.token.length, 64);
  assert.deepEqual(result.scopes, ['read', 'write']);
  assert.equal(result.expires_at, undefined);
  return result;
});

await exercise('oauthtokens.show answers the record, its token cut', async () => {
  const { result } = await admin.oauthtokens.show(token.id);
  assert.equal(result.token, token.token.slice(0, 10));
  assert.equal(result.url, `${endpointUri}/tokens/${token.id}.json`);
  assert.equal(result.used_at, undefined);
});

await exercise('bearer mode: users.me, and the record notes the use', async () => {
  const { result } = await bearer(token.token).users.me();
  assert.equal(result.email, email);
  const { result: record } = await admin.oauthtokens.show(token.id);
  assert.match(record.used_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

await exercise('bearer mode: oauthtokens.current is the token itself', async () => {
  const { result } = await bearer(token.token).oauthtokens.current();
  assert.equal(result.id, token.id);
});

await exercise('oauthtokens.current without a bearer token is refused with 401', () =>
  assert.rejects(admin.oauthtokens.current(), /401.*Not Authorized/));

await exercise('a token with the scope read may not write', async () => {
  const request = { token: { client_id: client.id, scopes: ['read'] } };
  const { result } = await admin.oauthtokens.create(request);
  const reader = bearer(result.token);
  assert.equal((await reader.users.me()).result.email, email);
  await assert.rejects(reader.oauthclients.generateSecret(client.id), /403.*Forbidden/);
});

await exercise('oauthtokens.list follows the links through every page', async () => {
  const request = { token: { client_id: client.id, scopes: ['read'] } };
  const made = new Set();
  for (let count = 0; count < 120; count += 1) {
    made.add((await admin.oauthtokens.create(request)).result.id);
  }
  const pages = await admin.oauthtokens.list();
  assert.equal(pages.length, 2, 'two pages of at most a hundred');
  const listed = pages.flatMap((page) => page.tokens.map(({ id }) => id));
  assert.equal(new Set(listed).size, listed.length, 'no record twice');
  assert.ok([...made].every((id) => listed.includes(id)), 'no record missing');
});

await exercise('oauthtokens.revoke ends the token before it answers', async () => {
  await admin.oauthtokens.revoke(token.id);
  assert.equal(await current(token.token), undefined);
  await assert.rejects(admin.oauthtokens.show(token.id), /404.*Item not found/);
  await assert.rejects(bearer(token.token).users.me(), /401.*Not Authorized/);
});

await exercise('oauthclients.delete ends the client and its tokens', async () => {
  const request = { token: { client_id: client.id, scopes: ['read'] } };
  const { result } = await admin.oauthtokens.create(request);
  assert.ok(await current(result.token));
  await admin.oauthclients.delete(client.id);
  assert.equal(await current(result.token), undefined);
  await assert.rejects(admin.oauthclients.show(client.id), /404.*Item not found/);
});

finish(version);
