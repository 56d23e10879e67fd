// Reads what a page is told of a connection that cannot be made.
import type { ClientOptions } from 'multistream-client';
import { packageHost } from './package-host';
import type { Tab } from './wall';

/** Longer than a test lasts: what is told was not waited for. */
const LONG_MS = 600_000;

export interface Told {
  code: string;
  message: string;
  url: string | undefined;
  cause: string;
  fatal: boolean;
}

/** Connects as the React hook does, again and again, until it is given up or a first attempt was told to have failed. */
export async function connect(page: Tab, url: string, options: ClientOptions = {}) {
  return page.evaluate(
    async ({ url, options }) => {
      const { MultiStreamClient, MultiStreamError } = (await import(
        '/index.js' as string
      )) as typeof import('multistream-client');
      const read = (error: unknown): Told => {
        if (!(error instanceof MultiStreamError)) throw error;
        const { code, message, url, fatal } = error;
        return { code, message, url, fatal, cause: String(error.cause) };
      };
      const client = new MultiStreamClient(url, options);
      const retried = new Promise<{ retried: boolean; told: Told }>((resolve) => {
        client.on('reconnecting', ({ error }) => resolve({ retried: true, told: read(error) }));
      });
      const over = client.connect([{ slot: 0, stream: 'camera1' }]).then(
        () => {
          throw new Error('it is connected');
        },
        (error: unknown) => ({ retried: false, told: read(error) }),
      );
      const end = await Promise.race([retried, over]);
      client.disconnect();
      await over.catch(() => {});
      return end;
    },
    { url, options: { retryConnect: true, connectionTimeout: LONG_MS, ...options } },
  );
}

export async function open(page: Tab, policy?: string): Promise<void> {
  await page.goto(`${await packageHost()}/${policy ? `?csp=${encodeURIComponent(policy)}` : ''}`);
}

/** What is forbidden, the Content-Security-Policy that does it, by the page's origin and the server's, and what the error names. */
export const POLICIES = [
  ['the server', (page: string) => `connect-src ${page}`, 'connect-src'],
  ['its WebSocket alone', (page: string, server: string) => `connect-src ${page} ${server}`, 'connect-src'],
  ['WebAssembly', () => "script-src 'self'", 'wasm-unsafe-eval'],
  [
    'the file of the WebAssembly',
    (_: string, server: string) => `connect-src ${server}`,
    "connect-src`, mostly `'self'",
  ],
] as const;
