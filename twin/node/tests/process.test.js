// How the program is found, and that it never outlives who started it nor holds them up.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { BinaryNotFound, findBinary, startTwin } from 'tokenry-twin';

const kept = { ...process.env };
const place = process.cwd();
let nowhere;

before(() => {
  nowhere = realpathSync(mkdtempSync(join(tmpdir(), 'tokenry-twin-')));
});

after(() => rmSync(nowhere, { recursive: true }));

/** Runs a part in an environment and a folder of its own. */
async function within(environment, folder, part) {
  for (const name of ['TOKENRY_BIN', 'CARGO_TARGET_DIR']) delete process.env[name];
  Object.assign(process.env, environment);
  process.chdir(folder);
  try {
    return await part();
  } finally {
    process.chdir(place);
    for (const name of ['TOKENRY_BIN', 'CARGO_TARGET_DIR']) delete process.env[name];
    Object.assign(process.env, kept);
  }
}

function program(...path) {
  const file = join(nowhere, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\nexit 3\n');
  chmodSync(file, 0o755);
  return file;
}

test('where there is none it says how to get one', async () => {
  const PATH = join(nowhere, 'none');
  await within({ PATH, TOKENRY_BIN: 'no-such-tokenry' }, nowhere, async () => {
    await assert.rejects(startTwin(), (error) => {
      assert.ok(error instanceof BinaryNotFound);
      assert.match(error.message, /TOKENRY_BIN=no-such-tokenry is no program/);
      assert.match(error.message, /cargo build --release -p tokenry-cli/);
      return true;
    });
  });
  await assert.rejects(startTwin({ binary: join(nowhere, 'no-such') }), /cannot be run: ENOENT/);
  await assert.rejects(startTwin({ binary: program('broken') }), /did not start \(status 3\)/);
});

test('the variable goes before the path, and the path before what was built last', async () => {
  writeFileSync(join(nowhere, 'Cargo.toml'), '');
  const older = program('target', 'release', 'tokenry');
  const newer = program('target', 'debug', 'tokenry');
  utimesSync(older, 1, 1);
  const deep = join(nowhere, 'deep', 'er');
  mkdirSync(deep, { recursive: true });
  const PATH = join(nowhere, 'bin');
  await within({ PATH }, deep, () => assert.equal(findBinary(), newer));
  const onPath = program('bin', 'tokenry');
  await within({ PATH }, deep, () => assert.equal(findBinary(), onPath));
  await within({ PATH, TOKENRY_BIN: older }, deep, () => assert.equal(findBinary(), older));
});

const START = "import { startTwin } from 'tokenry-twin'; const twin = await startTwin();";

/** A process that starts a twin and says which. */
function starter(more) {
  const script = `${START} console.log(twin.pid); ${more}`;
  const stdio = ['ignore', 'pipe', 'inherit'];
  return spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: place, stdio });
}

/** Resolves when the process is no more. There is no event of a process that is not one's child. */
async function isOver(pid) {
  await promisify(execFile)('tail', [`--pid=${pid}`, '--sleep-interval=0.05', '-f', '/dev/null']);
}

test('it ends with the process that started it, however that ends', async () => {
  const parent = starter('setInterval(() => {}, 1_000);');
  const [pid] = await once(createInterface({ input: parent.stdout }), 'line');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await isOver(pid);
});

test('a process that forgets to stop it ends all the same', async () => {
  const parent = starter('');
  const [pid] = await once(createInterface({ input: parent.stdout }), 'line');
  const [code] = await once(parent, 'exit');
  assert.equal(code, 0);
  await isOver(pid);
});
