// A running twin and what tests turn of it.

import { Control } from './control.js';
import { ControlError } from './errors.js';
import { Process } from './process.js';
import { connectionDetails, journal, record } from './records.js';

/** The flags of `tokenry twin`, by the options that become them. */
const FLAGS = {
  profile: '--profile',
  seed: '--seed',
  data: '--data',
  expiry: '--expiry',
  rotation: '--rotation',
  subdomain: '--subdomain',
  https: '--https',
  clock: '--clock',
  faultSeed: '--fault-seed',
  scenario: '--scenario',
};

function flags({ faults = [], binary: _, ...options }) {
  const unknown = Object.keys(options).filter((name) => !(name in FLAGS));
  if (unknown.length > 0) {
    const known = [...Object.keys(FLAGS), 'faults', 'binary'].join(', ');
    throw new TypeError(`startTwin has no option ${unknown.join(', ')}: they are ${known}`);
  }
  // Any free port.
  const https = options.https ? 0 : undefined;
  const given = Object.entries({ ...options, https }).filter(([, value]) => value !== undefined);
  const words = given.map(([name, value]) => `${FLAGS[name]}=${text(value)}`);
  return [...words, ...faults.map((rule) => `--fault=${rule}`)];
}

function text(value) {
  return value instanceof Date ? time(value) : String(value);
}

/** A twin's clock counts whole seconds. */
function time(value) {
  return typeof value === 'string' ? value : value.toISOString().replace(/\.\d+Z$/, 'Z');
}

function snapshotPath(name) {
  return `/twin/snapshots/${encodeURIComponent(name)}`;
}

/** Starts one on a free port of this machine and resolves once it serves. */
export async function startTwin(options = {}) {
  const { process, details } = await Process.start(flags(options), options.binary);
  return new Twin(details.base_url, process);
}

/** One that somebody else has started, as a service container for example. */
export async function twinAt(baseUrl) {
  const twin = new Twin(baseUrl.replace(/\/+$/, ''));
  await twin.clock.read();
  return twin;
}

class Twin {
  #process;
  #control;

  constructor(baseUrl, process) {
    this.#process = process;
    this.#control = new Control(baseUrl);
    this.baseUrl = baseUrl;
    this.clock = new Clock(this.#control);
  }

  get pid() {
    return this.#process?.pid;
  }

  async profile() {
    return (await this.#control.call('GET', '/twin/state')).profile;
  }

  async details() {
    return connectionDetails(await this.#control.call('GET', '/twin/connect'));
  }

  async env() {
    return (await this.details()).variables;
  }

  async account() {
    return record((await this.#control.call('GET', '/twin/state')).account);
  }

  async reset(profile) {
    await this.#control.call('POST', '/twin/reset', { body: { profile } });
  }

  async fault(rule) {
    const body = typeof rule === 'string' ? { text: rule } : rule;
    return new Fault(this.#control, await this.#control.call('POST', '/twin/faults', { body }));
  }

  async faults() {
    const { faults } = await this.#control.call('GET', '/twin/faults');
    return faults.map((value) => new Fault(this.#control, value));
  }

  async clearFaults() {
    await this.#control.call('DELETE', '/twin/faults');
  }

  async scenario(scenario) {
    const body = typeof scenario === 'string' ? { name: scenario } : scenario;
    await this.#control.call('POST', '/twin/scenario', { body });
  }

  async journal({ since = 0, path, status, faults, wait = 0 } = {}) {
    const query = {
      since,
      path,
      status,
      faults: faults ? true : undefined,
      wait: wait > 0 ? `${Math.round(wait)}ms` : undefined,
    };
    return journal(await this.#control.call('GET', '/twin/journal.json', { query, wait }));
  }

  async clearJournal() {
    await this.#control.call('DELETE', '/twin/journal');
  }

  async snapshot(name) {
    await this.#control.call('POST', snapshotPath(name));
  }

  async restore(name) {
    await this.#control.call('POST', `${snapshotPath(name)}/restore`);
  }

  async forgetSnapshot(name) {
    await this.#control.call('DELETE', snapshotPath(name));
  }

  async snapshots() {
    return (await this.#control.call('GET', '/twin/snapshots')).snapshots;
  }

  async issueToken({ grantType, expiresIn, refreshTokenExpiresIn, ...asked }) {
    const body = {
      ...asked,
      grant_type: grantType,
      expires_in: expiresIn,
      refresh_token_expires_in: refreshTokenExpiresIn,
    };
    return record(await this.#control.call('POST', '/twin/tokens', { body }));
  }

  async authorize({ redirectUri, codeChallenge, ...asked }) {
    const body = { ...asked, redirect_uri: redirectUri, code_challenge: codeChallenge };
    return record(await this.#control.call('POST', '/twin/codes', { body }));
  }

  async expireToken(id) {
    await this.#control.call('POST', `/twin/tokens/${id}/expire`);
  }

  async revokeToken(id) {
    await this.#control.call('POST', `/twin/tokens/${id}/revoke`);
  }

  async rotateToken(id) {
    await this.#control.call('POST', `/twin/tokens/${id}/rotate`);
  }

  async stop() {
    await this.#process?.stop();
  }

  async [Symbol.asyncDispose]() {
    await this.stop();
  }
}

class Clock {
  #control;

  constructor(control) {
    this.#control = control;
  }

  async read() {
    return record(await this.#control.call('GET', '/twin/clock'));
  }

  async now() {
    return (await this.read()).now;
  }

  set(to) {
    return this.#turn({ set: time(to) });
  }

  advance(span) {
    return this.#turn({ advance: span });
  }

  freeze() {
    return this.#turn({ frozen: true });
  }

  unfreeze() {
    return this.#turn({ frozen: false });
  }

  async #turn(body) {
    return record(await this.#control.call('POST', '/twin/clock', { body }));
  }
}

class Fault {
  #control;

  constructor(control, { id, text, matched, struck }) {
    this.#control = control;
    Object.assign(this, { id, text, matched, struck });
  }

  async remove() {
    try {
      await this.#control.call('DELETE', `/twin/faults/${this.id}`);
    } catch (error) {
      // It has ended already, by a reset for example.
      if (!(error instanceof ControlError) || error.status !== 404) throw error;
    }
  }

  async [Symbol.asyncDispose]() {
    await this.remove();
  }
}
