// Serves the built npm package and an empty page from a port of its own, as a dashboard's web server would, so that the tests'
// pages have another origin than the server. One per worker, started when first needed.
//
// A page made by Playwright's `route.fulfill` would not do: Chromium treats it as public, and blocks connections of public
// pages to this machine.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { extname, join } from 'node:path';
import { freePort, repository } from './child';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const PAGE = '<!doctype html><title>wall</title><link rel="icon" href="data:," />';

/** The folders that are served below a first path segment, instead of the package. */
const folders = new Map<string, string>();
let origin: Promise<string> | undefined;

/** The same over TLS, with this key and certificate as PEM. It ends with the worker. */
export async function securePackageHost(pem: string): Promise<string> {
  const port = await freePort();
  const server = createSecureServer({ key: pem, cert: pem }, answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  server.unref();
  return `https://localhost:${port}`;
}

export function packageHost(): Promise<string> {
  origin ??= start();
  return origin;
}

/** Serves `folder` as well, below `/name`. Returns its address. */
export async function hostFolder(name: string, folder: string): Promise<string> {
  folders.set(name, folder);
  return `${await packageHost()}/${name}`;
}

function fileOf(path: string): string {
  const [, first = '', ...rest] = path.split('/');
  const folder = folders.get(first);
  return folder === undefined ? join(repository, 'npm/dist', path) : join(folder, ...rest);
}

/** The empty page has the Content-Security-Policy of its query `csp`. */
const answer: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
  if (pathname === '/') {
    const policy = searchParams.get('csp');
    if (policy !== null) response.setHeader('content-security-policy', policy);
    response.setHeader('content-type', 'text/html').end(PAGE);
    return;
  }
  const file = fileOf(pathname);
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain').end(readFileSync(file));
};

async function start(): Promise<string> {
  const port = await freePort();
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  // It does not keep the worker alive.
  server.unref();
  return `http://127.0.0.1:${port}`;
}
