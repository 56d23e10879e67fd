// Tests cameras that stop, come back, or were never reachable.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Cameras } from './cameras';
import { freePort } from './child';
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

test('cameras that stop are offline, and play again when they are back', async ({ serve, openWall }) => {
  const cameras = await Cameras.start('--count=2');
  try {
    const server = await serve({ streams: rtspStreams(cameras, 2) });
    const wall = await openWall(server);
    await wall.play(1, 2);
    await cameras.stop();
    for (const slot of [0, 1]) await wall.expectStatus(slot, 'offline');
    await cameras.restart();
    for (const slot of [0, 1]) {
      await wall.expectStatus(slot, 'active', 20_000);
      await expect.poll(() => wall.fps(slot, 1)).toBeGreaterThan(MOVING_FPS);
      expect((await wall.reading(slot))?.camera).toBe(slot + 1);
    }
    expect((await wall.connection()).remoteDescriptions).toBe(1);
  } finally {
    await cameras.stop();
  }
});

test('each broken camera has an error without its password in its status, and the working ones play', async ({
  cameras,
  serve,
  openWall,
}) => {
  const guarded = await Cameras.start('--count=1', '--user=admin', '--password=right-horse');
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  try {
    await once(silent, 'listening');
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const server = await serve({
      streams: {
        camera1: cameras.url(1),
        unauthorised: guarded.url(1, 'admin:wr0ng-s3cret@'),
        missing: cameras.url(99),
        refused: `rtsp://user:wr0ng-s3cret@127.0.0.1:${await freePort()}/`,
        silent: `rtsp://127.0.0.1:${address.port}/#timeout=3`,
        guarded: guarded.url(1, 'admin:right-horse@'),
      },
    });
    const wall = await openWall(server);
    const streams = ['camera1', 'unauthorised', 'missing', 'refused', 'silent', 'guarded'];
    await wall.connect(streams.map((stream, slot) => ({ slot, stream })));
    await wall.expectCamera(0, 1);
    await wall.expectCamera(5, 1);
    for (const slot of [1, 2, 3, 4]) {
      await expect
        .poll(async () => (await wall.status(slot))?.status, {
          message: streams[slot] ?? '',
          timeout: 20_000,
        })
        .toMatch(/^(offline|error)$/);
      const status = await wall.status(slot);
      expect(status?.error, streams[slot]).toBeTruthy();
      expect(JSON.stringify(status)).not.toContain('wr0ng-s3cret');
    }
    expect((await wall.status(1))?.error).toMatch(/401|password|unauthori[sz]ed/i);
    expect((await wall.status(2))?.error).toMatch(/404|not found/i);
    expect((await wall.status(3))?.error).toMatch(/refuses/i);
    const everything = JSON.stringify(await server.streams()) + server.child.lines.join('\n');
    expect(everything).not.toContain('wr0ng-s3cret');
  } finally {
    silent.close();
    await guarded.stop();
  }
});

test('a session whose only stream is offline does not affect another session', async ({
  cameras,
  serve,
  openWall,
  browser,
}) => {
  const server = await serve({ streams: { ...rtspStreams(cameras, 1), dead: 'rtsp://127.0.0.1:1/' } });
  const wall = await openWall(server);
  await wall.play(1);
  const context = await browser.newContext();
  const other = await openWall(server, await context.newPage());
  await other.connect([{ slot: 0, stream: 'dead' }]);
  await other.expectStatus(0, 'offline');
  expect(await wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  await context.close();
});
