// Tests pause and resume of one slot.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

test('a paused slot is no viewer of its stream, gets no frames, and plays again when resumed', async ({
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
  // The camera has no other viewer, so its source stops after `linger`.
  await expect.poll(() => cameras.clients(1)).toBe(0);

  await wall.resume(0);
  await wall.expectStatus(0, 'active');
  await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  expect((await wall.reading(0))?.camera).toBe(1);
  expect(await wall.connection()).toEqual(before);
});
