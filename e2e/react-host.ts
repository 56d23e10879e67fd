// The page of e2e/react, bundled once per worker, on the origin that the servers of the tests let in.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { repository } from './child';
import { hostFolder } from './package-host';

let page: Promise<string> | undefined;

/** Its address. */
export function reactPage(): Promise<string> {
  page ??= bundle();
  return page;
}

async function bundle(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'multistream-react-'));
  // StrictMode mounts twice in React's development build only.
  process.env.NODE_ENV = 'development';
  await build({
    root: join(repository, 'e2e/react'),
    base: './',
    mode: 'development',
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, minify: false, assetsInlineLimit: 0 },
  });
  return `${await hostFolder('react', outDir)}/index.html`;
}
