// Tests that hidden tiles are paused, and that a tile gets the quality that fits its pixels.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

const OUT_OF_VIEW = { marginTop: '3000px' };

test('a tile that is scrolled out of view is no viewer of its camera, and plays at once when scrolled back', async ({
  cameras,
  serve,
  openWall,
}) => {
  // As by default, a source runs for ten seconds after its last viewer.
  const server = await serve({ streams: rtspStreams(cameras, 2), multistream: { linger: '10s' } });
  const wall = await openWall(server);
  await wall.connect(
    [
      { slot: 0, stream: 'camera1' },
      { slot: 1, stream: 'camera2' },
    ],
    { pauseHidden: true },
  );
  await wall.style(1, { display: 'block', ...OUT_OF_VIEW });
  await wall.attach(0);
  await wall.attach(1);
  await wall.expectStatus(1, 'paused');
  expect(await wall.status(1)).toMatchObject({ reason: 'hidden' });
  await expect.poll(() => server.viewers('camera2')).toBe(0);
  await wall.expectCamera(0, 1);
  expect((await wall.status(0))?.status).toBe('active');
  const before = await wall.connection();

  await wall.forget(1);
  const wait = await wall.page.evaluate(async () => {
    const slot = window.e2e.slots.get(1);
    slot?.video.scrollIntoView();
    const [started, pictures] = [performance.now(), slot?.pictures];
    while (slot?.pictures === pictures && performance.now() - started < 5_000) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return performance.now() - started;
  });
  expect(wait, 'ms to the first picture').toBeLessThan(1_000);
  await wall.expectStatus(1, 'active');
  await wall.expectCamera(1, 2);
  await expect.poll(() => wall.fps(1, 1)).toBeGreaterThan(MOVING_FPS);
  // The other tile was scrolled out of view by that.
  await wall.expectStatus(0, 'paused');
  await expect.poll(() => server.viewers('camera1')).toBe(0);
  expect(await wall.connection()).toEqual(before);
});

test('a tile that the app paused stays paused when it is scrolled out of view and back', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.connect([{ slot: 0, stream: 'camera1' }], { pauseHidden: true });
  await wall.attach(0);
  await wall.expectCamera(0, 1);
  await wall.pause(0);
  await wall.expectStatus(0, 'paused');
  await wall.style(0, { display: 'none' });
  await wall.page.waitForTimeout(2_500);
  await wall.style(0, { display: 'block' });
  await wall.page.waitForTimeout(500);
  expect(await server.viewers('camera1')).toBe(0);
  expect((await wall.status(0))?.reason).toBeUndefined();
});

test('a tile gets the quality that fits its pixels, and another when it is resized, on one connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: {
      camera7: cameras.url(7),
      'camera7-360p': 'ffmpeg:camera7#video=h264#height=360',
    },
  });
  const wall = await openWall(server);
  await wall.connect([{ slot: 0, stream: 'camera7' }], { autoQuality: true });
  await wall.style(0, { width: '400px', height: '225px' });
  await wall.attach(0);
  await expect.poll(() => wall.height(0)).toBe(360);
  await wall.expectCamera(0, 7);
  await wall.expectStatus(0, 'active');
  expect(await wall.status(0)).toMatchObject({
    stream: 'camera7-360p',
    quality: 'auto',
    actualQuality: '360p',
  });
  const before = await wall.connection();
  expect(before.peers).toBe(1);

  await wall.style(0, { width: '1200px', height: '675px' });
  await expect.poll(() => wall.height(0)).toBe(720);
  expect(await wall.status(0)).toMatchObject({
    stream: 'camera7',
    quality: 'auto',
    actualQuality: 'native',
  });
  await wall.style(0, { width: '400px', height: '225px' });
  await expect.poll(() => wall.height(0)).toBe(360);
  expect(await wall.connection()).toEqual(before);
  expect(new Set(await wall.shown(0))).toEqual(new Set([7]));

  const { variants } = (await (await fetch(`${server.url}/api/streams?src=camera7`)).json()) as {
    variants: unknown;
  };
  expect(variants).toEqual([
    { quality: 'native', stream: 'camera7', width: 1280, height: 720 },
    { quality: '360p', stream: 'camera7-360p', width: 640, height: 360 },
  ]);
});

test('a tile whose variant is offline shows the camera in native quality', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: { camera7: cameras.url(7), 'camera7-360p': 'rtsp://127.0.0.1:9/none' },
  });
  const wall = await openWall(server);
  await wall.connect([{ slot: 0, stream: 'camera7' }], { autoQuality: true });
  await wall.style(0, { width: '400px', height: '225px' });
  await wall.attach(0);
  await expect
    .poll(() => wall.statuses(0))
    .toContainEqual(expect.objectContaining({ stream: 'camera7-360p', status: 'offline' }));
  await wall.expectCamera(0, 7);
  await wall.expectStatus(0, 'active');
  expect(await wall.status(0)).toMatchObject({ stream: 'camera7', quality: 'auto' });
  await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  expect(await wall.height(0)).toBe(720);
});

test('the device pixel ratio counts in the quality that is chosen before the connection is made', async ({
  cameras,
  serve,
  browser,
  openWall,
}) => {
  const server = await serve({
    streams: {
      camera7: cameras.url(7),
      'camera7-360p': 'ffmpeg:camera7#video=h264#height=360',
    },
  });
  for (const [deviceScaleFactor, height] of [
    [1, 360],
    [2, 720],
  ] as const) {
    const context = await browser.newContext({ deviceScaleFactor });
    const wall = await openWall(server, await context.newPage());
    const shown = await wall.page.evaluate(async (url) => {
      const { MultiStreamClient } = (await import(
        '/index.js' as string
      )) as typeof import('multistream-client');
      const video = document.createElement('video');
      Object.assign(video.style, { width: '400px', height: '225px' });
      document.body.append(video);
      const client = new MultiStreamClient(url);
      client.attach(0, video);
      const first: string[] = [];
      client.on('status', ({ status }) => first.push(status.stream));
      await client.connect([{ slot: 0, stream: 'camera7', quality: 'auto' }]);
      while (video.videoHeight === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      return { height: video.videoHeight, streams: new Set(first).size };
    }, server.url);
    expect(shown).toEqual({ height, streams: 1 });
    await context.close();
  }
});
