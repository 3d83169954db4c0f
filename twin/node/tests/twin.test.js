// Everything that a twin is turned by.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, beforeEach, test } from 'node:test';
import { connect } from 'node:tls';
import { inspect } from 'node:util';

import { ControlError, StartError, TwinError, startTwin, twinAt } from 'tokenry-twin';

const twin = await startTwin();
beforeEach(() => twin.reset('legacy'));
after(() => twin.stop());

/** The status of a token's look at itself. */
async function verify(twin, accessToken) {
  const headers = { authorization: `Bearer ${accessToken}` };
  const answer = await fetch(`${twin.baseUrl}/api/v2/oauth/tokens/current.json`, { headers });
  await answer.text();
  return answer.status;
}

async function seeded(twin, id) {
  return (await twin.account()).tokens.find((token) => token.id === id);
}

function refused(told, status) {
  return (error) => {
    assert.ok(error instanceof ControlError, inspect(error));
    assert.match(error.message, told);
    if (status !== undefined) assert.equal(error.status, status);
    return true;
  };
}

test('it tells what one needs to connect', async () => {
  const details = await twin.details();
  assert.equal(details.baseUrl, twin.baseUrl);
  assert.equal((await twin.env()).ZENDESK_SERVER_URL, twin.baseUrl);
  assert.equal(details.addresses['record API'], `${twin.baseUrl}/api/v2`);
  assert.deepEqual([details.subdomain, details.profile], ['acme', 'legacy']);
  const { email, apiToken, accessToken } = details.credentials;
  assert.equal(email, 'ada@acme.test');
  assert.equal(await verify(twin, accessToken), 200);
  const basic = Buffer.from(`${email}/token:${apiToken}`).toString('base64');
  const headers = { authorization: `Basic ${basic}` };
  const answer = await fetch(`${twin.baseUrl}/api/v2/users/me.json`, { headers });
  assert.equal((await answer.json()).user.email, email);
});

test('programs that call Zendesk itself are led to it', async () => {
  const other = await startTwin({ subdomain: 'globex', https: true });
  try {
    const { https, variables, credentials } = await other.details();
    assert.equal(https.proxy, variables.HTTPS_PROXY);
    assert.equal(https.caFile, variables.NODE_EXTRA_CA_CERTS);
    // As versions of Node.js do that take the proxy out of their environment.
    const asked = { path: 'globex.zendesk.com:443', method: 'CONNECT', agent: false };
    const [, socket] = await once(request(https.proxy, asked).end(), 'connect');
    const servername = 'globex.zendesk.com';
    const secure = connect({ socket, servername, ca: readFileSync(https.caFile) });
    secure.write(
      `GET /api/v2/users/me HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n` +
        `Authorization: Bearer ${credentials.accessToken}\r\n\r\n`,
    );
    assert.match(await text(secure), /^HTTP\/1\.1 200 /);
  } finally {
    await other.stop();
  }
});

test('the account holds every credential in full and no picture shows one', async () => {
  const [account, details] = [await twin.account(), await twin.details()];
  assert.deepEqual(
    account.users.slice(0, 2).map((user) => user.email),
    ['ada@acme.test', 'ben@acme.test'],
  );
  const token = account.tokens.find((token) => token.id === 1004);
  assert.equal(await verify(twin, token.accessToken), 200);
  assert.ok(token.refreshTokenExpiresAt > (await twin.clock.now()));
  const secrets = [...credentials(account), ...credentials(details.credentials)];
  assert.ok(secrets.length > 20);
  const deep = { depth: Infinity };
  const shown = [inspect(account, deep), inspect(details, deep), inspect(twin, deep)].join(' ');
  assert.deepEqual(
    secrets.filter((secret) => shown.includes(secret)),
    [],
  );
});

/** Every credential and password in it, by the names of the members. */
function* credentials(value) {
  const names = ['token', 'accessToken', 'refreshToken', 'secret', 'clientSecret', 'apiToken'];
  for (const [name, member] of Object.entries(value ?? {})) {
    if (typeof member === 'object') yield* credentials(member);
    else if ([...names, 'password'].includes(name)) yield member;
  }
}

test('the clock is set, turned on and stopped', async () => {
  assert.equal((await twin.clock.read()).frozen, false);
  await twin.clock.freeze();
  const midnight = Date.UTC(2027, 3, 30);
  const later = (milliseconds) => new Date(midnight + milliseconds);
  const month = 31 * 86_400_000;
  assert.deepEqual((await twin.clock.set(new Date(midnight))).now, later(0));
  assert.deepEqual((await twin.clock.set('2027-04-30T02:00:00+02:00')).now, later(0));
  assert.deepEqual((await twin.clock.advance('31d')).now, later(month));
  assert.deepEqual((await twin.clock.advance(-60)).now, later(month - 60_000));
  assert.ok((await twin.clock.read()).aheadSeconds > 0);
  assert.equal((await twin.clock.unfreeze()).frozen, false);
  await assert.rejects(
    twin.clock.advance('soon'),
    refused(/write seconds as a number, or text such as "31d"/),
  );
});

test('a fault is in force until it is removed, by hand or with its block', async () => {
  const { accessToken } = (await twin.details()).credentials;
  const fault = await twin.fault('status=503 always');
  assert.equal(await verify(twin, accessToken), 503);
  assert.deepEqual(
    (await twin.faults()).map(({ id, text, struck }) => [id, text, struck]),
    [[fault.id, 'status=503 always', 1]],
  );
  await fault[Symbol.asyncDispose]();
  assert.equal((await twin.faults()).length, 0);
  assert.equal(await verify(twin, accessToken), 200);
  await twin.fault({ rate_limited: 7, times: 2 });
  const seen = [];
  for (let call = 0; call < 3; call += 1) seen.push(await verify(twin, accessToken));
  assert.deepEqual(seen, [429, 429, 200]);
  const cleared = await twin.fault('status=500 always');
  await twin.clearFaults();
  await cleared.remove();
  assert.equal(await verify(twin, accessToken), 200);
});

test('the journal tells of every call and can be searched', async () => {
  const { accessToken } = (await twin.details()).credentials;
  await verify(twin, accessToken);
  await twin.fault('status=503');
  await verify(twin, accessToken);
  const headers = { 'content-type': 'application/json' };
  const empty = { method: 'POST', body: '{}', headers };
  await (await fetch(`${twin.baseUrl}/oauth/tokens`, empty)).text();
  const journal = await twin.journal();
  const [first, second, third] = journal;
  assert.deepEqual(
    [first.method, first.status, first.path],
    ['GET', 200, '/api/v2/oauth/tokens/current.json'],
  );
  assert.match(String(journal), /→ 503 \[status=503\]: /);
  assert.ok(!inspect(journal, { depth: Infinity }).includes(accessToken));
  assert.deepEqual(second.faults, ['status=503']);
  assert.ok(Math.abs(first.at - (await twin.clock.now())) < 60_000);
  assert.equal(journal.last, third.number);
  const numbers = async (query) => (await twin.journal(query)).entries.map(({ number }) => number);
  assert.deepEqual(await numbers({ since: first.number }), [second.number, third.number]);
  assert.deepEqual(await numbers({ path: '/oauth/' }), [third.number]);
  assert.deepEqual(await numbers({ status: '5xx' }), [second.number]);
  assert.deepEqual(await numbers({ status: 200 }), [first.number]);
  assert.deepEqual(await numbers({ faults: true }), [second.number]);
  assert.deepEqual(await numbers({ since: journal.last, wait: 10 }), []);
  await twin.clearJournal();
  assert.deepEqual(await numbers(), []);
  await assert.rejects(
    twin.journal({ status: 'bad' }),
    refused(/write a status as 404, a class as 4xx, or none/),
  );
});

test('a snapshot is gone back to as often as one likes', async () => {
  const token = await seeded(twin, 1004);
  const name = 'before / the migration?';
  await twin.snapshot(name);
  assert.deepEqual(await twin.snapshots(), [name]);
  for (let round = 0; round < 2; round += 1) {
    await twin.revokeToken(token.id);
    assert.equal(await verify(twin, token.accessToken), 401);
    await twin.restore(name);
    assert.equal(await verify(twin, token.accessToken), 200);
  }
  await twin.forgetSnapshot(name);
  await assert.rejects(twin.restore(name), refused(/there is no snapshot/));
});

test('a token expires, is revoked and rotated without its client', async () => {
  for (const [turn, told] of [
    ['expireToken', /is over already/],
    ['rotateToken', undefined],
    ['revokeToken', /is not there/],
  ]) {
    await twin.reset();
    const token = await seeded(twin, 1004);
    assert.equal(await verify(twin, token.accessToken), 200);
    await twin[turn](token.id);
    assert.equal(await verify(twin, token.accessToken), 401, turn);
    if (told) await assert.rejects(twin[turn](token.id), refused(told, 404));
  }
});

test('tokens and codes are had without a browser', async () => {
  const asked = { client: 'acme_mobile', user: 'cleo@acme.test', scopes: ['read'] };
  const token = await twin.issueToken({ ...asked, expiresIn: 300 });
  assert.equal(await verify(twin, token.accessToken), 200);
  assert.ok(token.expiresAt - (await twin.clock.now()) <= 300_000);
  await twin.rotateToken(token.id);
  assert.equal(await verify(twin, token.accessToken), 401);
  const { clients } = await twin.account();
  const client = clients.find(({ identifier }) => identifier === 'acme_reports');
  const consent = { client: client.id, user: 29, scopes: ['read'], state: 'xyz' };
  const code = await twin.authorize(consent);
  assert.ok(code.location.startsWith(client.redirectUri[0]));
  assert.match(code.location, /state=xyz/);
  assert.ok(!inspect(code).includes(code.code));
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code.code,
    client_id: client.identifier,
    client_secret: client.secret,
    redirect_uri: client.redirectUri[0],
  });
  const redeemed = await fetch(`${twin.baseUrl}/oauth/tokens`, { method: 'POST', body });
  assert.equal(await verify(twin, (await redeemed.json()).access_token), 200);
  await assert.rejects(
    twin.issueToken({ client: 'acme_mobile', scopes: ['read'] }),
    refused(/./, 400),
  );
});

test('a reset brings everything back, the profile of the start too', async () => {
  const token = await seeded(twin, 1004);
  await twin.revokeToken(token.id);
  await twin.clock.advance('400d');
  await twin.fault('status=500 always');
  await twin.reset();
  assert.equal(await verify(twin, token.accessToken), 200);
  assert.equal((await twin.journal()).entries.length, 1);
  await twin.reset('after-2027-04-30');
  assert.equal(await twin.profile(), 'after-2027-04-30');
  await twin.reset();
  assert.equal(await twin.profile(), 'legacy');
  await assert.rejects(twin.reset('lagacy'), refused(/expected one of `legacy`/, 400));
});

test('a scenario runs from its beginning', async () => {
  await twin.scenario('lost-refresh-answer');
  assert.deepEqual(
    (await twin.faults()).map(({ text }) => text),
    ['lose-answer route=refresh'],
  );
  assert.equal(await twin.profile(), 'refreshing');
  await assert.rejects(twin.scenario('flaky-gatway'), refused(/flaky-gateway/));
});

test('two twins share nothing', async () => {
  const one = await startTwin();
  const other = await startTwin({ subdomain: 'globex', faults: ['status=500 always'] });
  try {
    const { accessToken } = (await one.details()).credentials;
    assert.equal(await verify(one, accessToken), 200);
    assert.equal(await verify(other, accessToken), 500);
    assert.equal((await other.details()).subdomain, 'globex');
    await other.reset();
    assert.deepEqual(
      (await other.faults()).map(({ text }) => text),
      ['status=500 always'],
    );
    assert.deepEqual(await one.faults(), []);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
});

test('it starts at a time and with an account that are given', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenry-twin-'));
  try {
    const seed = join(folder, 'account.toml');
    const eve = 'email = "eve@globex.test"\nrole = "admin"\npassword = "eve-password"\n';
    writeFileSync(seed, `[[users]]\n${eve}`);
    const clock = new Date('2027-05-01T00:00:00Z');
    const twin = await startTwin({ seed, clock });
    try {
      assert.deepEqual(
        (await twin.account()).users.map(({ email }) => email),
        ['eve@globex.test'],
      );
      assert.ok((await twin.clock.now()) - clock < 300_000);
    } finally {
      await twin.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const wrong = { name: 'StartError', message: /legacy, refreshing, enforced, after-2027-04-30/ };
  await assert.rejects(startTwin({ profile: 'lagacy' }), wrong);
  await assert.rejects(startTwin({ profile: 'lagacy' }), StartError);
  await assert.rejects(startTwin({ profil: 'legacy' }), /startTwin has no option profil: they are/);
});

test('a twin that runs already is taken and left running', async () => {
  const same = await twinAt(`${twin.baseUrl}/`);
  await same.reset('enforced');
  assert.deepEqual([same.baseUrl, same.pid], [twin.baseUrl, undefined]);
  await same.stop();
  assert.equal(await twin.profile(), 'enforced');
});

test('a twin that has been stopped says so, and can be stopped again', async () => {
  const twin = await startTwin();
  await twin.stop();
  await twin.stop();
  await assert.rejects(twin.reset(), (error) => {
    assert.ok(error instanceof TwinError);
    assert.equal(error.status, undefined);
    assert.match(error.message, /has it been stopped\?/);
    return true;
  });
  await assert.rejects(twinAt(twin.baseUrl), ControlError);
});
