// A test in TypeScript as others write it; `types.test.js` compiles and runs it.

import assert from 'node:assert/strict';

import { ControlError, startTwin } from 'tokenry-twin';
import type { Account, JournalEntry, Profile, Twin } from 'tokenry-twin';

const profile: Profile = 'refreshing';
let kept: Twin;
{
  await using twin = await startTwin({ profile, faultSeed: 7, faults: ['delay=1ms every=1000'] });
  kept = twin;
  const account: Account = await twin.account();
  const token = account.tokens.find(({ id }) => id === 1004);
  assert.ok(token?.refreshToken !== undefined && token.expiresAt !== undefined);
  {
    await using fault = await twin.fault('status=503 always');
    const headers = { authorization: `Bearer ${token.accessToken}` };
    const answer = await fetch(`${twin.baseUrl}/api/v2/users/me.json`, { headers });
    assert.equal(answer.status, 503);
    assert.equal(fault.struck, 0);
  }
  assert.equal((await twin.faults()).length, 1);
  const entries: JournalEntry[] = (await twin.journal({ status: '5xx' })).entries;
  assert.deepEqual(entries.map(({ faults }) => faults), [['status=503']]);
  await twin.clock.set(token.expiresAt);
  // @ts-expect-error A profile that there is not.
  await assert.rejects(twin.reset('lagacy'), ControlError);
}
await assert.rejects(kept.reset(), ControlError);
console.log('stopped');
