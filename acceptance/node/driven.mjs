// A client that is driven line by line: a JSON object in for each thing to do, one out for what came
// of it. The first line out names what is driven. What is printed meanwhile goes to standard error.

import { createInterface } from 'node:readline';
import { Visitor, goOn, setup } from './support.mjs';

export const redirectUri = 'http://127.0.0.1:7311/callback';
export const me = `${setup.base}/api/v2/users/me.json`;

for (const name of ['log', 'info', 'debug']) {
  console[name] = console.error;
}

class WrongAnswer extends Error {}
class Hangs extends Error {}

/** Longer than anything takes that comes to an end, in seconds. */
const PATIENCE = 10;

/** What a job comes to, or the error that it comes to nothing. */
async function finished(job) {
  let timer;
  const over = new Promise((_, reject) => {
    const told = `neither an answer nor an error within ${PATIENCE} seconds`;
    timer = setTimeout(() => reject(new Hangs(told)), PATIENCE * 1000);
  });
  try {
    return await Promise.race([job, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** No error, and not what was asked for either. */
export function expect(told, expected) {
  if (JSON.stringify(told) !== JSON.stringify(expected)) {
    throw new WrongAnswer(`${JSON.stringify(told)} in place of ${JSON.stringify(expected)}`);
  }
}

/** Where somebody who signs in and allows the client is sent. */
export function consent(account, address) {
  return new Visitor(account).authorize(address);
}

/** What an application does with an access token, by no client's own means. */
export async function read(account, accessToken) {
  const response = await fetch(me, { headers: { authorization: `Bearer ${accessToken}` } });
  if (!response.ok) {
    throw new Error(`${response.status} ${response.statusText}`);
  }
  expect((await response.json()).user.email, account.email);
}

/** Does what each line says, until there are no more. */
export async function drive(driven, what) {
  const tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
  tell({ driven: what });
  for await (const line of createInterface({ input: process.stdin })) {
    goOn();
    const { do: name, ...asked } = JSON.parse(line);
    try {
      tell({ told: (await finished(driven[name](asked))) ?? null });
    } catch (error) {
      tell({ error: `${error?.constructor?.name}: ${error?.message ?? JSON.stringify(error)}` });
    }
  }
}
