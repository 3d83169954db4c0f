/**
 * Starts and turns a double of Zendesk's OAuth token API in tests. Start at {@link startTwin}.
 *
 * Whatever turns a twin throws {@link ControlError} when the twin refuses, with a message that says
 * what would be right.
 */

/** A state that Zendesk puts an account into. */
export type Profile = 'legacy' | 'refreshing' | 'enforced' | 'after-2027-04-30';
/** A time, or text such as `"2027-04-30T00:00:00Z"`. Whole seconds count. */
export type Time = Date | string;
/** A span of time: whole seconds, or text such as `"31d"`, `"90m"`, `"-1h"`. */
export type Span = number | string;
/** A fault as text, such as `"status=503 route=/oauth/* every=3"`, or the same words as members. */
export type Rule = string | Readonly<Record<string, unknown>>;
/** The name of a scenario that comes with the twin, or a whole one with the members of its file. */
export type Scenario = string | Readonly<Record<string, unknown>>;

/** The flags of `tokenry twin`; what is left out is as without the flag. */
export interface TwinOptions {
  profile?: Profile;
  /** A file that says who and what is in the account. */
  seed?: string;
  /** A folder to keep the account in; else it is in memory. */
  data?: string;
  /** `enforced`: access tokens expire after 30 minutes; `none`: never. */
  expiry?: 'enforced' | 'none';
  /** `single-use` refresh tokens, as at Zendesk, or `forgiving`. */
  rotation?: 'single-use' | 'forgiving';
  /** The account's name, `acme` of `acme.zendesk.com`. */
  subdomain?: string;
  /** Be `https://acme.zendesk.com` as well, by a proxy that {@link Twin.env} names. */
  https?: boolean;
  /** The time at which its clock starts. */
  clock?: Time;
  /** What goes wrong, also after each reset. */
  faults?: readonly string[];
  /** Decides which calls are struck by probability. */
  faultSeed?: number;
  /** A run of troubles: one that comes with it, or a file. */
  scenario?: string;
  /** The program; else where {@link findBinary} finds it. */
  binary?: string;
}

/**
 * Starts a twin on a free port of this machine and resolves once it serves.
 *
 * @throws {BinaryNotFound} There is no program `tokenry`.
 * @throws {StartError} It did not start, for an option that it does not take for example.
 */
export function startTwin(options?: TwinOptions): Promise<Twin>;

/**
 * A twin that somebody else has started, as a service container for example. It goes on after
 * {@link Twin.stop}.
 *
 * @throws {ControlError} There is none.
 */
export function twinAt(baseUrl: string): Promise<Twin>;

/**
 * The path of the program: `TOKENRY_BIN`, else on `PATH`, else the one that was built last in
 * `target/release` or `target/debug` of this folder or one above, or of the checkout that this
 * package lies in.
 *
 * @throws {BinaryNotFound} A `TOKENRY_BIN` that is no program is never passed over.
 */
export function findBinary(): string;

/**
 * A double of Zendesk that serves on this machine until it is stopped.
 *
 * Every twin is a process of its own: two share nothing. It ends with {@link Twin.stop}, at the end
 * of a block with `await using`, and at the latest with the process that started it, which it does
 * not keep from ending.
 */
export interface Twin extends AsyncDisposable {
  /** Where it is, without a slash at the end. */
  readonly baseUrl: string;
  /** The id of its process; `undefined` of one that somebody else has started. */
  readonly pid: number | undefined;
  /** The clock that everything in the twin goes by. */
  readonly clock: Clock;
  /** The profile that it is in now. */
  profile(): Promise<Profile>;
  /** What one needs to connect, as it is since the last reset. */
  details(): Promise<ConnectionDetails>;
  /** The variables that client libraries and code read, such as `ZENDESK_SERVER_URL`. */
  env(): Promise<Record<string, string>>;
  /** Everybody and everything that was planted, of each record with its newest tokens. */
  account(): Promise<Account>;
  /**
   * Everything as it was at the start: account, clock, faults, and an empty journal. In another
   * profile if one is named, until the next reset. Takes some milliseconds.
   */
  reset(profile?: Profile): Promise<void>;
  /**
   * Puts a fault in force: once, at the next call that it is for, unless it says otherwise. With
   * `await using` it ends with the block.
   */
  fault(rule: Rule): Promise<Fault>;
  /** The faults in force, with those that will strike no more. */
  faults(): Promise<Fault[]>;
  /** Ends every fault, also those that it was started with. */
  clearFaults(): Promise<void>;
  /**
   * Begins a run of troubles: its faults and turns of the clock in place of those there are. One
   * that names a profile resets the twin into it first.
   */
  scenario(scenario: Scenario): Promise<void>;
  /** Calls since the last reset, the oldest first. */
  journal(query?: JournalQuery): Promise<Journal>;
  /** Forgets every call. Their numbers go on. */
  clearJournal(): Promise<void>;
  /** Keeps this moment under a name of 1 to 100 characters. What had the name is gone. */
  snapshot(name: string): Promise<void>;
  /** Goes back to a moment. It can be gone back to again. */
  restore(name: string): Promise<void>;
  /** Forgets a moment. */
  forgetSnapshot(name: string): Promise<void>;
  /** The names of the moments that are kept. */
  snapshots(): Promise<string[]>;
  /** A token record as if its client had asked for it, without a browser. */
  issueToken(asked: IssueToken): Promise<Token>;
  /** An authorization code as if the user had consented; the client redeems it as ever. */
  authorize(asked: Authorize): Promise<Code>;
  /** Ends the access token of the record with this id now; its refresh token lives on. */
  expireToken(id: number): Promise<void>;
  /** Revokes the record with this id, access and refresh token alike. */
  revokeToken(id: number): Promise<void>;
  /** Refreshes the pair of the record with this id behind its client's back. */
  rotateToken(id: number): Promise<void>;
  /** Finishes what is in flight and ends the process. Doing it twice does nothing more. */
  stop(): Promise<void>;
}

/** What a token record is to be like. */
export interface IssueToken {
  /** Its identifier or id. */
  client: string | number;
  /** An e-mail address or id; of `client_credentials` it may be left out. */
  user?: string | number;
  /** What it may do, such as `["read"]`. */
  scopes: readonly string[];
  /** `authorization_code`, a pair, is the default; `created`: as through the record API. */
  grantType?: 'authorization_code' | 'client_credentials' | 'created';
  /** Seconds that the access token lives, 300 to 172,800; left out, as the profile says. */
  expiresIn?: number;
  /** Likewise of the refresh token, 604,800 to 7,776,000. */
  refreshTokenExpiresIn?: number;
}

/** What a user has consented to. */
export interface Authorize {
  /** Its identifier or id. */
  client: string | number;
  /** An e-mail address or id. */
  user: string | number;
  /** What was asked for, such as `["read"]`. */
  scopes: readonly string[];
  /** One of the client's; left out, its only one. */
  redirectUri?: string;
  /** S256; a public client must have one. */
  codeChallenge?: string;
  /** Given back unchanged in the `location`. */
  state?: string;
}

/** An authorization code that waits to be redeemed. */
export interface Code {
  /** Of the record whose tokens are given for the code. */
  readonly id: number;
  readonly code: string;
  /** The redirect address as the browser would be sent to it. */
  readonly location: string;
  readonly expiresAt: Date;
}

/** The clock of a twin. Whatever depends on time follows it at once. */
export interface Clock {
  /** What it shows. */
  read(): Promise<ClockReading>;
  /** The time, in whole seconds. */
  now(): Promise<Date>;
  /** Sets it. */
  set(time: Time): Promise<ClockReading>;
  /** Turns it on, or back if the span is negative. */
  advance(span: Span): Promise<ClockReading>;
  /** It stands still; setting and advancing it leave it so. */
  freeze(): Promise<ClockReading>;
  /** It goes on from where it stands. */
  unfreeze(): Promise<ClockReading>;
}

/** What a twin's clock shows. */
export interface ClockReading {
  readonly now: Date;
  /** Whether it stands still. */
  readonly frozen: boolean;
  /** How far it is ahead of the system's clock, in seconds. */
  readonly aheadSeconds: number;
}

/** A fault in force. With `await using` it ends with the block. */
export interface Fault extends AsyncDisposable {
  /** Counts from 1; never given again before all faults are cleared. */
  readonly id: number;
  /** The rule as text. */
  readonly text: string;
  /** How many calls it was for when it was read, struck or not. */
  readonly matched: number;
  /** How many it had struck when it was read. */
  readonly struck: number;
  /** Ends it. One that has ended already, by a reset for example, is passed over. */
  remove(): Promise<void>;
}

/** Which calls one wants to see; without anything all. */
export interface JournalQuery {
  /** Only those behind the call of this number. */
  since?: number;
  /** Only those whose path begins like this, such as `"/oauth/"`. */
  path?: string;
  /** Only those: `401`, `"4xx"`, or `"none"` where no answer was sent. */
  status?: number | string;
  /** `true`: only those that a fault struck. */
  faults?: boolean;
  /** Milliseconds to wait for the first one, at most 60,000. */
  wait?: number;
}

/** Calls, the oldest first. As text they are a line each. */
export interface Journal extends Iterable<JournalEntry> {
  readonly entries: JournalEntry[];
  /** The number of the newest call, whatever was asked for: from where to read on. */
  readonly last: number;
  /** How many older calls are no longer kept. */
  readonly dropped: number;
  /** The number of the newest call that was forgotten when the journal was cleared; 0: never. */
  readonly cleared: number;
}

/** A call that is over. It holds no secret. As text it is a line. */
export interface JournalEntry {
  /** Counts the calls of the twin from 1. */
  readonly number: number;
  /** When it came, by the twin's clock. */
  readonly at: Date;
  readonly method: string;
  /** With its query, without secrets. */
  readonly path: string;
  /** The row of the table of routes. */
  readonly route?: string;
  /** Absent: no answer was sent. */
  readonly status?: number;
  /** What became of it, in a sentence. */
  readonly outcome: string;
  readonly userId?: number;
  readonly clientId?: number;
  /** The record that it was about, or whose token it presented. */
  readonly recordId?: number;
  /** The public part of what it presented. */
  readonly credential?: string;
  /** What went wrong on purpose, as text. */
  readonly faults: string[];
  /** How long it took, in microseconds. */
  readonly micros: number;
  /** What was asked, without secrets, with the names of the wire. */
  readonly request?: unknown;
  /** What was answered, without secrets, with the names of the wire. */
  readonly answer?: unknown;
}

/** What one needs to connect. Inspected, as by a failed assertion, it shows no credential. */
export interface ConnectionDetails {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly subdomain: string;
  readonly profile: Profile;
  /** What has an address, by its name, such as `"record API"`. */
  readonly addresses: Record<string, string>;
  readonly credentials: Credentials;
  /** What client libraries and code read, such as `ZENDESK_SERVER_URL`: for `process.env`. */
  readonly variables: Record<string, string>;
  /** Absent: it was started without. */
  readonly https?: Https;
}

/** How programs get to a twin that call Zendesk's own address. */
export interface Https {
  /** For `HTTPS_PROXY`. */
  readonly proxy: string;
  /** The file with the certificate to trust, on the twin's machine; `/twin/ca.pem` holds it too. */
  readonly caFile: string;
}

/** One credential of each kind; absent where the account has none. */
export interface Credentials {
  /** Whom the API token works for. */
  readonly email?: string;
  readonly apiToken?: string;
  /** One without expiry where there is one. */
  readonly accessToken?: string;
  /** The identifier of a confidential client. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** The refresh token that lives longest, with its client. */
  readonly refresh?: Refresh;
  /** Who can sign in on the pages. */
  readonly signIns: SignIn[];
}

/** What a refresh needs. */
export interface Refresh {
  readonly refreshToken: string;
  readonly clientId: string;
  /** Absent: a public client. */
  readonly clientSecret?: string;
}

/** Who can sign in on the pages. */
export interface SignIn {
  readonly email: string;
  readonly password: string;
  readonly role: 'admin' | 'agent' | 'end-user';
}

/** Everybody and everything that was planted, of each record with its newest tokens. */
export interface Account {
  readonly users: User[];
  readonly clients: Client[];
  readonly apiTokens: ApiToken[];
  readonly tokens: Token[];
}

/** A user of the account. */
export interface User {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly role: 'admin' | 'agent' | 'end-user';
  /** Absent for users who do not sign in by password. */
  readonly password?: string;
  readonly verified: boolean;
  readonly suspended: boolean;
}

/** An OAuth client of the account. */
export interface Client {
  /** The resource id. */
  readonly id: number;
  /** The `client_id` of the grant endpoints. */
  readonly identifier: string;
  readonly name: string;
  readonly kind: 'confidential' | 'public';
  /** Absent: a public client. */
  readonly secret?: string;
  readonly redirectUri: string[];
  /** Who answers for it. */
  readonly userId: number;
  readonly disabled: boolean;
  /** Whether it is everybody's, and none of the account's own. */
  readonly global: boolean;
}

/** An API token of the account. */
export interface ApiToken {
  readonly id: number;
  readonly token: string;
  readonly description: string;
  /** Who made it. */
  readonly userId: number;
  /** Whom alone it works for. */
  readonly assignedUserId?: number;
  readonly active: boolean;
}

/** A token record with its credentials in full, as it was planted or issued. */
export interface Token {
  readonly id: number;
  readonly clientId: number;
  readonly userId: number;
  readonly scopes: string[];
  readonly accessToken: string;
  /** Absent: the access token does not expire. */
  readonly expiresAt?: Date;
  readonly refreshToken?: string;
  readonly refreshTokenExpiresAt?: Date;
}

/** Every error of this package. No message holds a credential. */
export class TwinError extends Error {}
/** There is no program `tokenry` where it is looked for; the message says how to get it. */
export class BinaryNotFound extends TwinError {}
/** The program ended, or said nothing, before it served; the message holds its last words. */
export class StartError extends TwinError {}
/** A twin refused to be turned, or could not be reached. */
export class ControlError extends TwinError {
  /** That of its answer; `undefined` where there was none. */
  readonly status: number | undefined;
  /** What is wrong and what would be right. */
  readonly description: string;
}
