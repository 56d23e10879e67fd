// Tests that a switch shows another camera on the same track, without negotiation.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

test('a switch shows the new camera on the same connection, with no new offer', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  const before = await wall.connection();
  expect(before).toMatchObject({ peers: 1, remoteDescriptions: 1 });

  await wall.forget(0);
  expect(await wall.switch(0, 'camera3')).toMatchObject({ slot: 0, stream: 'camera3', status: 'active' });
  await wall.expectCamera(0, 3);
  await wall.switch(0, 'camera2');
  await wall.expectCamera(0, 2);
  // No picture was unreadable, and none of the old camera came after the new one.
  const shown = await wall.shown(0);
  expect(shown.filter((camera, index) => index > 0 || camera !== 1)).toEqual([3, 2]);
  expect(await wall.connection()).toEqual(before);
  expect(await wall.shown(1)).toEqual([2]);
});

test('a switch between live cameras does not wait for the next key frame, anywhere in the GOP', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  let withoutKeyFrame = 0;
  for (let n = 0; n < 8; n++) {
    const camera = n % 2 === 0 ? 2 : 1;
    await wall.page.waitForTimeout(330);
    const before = await server.received(`camera${camera}`);
    await wall.switch(0, `camera${camera}`);
    const after = await server.received(`camera${camera}`);
    withoutKeyFrame += Number(after.keyFrames === before.keyFrames);
    await wall.expectCamera(0, camera);
  }
  // Key frames are 2 s apart: if a slot waited for one, every switch would see one; if it does not, few do.
  expect(withoutKeyFrame, 'switches that were answered between two key frames').toBeGreaterThanOrEqual(5);
});

test('a switch reports when the first picture of the new camera was displayed', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  const untimed = await wall.switch(0, 'camera2');
  expect(untimed.timing, 'no video is attached to this slot').not.toHaveProperty('firstFrame');
  await wall.expectCamera(0, 2);

  await wall.attach(0);
  await wall.expectCamera(0, 2);
  for (let n = 0; n < 6; n++) {
    const camera = n % 2 === 0 ? 1 : 2;
    await wall.page.waitForTimeout(330);
    const { timing, pictures } = await wall.page.evaluate(async (camera) => {
      const { client, slots, read } = window.e2e;
      const video = slots.get(0)?.video;
      if (client === undefined || video === undefined) throw new Error('not connected');
      const pictures: { turn: number; camera: number | undefined }[] = [];
      let handle = 0;
      const look = () => {
        handle = video.requestVideoFrameCallback((turn) => {
          pictures.push({ turn, camera: read(video)?.camera });
          look();
        });
      };
      look();
      const { timing } = await client.switchStream(0, `camera${camera}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      video.cancelVideoFrameCallback(handle);
      return { timing, pictures };
    }, camera);
    const { requested, active, firstFrame = Number.NaN } = timing;
    expect(active).toBeGreaterThan(0);
    const turns = pictures.map(({ turn, camera }) => `camera ${camera} after ${turn - requested} ms`);
    const told = pictures.findIndex(({ turn }) => Math.abs(turn - requested - firstFrame) < 1);
    expect(pictures[told]?.camera, `told ${firstFrame} ms, seen ${turns}`).toBe(camera);
    // The canvas may be given the next picture already, so the callback before may show the new camera too.
    const before = pictures.slice(0, Math.max(0, told - 1));
    expect(before.map(({ camera }) => camera)).not.toContain(camera);
  }
});

test('the last of many quick switches wins', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await openWall(server);
  await wall.play(1);
  const outcomes = await wall.page.evaluate(async () => {
    const { client } = window.e2e;
    if (client === undefined) return [];
    const switches = ['camera2', 'camera3', 'camera4'].map((stream) => client.switchStream(0, stream));
    const settled = await Promise.allSettled(switches);
    return settled.map((result) =>
      result.status === 'fulfilled' ? result.value.stream : (result.reason as { code: string }).code,
    );
  });
  expect(outcomes).toEqual(['superseded', 'superseded', 'camera4']);
  await wall.expectCamera(0, 4);
  await wall.page.waitForTimeout(2_500);
  expect((await wall.reading(0))?.camera).toBe(4);
});

test('a switch to an unknown stream is refused, and the slot keeps its stream', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.play(1);
  await wall.expectStatus(0, 'active');
  const refusal = await wall.page.evaluate(() =>
    window.e2e.client?.switchStream(0, 'nowhere').then(
      () => 'resolved',
      (error: { code: string }) => error.code,
    ),
  );
  expect(refusal).toBe('unknown-stream');
  await wall.expectStatus(0, 'active');
  expect(await wall.fps(0, 2)).toBeGreaterThan(MOVING_FPS);
  expect(await wall.shown(0)).toEqual([1]);
});

test('the quality of a slot switches from 720p to 360p and back', async ({ cameras, serve, openWall }) => {
  const server = await serve({
    streams: {
      camera7: cameras.url(7),
      'camera7-720p': 'ffmpeg:camera7#video=h264#height=720',
      'camera7-360p': 'ffmpeg:camera7#video=h264#height=360',
    },
  });
  const wall = await openWall(server);
  await wall.connect([{ slot: 0, stream: 'camera7', quality: '720p' }]);
  await wall.expectCamera(0, 7);
  await expect.poll(() => wall.height(0)).toBe(720);
  const before = await wall.connection();
  for (const height of [360, 720]) {
    const status = await wall.switch(0, 'camera7', `${height}p`);
    expect(status).toMatchObject({ stream: `camera7-${height}p`, status: 'active' });
    await expect.poll(() => wall.height(0)).toBe(height);
    await wall.expectCamera(0, 7);
  }
  expect(await wall.connection()).toEqual(before);
  expect(new Set(await wall.shown(0))).toEqual(new Set([7]));
});
