// The program `tokenry twin`: found, started, and ended with whoever started it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { BinaryNotFound, StartError } from './errors.js';

const PROGRAM = process.platform === 'win32' ? 'tokenry.exe' : 'tokenry';
/** As long as it may take to serve, in milliseconds: some tens, but for a machine that is busy. */
const START_MAX = 30_000;
/** As long as calls in flight may hold up its end, in milliseconds. */
const STOP_MAX = 10_000;
/** As much of its last words as an error repeats, in characters. */
const TOLD_MAX = 2_000;

const HOW_TO_GET =
  'Build it (cargo build --release -p tokenry-cli, in a checkout of Tokenry) or install it ' +
  '(cargo install --locked --path crates/cli), and put it on PATH or name it in TOKENRY_BIN.';

// Taken at the start: a test's fake timers must not stop the watch over a start or a stop.
const { setTimeout, clearTimeout } = globalThis;

/**
 * The path of the program: `TOKENRY_BIN`, else on `PATH`, else the one that was built last in
 * `target/release` or `target/debug` of this folder or one above, or of the checkout that this
 * package lies in.
 *
 * @throws {BinaryNotFound} A `TOKENRY_BIN` that is no program is never passed over.
 */
export function findBinary() {
  const named = process.env.TOKENRY_BIN;
  if (named) {
    const found = named.includes(sep) ? [resolve(named)].find(isProgram) : onPath(named);
    if (found === undefined) {
      throw new BinaryNotFound(`TOKENRY_BIN=${named} is no program that can be run. ${HOW_TO_GET}`);
    }
    return found;
  }
  const found = onPath(PROGRAM) ?? builtLast();
  if (found === undefined) {
    throw new BinaryNotFound(
      `No program ${PROGRAM}: TOKENRY_BIN is not set, it is not on PATH, and not in ` +
        `target/release or target/debug of this folder or one above. ${HOW_TO_GET}`,
    );
  }
  return found;
}

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function builtLast() {
  const folders = [...upFrom(process.cwd()), ...upFrom(dirname(fileURLToPath(import.meta.url)))];
  const checkouts = folders.filter((folder) => existsSync(join(folder, 'Cargo.toml')));
  const targets = checkouts.map((folder) => join(folder, 'target'));
  if (process.env.CARGO_TARGET_DIR) targets.unshift(resolve(process.env.CARGO_TARGET_DIR));
  const built = targets
    .flatMap((target) => ['release', 'debug'].map((kind) => join(target, kind, PROGRAM)))
    .filter(isProgram);
  const time = (path) => statSync(path).mtimeMs;
  return built.reduce((last, path) => (last && time(last) >= time(path) ? last : path), undefined);
}

function* upFrom(folder) {
  for (let at = resolve(folder); ; at = dirname(at)) {
    yield at;
    if (at === dirname(at)) return;
  }
}

/**
 * A running `tokenry twin`. It ends when its standard input does, and so with this process, however
 * that ends; it keeps this process from ending no longer than it takes to start and to stop.
 */
export class Process {
  #child;
  #told = '';
  #closed;

  constructor(child) {
    this.#child = child;
    this.#closed = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#told = (this.#told + text).slice(-TOLD_MAX);
    });
    // Each of them comes with its end, which `close` tells.
    for (const broken of [child, child.stdin]) broken.on('error', () => {});
  }

  /** Resolves once it serves, to the process and what it printed. */
  static async start(flags, binary = findBinary()) {
    const words = ['twin', '--port', '0', '--json', '--stop-with-stdin', ...flags];
    const child = spawn(binary, words, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new BinaryNotFound(`${binary} cannot be run: ${error.code}. ${HOW_TO_GET}`);
    }
    const process = new Process(child);
    const details = await process.#firstLine(binary);
    for (const held of [child, child.stdin, child.stdout, child.stderr]) held.unref();
    return { process, details };
  }

  get pid() {
    return this.#child.pid;
  }

  async #firstLine(binary) {
    const watch = setTimeout(() => this.#child.kill('SIGKILL'), START_MAX);
    const lines = createInterface({ input: this.#child.stdout });
    const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
    clearTimeout(watch);
    lines.close();
    try {
      return JSON.parse(line);
    } catch {
      // What it printed is not shown: it could be the half of a line with credentials.
      const { status, told } = await this.stop();
      const words = told || 'it said nothing';
      throw new StartError(`${binary} twin did not start (status ${status}): ${words}`);
    }
  }

  /** Ends it, and resolves to its status and what it wrote to standard error. */
  async stop() {
    for (const held of [this.#child, this.#child.stdout, this.#child.stderr]) held.ref?.();
    const watch = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MAX);
    this.#child.stdout.resume();
    this.#child.stdin.end();
    const status = await this.#closed;
    clearTimeout(watch);
    return { status, told: this.#told.trim() };
  }
}
