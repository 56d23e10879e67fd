// Tests the main paths of the package in Firefox.
import { expect, MOVING_FPS, rtspStreams } from '../fixtures';
import { codecStreams, STATIONS, visit } from '../stations';
import { test } from './fixtures';

const SWITCHES = 40;
const BACK_WITHIN_MS = 3_000;

test('six slots play, and each shows the camera it asked for', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await openWall(server);
  const order = [3, 1, 6, 2, 5, 4];
  await wall.play(...order);
  expect((await wall.connection()).peers).toBe(1);
  const rates = await Promise.all(order.map((_, slot) => wall.fps(slot, 2)));
  for (const rate of rates) expect(rate).toBeGreaterThan(MOVING_FPS);
  for (const [slot, camera] of order.entries()) {
    expect(await wall.shown(slot)).toEqual([camera]);
    await wall.expectStatus(slot, 'active');
  }
  const path = await wall.page.evaluate(() => window.e2e.client?.getPath());
  expect(path).toMatchObject({ protocol: 'udp', type: 'host' });
  expect(path?.serverAddress).toMatch(new RegExp(`:${server.webrtcPort}$`));
});

test(`${SWITCHES} switches show nothing but the requested cameras, and the latency stays the same`, async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.play(1, 2, 3);
  await wall.attach(0);
  await wall.expectCamera(0, 1);
  await wall.page.waitForTimeout(2_000);
  const connection = await wall.connection();
  const before = await wall.age(0);
  await wall.forget(0);

  const took: number[] = [];
  const reported: number[] = [];
  for (let n = 0; n < SWITCHES; n++) {
    // Not a divisor of the GOP's 2 s, so that the switches are at every point of it.
    await wall.page.waitForTimeout(330);
    const { seen, timing } = await wall.timedSwitch(0, [2, 3, 1][n % 3] ?? 0);
    took.push(seen);
    reported.push(timing.firstFrame ?? Number.NaN);
  }
  const shown = await wall.shown(0);
  await wall.page.waitForTimeout(1_000);
  const after = await wall.age(0);
  console.log(
    `Firefox: ${SWITCHES} switches, on the screen after ${quantile(took, 0.5)} ms (median), ${quantile(took, 0.95)} ms (p95); ` +
      `reported ${quantile(reported, 0.5)} and ${quantile(reported, 0.95)} ms; ` +
      `pictures are ${before.toFixed(0)} ms old before, ${after.toFixed(0)} ms after`,
  );
  // The cameras follow one another, with no unreadable (black) picture and none of another camera between them.
  const requested = took.map((_, n) => [2, 3, 1][n % 3]);
  expect(shown.filter((camera, index) => index > 0 || camera !== 1)).toEqual(requested);
  expect(await wall.connection()).toEqual(connection);
  expect(quantile(took, 0.95), 'far below the 2 s between key frames').toBeLessThan(1_000);
  expect(after).toBeLessThan(before + 100);
});

test('a slot switches from H.264 to VP8, VP9, AV1 and back on the same connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const wall = await openWall(await serve({ streams: codecStreams(cameras) }));
  await wall.play(1);
  await visit(wall, STATIONS);
});

test('a paused slot gets no frames, and plays again when resumed', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  const before = await wall.connection();
  await wall.pause(0);
  await wall.expectStatus(0, 'paused');
  await wall.page.waitForTimeout(500);
  expect(await wall.fps(0, 1)).toBe(0);
  expect(await wall.fps(1, 1)).toBeGreaterThan(MOVING_FPS);
  await wall.resume(0);
  await wall.expectStatus(0, 'active');
  await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  expect((await wall.reading(0))?.camera).toBe(1);
  expect(await wall.connection()).toEqual(before);
});

test('within 3 s after a killed server listens again each slot shows its last camera', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  await wall.switch(1, 'camera3');
  await wall.expectCamera(1, 3);
  await wall.forgetEvents();
  await server.kill();
  await wall.expectEvent('reconnecting');
  await server.restart();
  await wall.expectNewPictures([1, 3], BACK_WITHIN_MS);
  await wall.expectEvent('reconnected');
});

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
}
