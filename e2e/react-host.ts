// Serves pages with React, bundled once per worker, from the origin that the tests' servers allow.
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { repository } from './child';
import { hostFolder } from './package-host';

/** The React that a page is bundled with. */
export type ReactOf = 'react-18' | 'react-19';

/** The workspace that depends on each version of React: one package cannot depend on two of them. */
const DEPENDENTS: Record<ReactOf, string> = { 'react-18': 'e2e-react-18', 'react-19': 'e2e' };

const pages = new Map<string, Promise<string>>();

/** The address of the page of e2e/react. */
export function reactPage(): Promise<string> {
  return page('react', 'react-19');
}

/** The address of the page of e2e/dashboard, with this React. */
export function dashboardPage(react: ReactOf): Promise<string> {
  return page('dashboard', react);
}

/** The address of the page of e2e/tiles, with this React. */
export function tilesPage(react: ReactOf): Promise<string> {
  return page('tiles', react);
}

function page(folder: string, react: ReactOf): Promise<string> {
  const name = `${folder}-${react}`;
  const made = pages.get(name) ?? bundle(folder, react, name);
  pages.set(name, made);
  return made;
}

async function bundle(folder: string, react: ReactOf, name: string): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), `multistream-${name}-`));
  const { resolve } = createRequire(join(repository, DEPENDENTS[react], 'package.json'));
  const alias = ['react', 'react-dom'].map((dependency) => ({
    find: new RegExp(`^${dependency}(?=/|$)`),
    replacement: dirname(resolve(`${dependency}/package.json`)),
  }));
  // StrictMode mounts twice in React's development build only.
  process.env.NODE_ENV = 'development';
  await build({
    root: join(repository, 'e2e', folder),
    base: './',
    mode: 'development',
    configFile: false,
    logLevel: 'error',
    resolve: { alias },
    build: { outDir, emptyOutDir: true, minify: false, assetsInlineLimit: 0 },
  });
  return `${await hostFolder(name, outDir)}/index.html`;
}
