// What a twin tells. No picture that `util.inspect` draws of a record shows a credential, so that
// none stands in the report of a failed test; the members hold them in full.

import { inspect } from 'node:util';

/** The members that are credentials. */
const SECRETS = new Set([
  'accessToken',
  'apiToken',
  'clientSecret',
  'code',
  'location',
  'password',
  'refreshToken',
  'secret',
  'token',
  'variables',
]);

const TIMES = new Set(['at', 'now', 'expiresAt', 'refreshTokenExpiresAt']);

/** A record of this package: it is inspected without its credentials. */
class Record {
  constructor(members) {
    Object.assign(this, members);
  }

  [inspect.custom](depth, options) {
    const shown = Object.entries(this).map(([name, value]) => {
      const hidden = SECRETS.has(name) && value !== undefined;
      return [name, hidden ? '…' : value];
    });
    return inspect(Object.fromEntries(shown), { ...options, depth });
  }
}

/**
 * A record out of a twin's JSON: its names in this language's case, its times as `Date`, and what
 * is `null` there as absent.
 */
export function record(value) {
  if (Array.isArray(value)) return value.map(record);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const members = Object.entries(value).map(([name, member]) => {
    const camel = name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    const isTime = TIMES.has(camel) && typeof member === 'string';
    return [camel, isTime ? new Date(member) : record(member)];
  });
  return new Record(Object.fromEntries(members));
}

/** What `tokenry twin --json` and `GET /twin/connect` tell. */
export function connectionDetails(value) {
  const pairs = (list, name, what) => Object.fromEntries(list.map((it) => [it[name], it[what]]));
  return new Record({
    baseUrl: value.base_url,
    subdomain: value.subdomain,
    profile: value.profile,
    addresses: pairs(value.addresses, 'name', 'url'),
    credentials: record(value.credentials),
    variables: pairs(value.variables, 'name', 'value'),
    https: value.https && record(value.https),
  });
}

/** A call that is over; as text it is a line. */
class JournalEntry extends Record {
  toString() {
    const struck = this.faults.length > 0 ? ` [${this.faults.join(', ')}]` : '';
    const call = `${String(this.number).padStart(4)} ${this.method} ${this.path}`;
    return `${call} → ${this.status ?? 'no answer'}${struck}: ${this.outcome}`;
  }
}

/** Calls, the oldest first; as text they are a line each. */
class Journal extends Record {
  [Symbol.iterator]() {
    return this.entries[Symbol.iterator]();
  }

  toString() {
    return this.entries.join('\n');
  }
}

/** What `GET /twin/journal` tells. The bodies in it keep the names that they have on the wire. */
export function journal(value) {
  const entries = value.entries.map(({ request, answer, ...entry }) => {
    const bodies = { request: request ?? undefined, answer: answer ?? undefined };
    return new JournalEntry({ ...record(entry), ...bodies });
  });
  const { last, dropped, cleared } = value;
  return new Journal({ entries, last, dropped, cleared });
}
