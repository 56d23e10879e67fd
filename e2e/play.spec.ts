// Tests that each slot of a connection shows its own camera, whatever happens to the others.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

test('six slots play, and each shows the camera it asked for', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await openWall(server);
  const slots = [3, 1, 6, 2, 5, 4].map((camera, slot) => ({ slot, stream: `camera${camera}` }));
  await wall.connect(slots);
  for (const { slot, stream } of slots) {
    await wall.expectCamera(slot, Number(stream.slice(-1)));
    await wall.expectStatus(slot, 'active');
  }
  expect((await wall.connection()).peers).toBe(1);
  const before = await wall.received();
  const rates = await Promise.all(slots.map(({ slot }) => wall.fps(slot, 3)));
  const after = await wall.received();
  expect(after).toHaveLength(6);
  for (const [index, { frames, packetsLost }] of after.entries()) {
    expect((frames - (before[index]?.frames ?? 0)) / 3).toBeGreaterThan(26);
    expect(packetsLost).toBe(0);
  }
  for (const rate of rates) expect(rate).toBeGreaterThan(MOVING_FPS);
  for (const { slot, stream } of slots) expect(await wall.shown(slot)).toEqual([Number(stream.slice(-1))]);
});

test('a slot with an unknown stream has an error, and the others show their own cameras', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.connect([
    { slot: 0, stream: 'camera1' },
    { slot: 1, stream: 'nowhere' },
    { slot: 2, stream: 'camera3' },
    { slot: 3, stream: 'camera2', quality: '4000p' },
  ]);
  await wall.expectCamera(0, 1);
  await wall.expectCamera(2, 3);
  expect(await wall.status(1)).toMatchObject({ status: 'error', reason: 'unknown-stream' });
  expect(await wall.status(3)).toMatchObject({ status: 'error', reason: 'unknown-quality' });
  // The slot can still be switched to a stream that exists.
  await wall.switch(1, 'camera2');
  await wall.expectCamera(1, 2);
});

test('the picture is less than half a second old', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.play(1);
  await wall.page.waitForTimeout(2_000);
  expect(await wall.age(0)).toBeLessThan(500);
});

test('two browsers share one RTSP session of the camera', async ({ cameras, serve, openWall, browser }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const before = cameras.plays(1);
  const first = await openWall(server);
  await first.play(1);
  const context = await browser.newContext();
  const second = await openWall(server, await context.newPage());
  await second.play(1);
  expect(await server.viewers('camera1')).toBe(2);
  expect(cameras.clients(1)).toBe(1);
  expect(cameras.plays(1) - before).toBe(1);
  await context.close();
  await expect.poll(() => server.viewers('camera1')).toBe(1);
  expect(await first.fps(0, 2)).toBeGreaterThan(MOVING_FPS);
});

test('an ffmpeg source plays', async ({ cameras, serve, openWall }) => {
  const server = await serve({
    streams: {
      pulled: `ffmpeg:${cameras.url(2)}#video=copy`,
      virtual: 'ffmpeg:virtual?video=testsrc2&size=720#video=h264',
    },
  });
  const wall = await openWall(server);
  await wall.connect([
    { slot: 0, stream: 'pulled' },
    { slot: 1, stream: 'virtual' },
  ]);
  await wall.expectCamera(0, 2);
  await expect.poll(() => wall.height(1)).toBe(720);
  expect(await wall.fps(1, 2)).toBeGreaterThan(10);
});

test('a browser without H.264 gets an error that names the codec', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.page.evaluate(() => {
    const add = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (...args) {
      const transceiver = add.apply(this, args);
      const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
      transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === 'video/VP8'));
      return transceiver;
    };
  });
  await wall.connect([{ slot: 0, stream: 'camera1' }]);
  await wall.expectStatus(0, 'error');
  const status = await wall.status(0);
  expect(status?.reason).toBe('unsupported-codec');
  expect(status?.error).toMatch(/h\.?264/i);
});
