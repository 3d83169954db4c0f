// What `index.d.ts` says of the package is true of it: `types.ts` is checked against it, and then
// runs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import ts from 'typescript';

test('the declarations are true, and a block with `await using` stops a twin', async () => {
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    outDir: 'compiled',
  };
  const checked = ts.createProgram(['types.ts'], options);
  const { diagnostics } = checked.emit();
  const found = [...ts.getPreEmitDiagnostics(checked), ...diagnostics];
  assert.equal(ts.formatDiagnostics(found, ts.createCompilerHost(options)), '');
  const { stdout } = await promisify(execFile)(process.execPath, ['compiled/types.js']);
  assert.equal(stdout, 'stopped\n');
});
