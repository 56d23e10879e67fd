// A viewer in a network of its own: a browser in a network namespace, and a server outside that listens for media at the host's
// address there.
import { type Browser, chromium } from '@playwright/test';
import { freePort } from './child';
import { rtspStreams, test } from './fixtures';
import { Netns } from './netns';
import { packageHost } from './package-host';
import type { Server, ServerOptions } from './server';
import type { Wall } from './wall';

export const CAMERAS = [1, 2, 3, 4, 5, 6];

interface Away {
  netns: Netns;
  server: Server;
  /** Its page is loaded, and does not connect by itself. */
  wall: Wall;
}

interface Fixtures {
  netns: Netns;
  /** Starts a browser inside, with more arguments if there are any, and opens a page of the wall's origin there. */
  browse: (address: { url: string; pageUrl: string }, args?: string[]) => Promise<Wall>;
  /** Starts the server of the six cameras and the browser. */
  leave: (options?: Partial<ServerOptions>, args?: string[]) => Promise<Away>;
}

export const away = test.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  netns: async ({}, use) => {
    const netns = Netns.create();
    await use(netns);
    netns.remove();
  },
  browse: async ({ netns, openWall }, use, info) => {
    const browsers: Browser[] = [];
    await use(async (address, args = []) => {
      const { launchOptions } = info.project.use;
      const executablePath = netns.wrap(launchOptions?.executablePath ?? chromium.executablePath());
      const all = [...(launchOptions?.args ?? []), ...args];
      const browser = await chromium.launch({ ...launchOptions, executablePath, args: all });
      browsers.push(browser);
      return openWall(address, await browser.newPage());
    });
    for (const browser of browsers) await browser.close();
  },
  leave: async ({ cameras, netns, serve, browse }, use) => {
    await use(async (options = {}, args = []) => {
      const pageUrl = await netns.forward(Number(new URL(await packageHost()).port));
      const server = await serve({
        streams: rtspStreams(cameras, CAMERAS.length),
        ...options,
        webrtc: { listen: `${netns.host}:${await freePort()}`, ...options.webrtc },
        origins: [pageUrl, ...(options.origins ?? [])],
      });
      const url = await netns.forward(server.port);
      return { netns, server, wall: await browse({ url, pageUrl }, args) };
    });
  },
});

export { expect } from './fixtures';

const missing = Netns.missing();

/** Skips the file's tests where there are no namespaces. */
export function needsNamespaces(): void {
  away.skip(missing !== undefined, missing);
}
