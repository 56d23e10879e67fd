// The packed tarball in the tools that apps are built with: it works without configuration and ships one .wasm.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from '@playwright/test';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import webpack from 'webpack';

const here = fileURLToPath(new URL('.', import.meta.url));
const MIME: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
/** What a page loads before its first connection, gzipped. See docs/npm.md for what the bytes are spent on. */
const LIMIT_BYTES = 76 * 1024;

let scratch: string;
let browser: Browser;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'multistream-consumers-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', scratch], { cwd: join(here, '..') });
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error('npm pack made no tarball');
  for (const consumer of ['plain', 'vite', 'webpack']) {
    const app = join(scratch, consumer);
    const installed = join(app, 'node_modules/multistream-client');
    cpSync(join(here, consumer), app, { recursive: true });
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(scratch, tarball), '-C', installed, '--strip-components=1']);
  }
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});

afterAll(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Serves `folder` and returns the title its page comes to. */
async function titleOf(folder: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    const path = join(folder, request.url === '/' ? 'index.html' : (request.url ?? ''));
    if (!existsSync(path)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': MIME[extname(path)] ?? 'text/plain' }).end(readFileSync(path));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => document.title !== '', null, { timeout: 10_000 });
    return await page.title();
  } finally {
    await page.close();
    server.close();
  }
}

const files = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
const modules = (folder: string): string[] => files(folder).filter((name) => name.endsWith('.wasm'));

const WORKS = 'MultiStreamError websocket-failed';

test('a plain script tag', async () => {
  expect(await titleOf(join(scratch, 'plain'))).toBe(WORKS);
});

test('vite build, within the size limit', async () => {
  const root = join(scratch, 'vite');
  await build({ root, configFile: false, logLevel: 'error', build: { assetsInlineLimit: 0 } });
  const dist = join(root, 'dist');
  expect(modules(dist)).toHaveLength(1);
  expect(await titleOf(dist)).toBe(WORKS);
  const shipped = files(dist).filter((name) => /\.(js|wasm)$/.test(name));
  const bytes = shipped.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length,
    0,
  );
  console.log(`shipped, gzipped: ${bytes} bytes`);
  expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES);
});

test('webpack', async () => {
  const context = join(scratch, 'webpack');
  const output = { path: join(context, 'dist'), publicPath: '/dist/' };
  const stats = await new Promise<webpack.Stats | undefined>((done, fail) =>
    webpack({ context, mode: 'production', entry: './main.js', output }, (error, stats) =>
      error ? fail(error) : done(stats),
    ),
  );
  expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({
    errors: [],
    warnings: [],
  });
  expect(modules(output.path)).toHaveLength(1);
  expect(await titleOf(context)).toBe(WORKS);
});

test('an import in Node, with a typed error at connect', () => {
  const script = `import { MultiStreamClient } from 'multistream-client';
    await new MultiStreamClient('http://h').connect([]).catch(({ code }) => console.log(code));`;
  const cwd = join(scratch, 'plain');
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    encoding: 'utf8',
  });
  expect(printed.trim()).toBe('unsupported');
});

test('publint and attw have nothing to say', () => {
  const options = { cwd: join(here, '..'), encoding: 'utf8' } as const;
  execFileSync('npx', ['--no-install', 'publint', '--strict'], options);
  execFileSync(
    'npx',
    [
      '--no-install',
      'attw',
      '--pack',
      '.',
      '--profile',
      'esm-only',
      '--exclude-entrypoints',
      './client.wasm',
    ],
    options,
  );
});
