// What every script here shares: the set-up, pinned versions, and a visitor who signs in and
// consents by the pages' own forms, as a browser without scripts would.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import { parse } from 'node-html-parser';

// Node.js 18 has it, but not under this name; the OAuth libraries look for it there.
globalThis.crypto ??= webcrypto;

/** What the harness prepared: the server's address, people and registered clients. */
export const setup = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// A hang is a failure with a name, not a run that never ends.
const deadline = setTimeout(() => {
  console.error('FAILED: not done after two minutes');
  process.exit(1);
}, 120_000).unref();

/** Gives a script that has come further another two minutes. */
export const goOn = () => deadline.refresh();

let exercised = 0;

/** Runs one named part, and says so. */
export async function exercise(what, part) {
  try {
    const result = await part();
    exercised += 1;
    console.log(`  ok  ${what}`);
    return result;
  } catch (error) {
    console.error(`FAILED: ${what}`);
    throw error;
  }
}

/** The closing line of a script. */
export function finish(...packages) {
  console.log(`${exercised} parts exercised with ${packages.join(' and ')}`);
}

function manifest(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

/** The package's name and version, after checking that it is the pinned one. */
export function pinned(name) {
  const wanted = manifest('package.json').dependencies[name];
  const { version } = manifest(`node_modules/${name}/package.json`);
  assert.equal(version, wanted, `${name} is installed as ${version}, pinned as ${wanted}`);
  return `${name} ${version}`;
}

/** The record of an access token as it sees itself, or nothing when it is dead. */
export async function current(accessToken) {
  const response = await fetch(`${setup.base}/api/v2/oauth/tokens/current.json`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (response.status === 401) {
    assert.equal((await response.json()).error, 'invalid_token');
    return undefined;
  }
  assert.equal(response.status, 200);
  return (await response.json()).token;
}

/** Somebody with a browser: keeps cookies, follows redirects, fills in forms. */
export class Visitor {
  #cookies = new Map();

  constructor(person = setup.user) {
    this.person = person;
  }

  async #request(url, init) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...init?.headers, ...(cookie && { cookie }) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      this.#cookies.set(name, value);
    }
    return response;
  }

  /** Ends on a page of the server, or at the first address that is not the server's. */
  async open(url, init) {
    for (let hops = 0; hops < 10; hops += 1) {
      const response = await this.#request(url, init);
      const location = response.headers.get('location');
      if (location === null) {
        const page = parse(await response.text());
        return { url: new URL(url), status: response.status, page };
      }
      if (init?.method === 'POST') {
        assert.equal(response.status, 303, 'a form is answered with 303 See Other');
      }
      const next = new URL(location, url);
      if (next.origin !== new URL(setup.base).origin) {
        return { leftFor: next };
      }
      [url, init] = [next, undefined];
    }
    throw new Error(`redirected without end, at last to ${url}`);
  }

  /** Presses a button of the page, with the form's own fields and these. */
  async press(at, label, values = {}) {
    const button = at.page.querySelectorAll('button').find((b) => label.test(b.text.trim()));
    assert.ok(button, `no button ${label} on the page at ${at.url}: ${at.page.text}`);
    const form = button.closest('form');
    const fields = new URLSearchParams();
    for (const input of form.querySelectorAll('input[name]')) {
      fields.set(input.getAttribute('name'), input.getAttribute('value') ?? '');
    }
    for (const [name, value] of Object.entries(values)) {
      assert.ok(fields.has(name), `the form has no field ${name}`);
      fields.set(name, value);
    }
    if (button.hasAttribute('name')) {
      fields.set(button.getAttribute('name'), button.getAttribute('value') ?? '');
    }
    const action = new URL(form.getAttribute('action') ?? at.url, at.url);
    return this.open(action, { method: 'POST', body: fields });
  }

  /** Opens an authorization address, signs in when asked to, answers; where that leads. */
  async authorize(url, answer = /^allow/i) {
    let at = await this.open(url);
    if (at.page?.querySelector('input[type=password]')) {
      const { email, password } = this.person;
      at = await this.press(at, /^sign in/i, { email, password });
    }
    if (at.page) {
      at = await this.press(at, answer);
    }
    assert.ok(at.leftFor, `still on the server: ${at.status} ${at.page?.text.trim()}`);
    return at.leftFor;
  }
}
