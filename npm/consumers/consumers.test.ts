// The packed tarball in the tools that apps are built with: it works without configuration and ships one .wasm file.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as vite from 'vite';
import * as vite7 from 'vite-7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { Installed } from './installed.js';
import { Titles } from './titles.js';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
/** The size limit of what a page loads before its first connection, gzipped. docs/performance.md tells what it is spent on. */
const LIMIT_BYTES = 96_100;
/** The title of every app once the WebAssembly module has run: no server listens at the address that it connects to. */
const WORKS = 'MultiStreamError unreachable';

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

const files = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
const modules = (folder: string): string[] => files(folder).filter((name) => name.endsWith('.wasm'));

test('a plain script tag', async () => {
  expect(await titles.ofFolder(installed.app('plain'))).toBe(WORKS);
});

describe.each([
  ['current', vite],
  ['previous major', vite7 as unknown as typeof vite],
])('vite, %s', (name, { build, createServer, version }) => {
  const options = { configFile: false, logLevel: 'error' } as const;

  test(`build ${version}, within the size limit`, async () => {
    const root = installed.app('vite', `vite ${name} build`);
    await build({ ...options, root });
    const dist = join(root, 'dist');
    expect(modules(dist)).toHaveLength(1);
    expect(await titles.ofFolder(dist)).toBe(WORKS);
    // What finds out why there is no connection is loaded when there is none.
    const shipped = files(dist).filter((file) => /\.(js|wasm)$/.test(file) && !file.includes('diagnose'));
    const sizes = shipped.map((file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`shipped, gzipped: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  test(`development server ${version}`, async () => {
    const root = installed.app('vite', `vite ${name} dev`);
    const server = await createServer({ ...options, root, server: { host: '127.0.0.1', port: 0 } });
    try {
      await server.listen();
      expect(await titles.of(server.resolvedUrls?.local[0] ?? '')).toBe(WORKS);
    } finally {
      await server.close();
    }
  });
});

/** Without a word of warning. */
async function bundleByWebpack(context: string): Promise<void> {
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
}

test('webpack', async () => {
  const context = installed.app('webpack');
  await bundleByWebpack(context);
  expect(modules(join(context, 'dist'))).toHaveLength(1);
  expect(await titles.ofFolder(context)).toBe(WORKS);
});

// A bundler takes what is used from the file that defines it, and drops the files of the app in between.
describe('an app without side effects that re-exports the package', () => {
  function app(as: string): string {
    const root = installed.app('reexport', `reexport ${as}`);
    writeFileSync(join(root, 'package.json'), '{ "private": true, "type": "module", "sideEffects": false }');
    return root;
  }

  test('vite', async () => {
    const root = app('vite');
    await vite.build({ configFile: false, logLevel: 'error', root });
    expect(modules(join(root, 'dist'))).toHaveLength(1);
    expect(await titles.ofFolder(join(root, 'dist'))).toBe(WORKS);
  });

  test('webpack', async () => {
    const root = app('webpack');
    await bundleByWebpack(root);
    expect(modules(join(root, 'dist'))).toHaveLength(1);
    writeFileSync(join(root, 'index.html'), '<!doctype html><script src="/dist/main.js"></script>');
    expect(await titles.ofFolder(root)).toBe(WORKS);
  });
});

test('Next.js: rendered on the server, alive in the browser', async () => {
  const cwd = installed.app('next');
  const next = createRequire(import.meta.url).resolve('next/dist/bin/next');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const };
  execFileSync(process.execPath, [next, 'build'], { cwd, env, stdio: 'pipe' });
  expect(modules(join(cwd, '.next/static'))).toHaveLength(1);

  const server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let address: string | undefined;
    for await (const line of createInterface({ input: server.stdout })) {
      address ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address !== undefined && line.includes('Ready')) break;
    }
    if (address === undefined) throw new Error('next start named no address');
    const html = await (await fetch(address)).text();
    expect(html).toContain('data-state="idle"');
    expect(html).toMatch(/<figcaption>camera1/);
    expect(await titles.of(address)).toBe(WORKS);
  } finally {
    server.kill();
    if (server.exitCode === null) await once(server, 'exit');
  }
});

test('an import in Node, with a typed error at connect', () => {
  const script = `import { MultiStreamClient } from 'multistream-client';
    await new MultiStreamClient('http://h').connect([]).catch(({ code }) => console.log(code));`;
  const cwd = installed.app('plain', 'node');
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    encoding: 'utf8',
  });
  expect(printed.trim()).toBe('no-webrtc');
});

test('publint and attw have nothing to say', () => {
  const options = { cwd: packageFolder, encoding: 'utf8' } as const;
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
