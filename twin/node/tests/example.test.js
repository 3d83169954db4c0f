// How an integration is tested against a twin: an unmodified client, and what goes wrong.

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';

import { startTwin } from 'tokenry-twin';

import { Reports, SignInAgain } from './reports.js';

const twin = await startTwin();
beforeEach(() => twin.reset('refreshing'));
after(() => twin.stop());

/** The integration with a pair of the account's, and every pair that it has kept since. */
async function connect(twin) {
  const { refresh } = (await twin.details()).credentials;
  const { tokens } = await twin.account();
  const pair = tokens.find((token) => token.refreshToken === refresh.refreshToken);
  const kept = [];
  const token = { access_token: pair.accessToken, refresh_token: pair.refreshToken };
  const reports = new Reports(twin.baseUrl, refresh.clientId, token, (next) => kept.push(next));
  return { reports, kept, refresh };
}

const statuses = (journal) => journal.entries.map((entry) => entry.status);

test('a client survives an expired token', async () => {
  const { reports, kept, refresh } = await connect(twin);
  assert.equal((await reports.me()).email, 'cleo@acme.test');
  await twin.clock.advance('1d');
  assert.equal((await reports.me()).email, 'cleo@acme.test');
  assert.deepEqual(statuses(await twin.journal()), [200, 401, 201, 200]);
  assert.equal(kept.length, 1);
  assert.notEqual(kept[0].refresh_token, refresh.refreshToken);
});

test('a client whose refresh answer is lost asks for a sign-in and does not loop', async () => {
  const { reports, kept } = await connect(twin);
  await twin.clock.advance('1d');
  const lost = await twin.fault('lose-answer route=refresh');
  await assert.rejects(reports.me(), SignInAgain);
  const { entries } = await twin.journal({ path: '/oauth/' });
  assert.deepEqual(statuses({ entries }), [undefined, 400]);
  assert.deepEqual(entries[0].faults, ['lose-answer']);
  const told = (await twin.faults()).find((fault) => fault.id === lost.id);
  assert.equal(told.struck, 1);
  assert.equal(kept.length, 0);
});

test('a server that forgives gives a lost refresh answer again', async () => {
  const twin = await startTwin({ profile: 'refreshing', rotation: 'forgiving' });
  try {
    const { reports, kept } = await connect(twin);
    await twin.clock.advance('1d');
    await twin.fault('lose-answer route=refresh');
    assert.equal((await reports.me()).email, 'cleo@acme.test');
    assert.deepEqual(statuses(await twin.journal({ path: '/oauth/' })), [undefined, 201]);
    assert.equal(kept.length, 1);
  } finally {
    await twin.stop();
  }
});

test('a client whose token is revoked asks for a sign-in', async () => {
  const { reports } = await connect(twin);
  await twin.revokeToken(1004);
  await assert.rejects(reports.me(), SignInAgain);
  assert.deepEqual(statuses(await twin.journal()), [401, 400]);
});
