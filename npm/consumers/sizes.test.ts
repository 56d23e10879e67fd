// What the parts of the package weigh in an app that uses them, bundled and minified. docs/npm.md has the table.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Installed } from './installed.js';

const REACT_ENTRY = /\/multistream-client\/dist\/(react\/|react\.js)/;
const ERROR_ALONE = "import { MultiStreamError } from 'multistream-client'; console.log(MultiStreamError);";
const CORE = "import { MultiStreamClient } from 'multistream-client'; console.log(MultiStreamClient);";
/** The imports of React, by what an app uses of the entry. */
const REACT = {
  everything: "import * as all from 'multistream-client/react'; console.log(Object.values(all));",
  'the hooks of tiles':
    "import { MultiStreamProvider, useTile } from 'multistream-client/react'; console.log(MultiStreamProvider, useTile);",
};

let installed: Installed;

beforeAll(() => {
  installed = Installed.pack();
});

afterAll(() => installed?.remove());

/** The gzipped script of an app that consists of this, without React itself, and the files that are in it. */
async function bundle(name: string, script: string): Promise<{ bytes: number; files: string[] }> {
  const root = installed.app('vite', name);
  mkdirSync(join(root, 'src'));
  const entry = join(root, 'src/main.js');
  writeFileSync(entry, script);
  const made = (await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: entry, external: ['react', 'react/jsx-runtime'] },
    },
  })) as Rollup.RollupOutput;
  const chunks = made.output.filter((file) => file.type === 'chunk');
  const bytes = chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
  return { bytes, files: chunks.flatMap(({ modules }) => Object.keys(modules)) };
}

test('the error class alone is less than a kilobyte, without the client and React', async () => {
  const { bytes, files } = await bundle('error', ERROR_ALONE);
  console.log(`the error class, gzipped: ${bytes} bytes`);
  expect(bytes).toBeLessThanOrEqual(1_000);
  expect(files.filter((file) => /client\.js|wasm|react/.test(file))).toEqual([]);
});

test('the core has nothing of the React entry in it', async () => {
  const { files } = await bundle('core', CORE);
  expect(files.filter((file) => REACT_ENTRY.test(file))).toEqual([]);
});

test.each(Object.entries(REACT))('React costs at most 8 KB on top of the core: %s', async (what, script) => {
  const core = await bundle(`core for ${what}`, CORE);
  const both = await bundle(what, `${CORE}\n${script}`);
  console.log(`${what}, gzipped: ${both.bytes - core.bytes} bytes on top of ${core.bytes}`);
  expect(both.files.some((file) => REACT_ENTRY.test(file))).toBe(true);
  expect(both.bytes - core.bytes).toBeLessThanOrEqual(8_192);
});
