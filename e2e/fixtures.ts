// The tests' fixtures: cameras, one set per worker, and servers and pages that end with their test.
import { test as base, type Page } from '@playwright/test';
import { Cameras } from './cameras';
import { Server, type ServerOptions } from './server';
import { type Address, Wall } from './wall';

interface PerTest {
  /** Starts a server that ends with the test. */
  serve: (options: ServerOptions) => Promise<Server>;
}

interface InChromium {
  /** Opens a wall in the test's page, or in another. */
  openWall: (server: Address, page?: Page) => Promise<Wall>;
}

interface PerWorker {
  /** camera1 … camera6, 640x360 at 30 fps with a key frame every 2 s, and camera7 in 1280x720. */
  cameras: Cameras;
}

/** Cameras and servers, whatever the browser. */
export const serving = base.extend<PerTest, PerWorker>({
  cameras: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
    async ({}, use) => {
      const cameras = await Cameras.start('--count=6', '--camera=7,size=1280x720');
      await use(cameras);
      await cameras.stop();
    },
    { scope: 'worker', timeout: 200_000 },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: as above.
  serve: async ({}, use, info) => {
    const servers: Server[] = [];
    await use(async (options) => {
      const server = await Server.start(options);
      servers.push(server);
      return server;
    });
    for (const server of servers) {
      await server.stop();
      if (info.status !== info.expectedStatus) {
        await info.attach('server.log', { body: server.child.lines.join('\n'), contentType: 'text/plain' });
        console.log(server.child.lines.slice(-25).join('\n'));
      }
    }
  },
});

export const test = serving.extend<InChromium>({
  openWall: async ({ page }, use) => {
    await use((server, other) => Wall.open(other ?? page, server));
  },
});

/** The frame rate above which a picture counts as moving, even on a busy machine; a frozen picture has 0. */
export const MOVING_FPS = 5;

/** camera1 … cameraN, straight from RTSP. */
export function rtspStreams(cameras: Cameras, count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return Object.fromEntries(numbers.map((number) => [`camera${number}`, cameras.url(number)]));
}

export { expect } from '@playwright/test';
