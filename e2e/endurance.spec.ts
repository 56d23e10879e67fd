// Tests that hundreds of switches leak nothing, and that killed processes do not affect the other viewers.
import { existsSync, readFileSync } from 'node:fs';
import { type CDPSession, chromium } from '@playwright/test';
import { expect, rtspStreams, test } from './fixtures';
import { packageHost } from './package-host';
import type { Wall } from './wall';

const SWITCHES = 120;
const EVERY_MS = 250;

test('four switches a second for 30 s end on the last camera and leak nothing', async ({
  cameras,
  serve,
  openWall,
}) => {
  test.setTimeout(90_000);
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  const devtools = await wall.page.context().newCDPSession(wall.page);
  // The first switches allocate what is allocated once, which is not a leak.
  await switches(wall, 24);
  await wall.expectCamera(0, 6);
  const before = await footprint(devtools, wall);
  const rss = memory(server.child.pid);
  const connection = await wall.connection();

  await switches(wall, SWITCHES);
  await wall.expectCamera(0, 6);
  expect(await wall.status(0)).toMatchObject({ slot: 0, stream: 'camera6', status: 'active' });
  await wall.forget(0);
  await wall.page.waitForTimeout(1_000);
  expect(await wall.shown(0), 'nothing but the last camera').toEqual([6]);
  expect(await wall.connection()).toEqual(connection);

  const after = await footprint(devtools, wall);
  expect(after.listeners, 'DOM listeners').toBeLessThanOrEqual(before.listeners);
  expect(after.nodes, 'DOM nodes').toBeLessThanOrEqual(before.nodes);
  expect(after.wasm, 'WebAssembly memory').toBe(before.wasm);
  console.log(
    `heap ${before.heap} → ${after.heap}, wasm ${after.wasm}, server ${rss} → ${memory(server.child.pid)} kB`,
  );
  // Leaked promises with their closures would take more.
  expect(after.heap - before.heap, 'bytes of JavaScript heap per switch').toBeLessThan(SWITCHES * 500);
  expect(memory(server.child.pid) - rss, 'kB of the server').toBeLessThan(8_000);
  const streams = await server.streams();
  expect(Object.values(streams).map(({ viewers }) => viewers)).toEqual([0, 1, 0, 0, 0, 1]);
});

test('walls whose videos were never detached leave nothing when their clients are disconnected', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await page.goto(await packageHost());
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const left = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { metrics } = await devtools.send('Performance.getMetrics');
    const names = ['Nodes', 'JSEventListeners', 'RTCPeerConnections'];
    return metrics.filter(({ name }) => names.includes(name)).map(({ name, value }) => `${name} ${value}`);
  };
  const mount = (walls: number) =>
    page.evaluate(
      async ({ url, walls }) => {
        const { MultiStreamClient } = (await import(
          '/index.js' as string
        )) as typeof import('multistream-client');
        const mount = async (removedFirst: boolean) => {
          const client = new MultiStreamClient(url);
          const video = document.createElement('video');
          document.body.append(video);
          client.attach(0, video);
          await client.connect([{ slot: 0, stream: 'camera1' }]);
          await new Promise((shown) => video.requestVideoFrameCallback(shown));
          if (removedFirst) {
            video.remove();
            // A browser pauses it now, and the client plays it on, in case that it is put back.
            await new Promise((paused) => video.addEventListener('play', paused, { once: true }));
          }
          client.disconnect();
          video.remove();
        };
        for (let mounts = 0; mounts < walls; mounts++) await mount(mounts % 2 === 0);
      },
      { url: server.url, walls },
    );
  // The package itself listens once for what the page's policy forbids.
  await mount(1);
  const before = await left();
  await mount(6);
  await expect.poll(left, { timeout: 15_000 }).toEqual(before);
});

test('a browser that is killed leaves no viewer and no RTSP session, and another viewer misses no frame', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.play(1);

  const victim = await chromium.launchServer(test.info().project.use.launchOptions);
  const browser = await chromium.connect(victim.wsEndpoint());
  const doomed = await openWall(server, await browser.newPage());
  await doomed.play(1, 2);
  expect(await server.viewers('camera1')).toBe(2);
  const expectEveryFrame = await wall.watchFrames('0', server, 'camera1');
  const killedAt = Date.now();
  await victim.kill();
  await expect.poll(() => server.viewers('camera2'), { timeout: 20_000 }).toBe(0);
  console.log(`the session of a killed browser ended after ${Date.now() - killedAt} ms`);
  await expect.poll(() => cameras.clients(2)).toBe(0);
  expect(await server.viewers('camera1')).toBe(1);
  await expectEveryFrame();
});

test('an ffmpeg that is killed is started again, the other slots miss no frame, and none outlives the server', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 2), 'camera1-180p': 'ffmpeg:camera1#video=h264#height=180' },
  });
  const wall = await openWall(server);
  await wall.connect([
    { slot: 0, stream: 'camera1', quality: '180p' },
    { slot: 1, stream: 'camera2' },
  ]);
  await wall.expectCamera(0, 1);
  await wall.expectCamera(1, 2);
  const before = await wall.connection();
  const expectEveryFrame = await wall.watchFrames('1', server, 'camera2');
  const [first] = server.childPids();
  expect(server.childProcesses()).toEqual(['ffmpeg']);
  process.kill(first ?? -1, 'SIGKILL');
  await expect.poll(() => server.childPids().filter((pid) => pid !== first).length).toBe(1);
  expect(existsSync(`/proc/${first}`), 'a zombie').toBe(false);
  await wall.expectNewPictures([1, 2], 10_000);
  await wall.expectStatus(0, 'active');
  expect(await wall.connection()).toEqual(before);
  await expectEveryFrame();

  const children = server.childPids();
  await server.child.stop('SIGTERM');
  expect(children.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});

/** Switches slot 0 through the cameras at a fixed interval, without waiting for an answer, and ends with camera 6. */
async function switches(wall: Wall, count: number): Promise<void> {
  const last = await wall.page.evaluate(
    async ({ count, everyMs }) => {
      const client = window.e2e.client;
      let last: Promise<unknown> = Promise.resolve();
      for (let index = 0; index < count; index++) {
        last = client?.switchStream(0, `camera${(index % 6) + 1}`) ?? last;
        last.catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
      return last;
    },
    { count, everyMs: EVERY_MS },
  );
  expect(last).toMatchObject({ stream: 'camera6', status: 'active' });
}

interface Footprint {
  heap: number;
  wasm: number;
  listeners: number;
  nodes: number;
}

/** The page's memory and objects after a garbage collection. */
async function footprint(devtools: CDPSession, wall: Wall): Promise<Footprint> {
  await wall.page.evaluate(() => {
    // The probe's own records are not a leak of the client.
    window.e2e.statuses.forEach((statuses) => void statuses.splice(0, statuses.length - 1));
    window.e2e.slots.forEach((slot) => void slot.shown.splice(0));
  });
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('Performance.enable');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const metric = (name: string) => metrics.find((entry) => entry.name === name)?.value ?? Number.NaN;
  const wasm = await wall.page.evaluate(() => window.e2e.wasmBytes());
  return {
    heap: metric('JSHeapUsedSize'),
    wasm,
    listeners: metric('JSEventListeners'),
    nodes: metric('Nodes'),
  };
}

/** The resident memory of a process, in kB. */
function memory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
