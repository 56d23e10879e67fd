// Checks which WebAssembly features the package needs: those of Safari 15 and its contemporaries, and no SIMD (Safari 16.4).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const FEATURES = [
  'bulk-memory',
  'mutable-globals',
  'nontrapping-float-to-int',
  'sign-ext',
  'multivalue',
  'reference-types',
];

/** Throws if the module needs more than FEATURES. */
function validate(module: string): void {
  const enabled = FEATURES.map((feature) => `--enable-${feature}`);
  const command = [
    join(root, 'node_modules/.bin/wasm-opt'),
    module,
    '--mvp-features',
    ...enabled,
    '-o',
    '/dev/null',
  ];
  execFileSync(process.execPath, command, { stdio: 'pipe' });
}

test('the WebAssembly of the package needs no SIMD', () => {
  validate(join(root, 'npm/dist/client.wasm'));
});

test('a module with SIMD would be noticed', () => {
  const module = join(mkdtempSync(join(tmpdir(), 'multistream-simd-')), 'simd.wat');
  writeFileSync(module, '(module (func (export "f") (result v128) (v128.const i32x4 0 0 0 0)))');
  expect(() => validate(module)).toThrow(/error validating/);
});
