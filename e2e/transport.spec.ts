// Tests a viewer whose network blocks UDP, from the start or in mid-session: the tiles play by ICE-TCP, on the same port.
import { away, CAMERAS, expect, needsNamespaces } from './away';

needsNamespaces();

const WITHIN_MS = 3_000;

away('all tiles play by TCP within 3 s of the connect where UDP is blocked', async ({ leave }) => {
  const { netns, wall } = await leave();
  netns.blockUdp(true);
  const took = await wall.timedPlay(CAMERAS);
  console.log(`UDP blocked: all tiles play ${Math.round(took)} ms after connect`);
  expect(await wall.transport()).toBe('tcp');
  expect(took).toBeLessThan(WITHIN_MS);
});

away('all tiles go on by TCP within 3 s of UDP being blocked', async ({ leave }) => {
  const { netns, wall } = await leave();
  await wall.play(...CAMERAS);
  expect(await wall.transport()).toBe('udp');
  // Nothing of the start disturbs the figures.
  await wall.page.waitForTimeout(1_500);
  const longest = await wall.watchGaps();
  await wall.forgetEvents();
  netns.blockUdp(true);
  await wall.page.waitForTimeout(WITHIN_MS);
  await wall.expectNewPictures(CAMERAS, 30_000);
  const gaps = await longest();
  console.log(`UDP blocked in mid-session: longest gap per tile ${gaps.join(', ')} ms`);
  console.log(`events: ${(await wall.events()).join(', ')}`);
  expect(await wall.transport()).toBe('tcp');
  expect(Math.max(...gaps)).toBeLessThan(WITHIN_MS);
});
