// Tests what the client says of the pictures that its attached videos show: whether they are live, and which camera's they are.
import { execFileSync } from 'node:child_process';
import type { SlotStatus } from 'multistream-client';
import { Cameras } from './cameras';
import { expect, rtspStreams, test } from './fixtures';
import type { Wall } from './wall';

declare global {
  interface Window {
    /** What was told of pictures that stand. */
    stood: { type: 'frozen' | 'thawed'; slot: number; sinceMs: number; cause: string | null }[];
  }
}

/** An ffmpeg that a test can stop: its pictures end, and the connection goes on. */
const STILL = 'ffmpeg:virtual?video=testsrc2&size=640x360#video=h264#timeout=60';

/** Attaches these slots' videos, and records what is told of them. */
async function attach(wall: Wall, ...slots: number[]): Promise<void> {
  await wall.page.evaluate(() => {
    window.stood = [];
    window.e2e.client?.on('frozen', (event) => window.stood.push(event));
    window.e2e.client?.on('thawed', (event) => window.stood.push(event));
  });
  for (const slot of slots) await wall.attach(slot);
  for (const slot of slots) await expectLive(wall, slot, true);
}

const expectLive = (wall: Wall, slot: number, live: boolean) =>
  expect.poll(async () => (await wall.status(slot))?.live, { timeout: 20_000 }).toBe(live);

const stood = (wall: Wall) => wall.page.evaluate(() => window.stood);

/** The event of this kind that was told last, once there is one. */
async function told(wall: Wall, type: 'frozen' | 'thawed', cause?: string) {
  const last = async () => (await stood(wall)).findLast((event) => event.type === type);
  await expect.poll(async () => (await last())?.slot, { timeout: 20_000 }).toBe(0);
  if (cause) await expect.poll(async () => (await last())?.cause, { timeout: 20_000 }).toBe(cause);
  return last();
}

/** The camera whose picture stands or moves in the slot's video; 0: a picture without a number, `null`: no picture. */
const pictureIn = (wall: Wall, slot: number) =>
  wall.page.evaluate((slot) => {
    const video = window.e2e.slots.get(slot)?.video;
    return video === undefined || video.readyState < 2 ? null : (window.e2e.read(video)?.camera ?? 0);
  }, slot);

const markOf = (wall: Wall, slot: number) =>
  wall.page.evaluate((slot) => window.e2e.slots.get(slot)?.video.dataset.picture, slot);

test('a picture that stands is frozen until it moves again, and the others are live', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: { ...rtspStreams(cameras, 1), still: STILL } });
  const wall = await openWall(server);
  await wall.connect([
    { slot: 0, stream: 'still' },
    { slot: 1, stream: 'camera1' },
  ]);
  await attach(wall, 0, 1);
  const pid = execFileSync('pgrep', ['-P', String(server.child.pid), '-x', 'ffmpeg'], { encoding: 'utf8' });
  process.kill(Number(pid), 'SIGSTOP');
  try {
    const frozen = await told(wall, 'frozen', 'source');
    expect(frozen?.sinceMs).toBeGreaterThan(2_000);
    await expectLive(wall, 0, false);
    expect(await markOf(wall, 0)).toBe('frozen');
    await expectLive(wall, 1, true);
  } finally {
    process.kill(Number(pid), 'SIGCONT');
  }
  const thawed = await told(wall, 'thawed');
  expect(thawed?.sinceMs).toBeGreaterThan(2_000);
  await expectLive(wall, 0, true);
  expect(await markOf(wall, 0)).toBe('live');
  expect((await stood(wall)).filter(({ slot }) => slot === 1)).toEqual([]);
});

test('the pictures of a server that hangs are not live, and freeze', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.play(1);
  await attach(wall, 0);
  process.kill(server.child.pid, 'SIGSTOP');
  try {
    await expectLive(wall, 0, false);
    await told(wall, 'frozen', 'network');
  } finally {
    process.kill(server.child.pid, 'SIGCONT');
  }
  await expectLive(wall, 0, true);
  await told(wall, 'thawed');
});

test('a paused slot is neither live nor frozen, and neither is it frozen when it is resumed', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await openWall(server);
  await wall.play(1);
  await attach(wall, 0);
  await wall.pause(0);
  await expectLive(wall, 0, false);
  // As long as a picture that should move may stand, and more.
  await wall.page.waitForTimeout(4_000);
  await wall.resume(0);
  await expectLive(wall, 0, true);
  // One that was called frozen by the age of the picture before the pause would stand for longer than the pause; a busy machine may
  // have had a shorter freeze of its own.
  expect((await stood(wall)).filter(({ sinceMs }) => sinceMs > 4_000)).toEqual([]);
});

test("a camera that is down is not shown by another camera's picture, and a refusal changes nothing", async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 2), dead: 'rtsp://127.0.0.1:1/' },
  });
  const wall = await openWall(server);
  await wall.play(1);
  await attach(wall, 0);
  await expect(wall.switch(0, 'nosuch')).rejects.toThrow();
  await expectStatusLive(wall, { status: 'active', live: true });
  expect(await pictureIn(wall, 0)).toBe(1);
  await expect(wall.switch(0, 'dead')).rejects.toThrow();
  await wall.expectStatus(0, 'offline');
  await expect.poll(() => pictureIn(wall, 0)).toBeNull();
  await expectLive(wall, 0, false);
  // It is no picture of this camera that stands.
  expect((await stood(wall)).filter(({ type }) => type === 'frozen')).toEqual([]);
  const shown = await wall.switch(0, 'camera2');
  expect(shown.timing.firstFrame).toBeDefined();
  expect(shown.live).toBe(true);
  await expect.poll(() => pictureIn(wall, 0)).toBe(2);
});

/** The statuses of slot 0 that are no refusals end with this. */
async function expectStatusLive(wall: Wall, status: Partial<SlotStatus>): Promise<void> {
  const last = await wall.page.evaluate(() => window.e2e.statuses.get(0)?.findLast(({ kept }) => !kept));
  expect(last).toMatchObject(status);
}

test('the last picture of a camera that went offline stays, and is marked', async ({ serve, openWall }) => {
  const cameras = await Cameras.start('--count=1');
  try {
    const server = await serve({ streams: rtspStreams(cameras, 1) });
    const wall = await openWall(server);
    await wall.play(1);
    await attach(wall, 0);
    await cameras.stop();
    await wall.expectStatus(0, 'offline');
    await told(wall, 'frozen', 'source');
    expect(await pictureIn(wall, 0)).toBe(1);
    expect(await markOf(wall, 0)).toBe('frozen');
    await cameras.restart();
    await expectLive(wall, 0, true);
  } finally {
    await cameras.stop();
  }
});
