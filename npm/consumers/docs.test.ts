// The code in the documentation: it compiles against the packed tarball, and complete pages run as they are printed.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt, excerpts } from './excerpts.js';
import { Installed } from './installed.js';
import { Titles } from './titles.js';

const DOCUMENTS = ['README.md', 'npm/README.md', 'docs/npm.md', 'docs/vue.md', 'docs/migration.md'];
/** What a page shows when no server listens at its address. */
const NOBODY_THERE = /Nothing answers at/;

let installed: Installed;
let titles: Titles;

beforeAll(async () => {
  installed = Installed.pack();
  titles = await Titles.open();
});

afterAll(async () => {
  await titles?.close();
  installed?.remove();
});

test('all TypeScript in the documentation compiles', () => {
  const app = installed.app('docs');
  const pieces = DOCUMENTS.flatMap(excerpts).filter(({ language }) =>
    ['ts', 'tsx', 'vue'].includes(language),
  );
  expect(pieces.length).toBeGreaterThan(8);
  for (const { place, language, code } of pieces) {
    const script = language === 'vue' ? /<script[^>]*>(.*?)<\/script>/s.exec(code)?.[1] : code;
    const extension = language === 'tsx' ? 'tsx' : 'ts';
    // `export {}` makes each excerpt a module, so that its declarations do not clash with those of the others.
    writeFileSync(join(app, `${place.replace(/\W/g, '_')}.${extension}`), `${script}\nexport {};\n`);
  }
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = spawnSync(process.execPath, [join(dirname(typescript), 'bin/tsc'), '-p', app], {
    encoding: 'utf8',
  });
  expect(tsc.stdout).toBe('');
  expect(tsc.status).toBe(0);
});

test('the page without a bundler runs', async () => {
  const app = installed.app('docs', 'page');
  const page = excerpt('docs/npm.md', 'html')
    .replaceAll('http://127.0.0.1:1984', 'http://127.0.0.1:9')
    .replace('<title>Wall</title>', '')
    .replace("document.querySelector('p').textContent", 'document.title');
  writeFileSync(join(app, 'index.html'), page);
  expect(await titles.ofFolder(app)).toMatch(NOBODY_THERE);
});

test('the Vue component runs', async () => {
  const root = installed.app('vue');
  writeFileSync(join(root, 'Wall.vue'), excerpt('docs/vue.md', 'vue'));
  await build({ root, configFile: false, logLevel: 'error', plugins: [vue()] });
  expect(await titles.ofFolder(join(root, 'dist'))).toMatch(NOBODY_THERE);
});
