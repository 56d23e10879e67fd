// Pause and resume of one slot.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

test('a paused slot costs the stream no viewer, stands still, and plays again when resumed', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  const before = await wall.connection();

  await wall.pause(0);
  await wall.expectStatus(0, 'paused');
  await expect.poll(() => server.viewers('camera1')).toBe(0);
  await wall.page.waitForTimeout(500);
  expect(await wall.fps(0, 1)).toBe(0);
  expect(await wall.fps(1, 1)).toBeGreaterThan(MOVING_FPS);
  // Nobody else watches: after the linger time the camera is left alone.
  await expect.poll(() => cameras.clients(1)).toBe(0);

  await wall.resume(0);
  await wall.expectStatus(0, 'active');
  await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  expect((await wall.reading(0))?.camera).toBe(1);
  expect(await wall.connection()).toEqual(before);
});
