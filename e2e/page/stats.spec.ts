// Tests the panel of statistics.
import type { Locator } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('the figures of each tile change while the panel is open', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
  await page.getByRole('button', { name: 'Statistics' }).click();
  const drawer = page.getByRole('complementary', { name: 'Statistics' });
  for (const slot of [0, 1, 2, 3]) {
    const section = drawer.locator(`[data-slot-stats="${slot}"]`);
    await expect(section).toContainText(`camera${slot + 1}`);
    await expect(section).toContainText('H264 640 × 360');
    await expect.poll(() => figure(section, 'fps')).toBeGreaterThan(10);
    await expect.poll(() => figure(section, 'Mbit/s')).toBeGreaterThan(0.05);
    await expect.poll(() => figure(section, 'delay')).toBeGreaterThan(0);
    expect(await figure(section, 'delay')).toBeLessThan(1_000);
    expect(await figure(section, 'drops')).toBeGreaterThanOrEqual(0);
  }
  await expect(drawer.locator('[data-fact="transport"]')).toHaveText('UDP, direct');
  await expect(drawer.locator('[data-fact="server"]')).toHaveText(/^([\d.]+|\[[\da-f:]+\]):\d+$/);
  await expect(drawer.locator('[data-fact="rtt"]')).toHaveText(/^\d+\.\d ms$/);
  const plot = drawer.locator('[data-slot-stats="0"] [data-plot="Mbit/s"] polyline');
  const points = async () => (await plot.getAttribute('points'))?.split(' ') ?? [];
  const before = await points();
  await expect.poll(async () => (await points()).length).toBeGreaterThan(before.length + 1);
  // The bitrate of a camera varies, so the points of its plot differ in height.
  const heights = (await points()).map((point) => point.split(',')[1]);
  expect(new Set(heights).size).toBeGreaterThan(1);
});

test('the figures show it when frames stop', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await WallPage.open(page, server);
  await wall.expectLive(0, 1);
  await page.keyboard.press('Shift+D');
  const section = page.locator('[data-slot-stats="0"]');
  await expect.poll(() => figure(section, 'fps')).toBeGreaterThan(10);
  process.kill(server.child.pid, 'SIGSTOP');
  try {
    await expect.poll(() => figure(section, 'fps')).toBe(0);
    await expect(section.locator('[data-plot="delay"] dd')).toHaveText('–');
  } finally {
    process.kill(server.child.pid, 'SIGCONT');
  }
  await expect.poll(() => figure(section, 'fps')).toBeGreaterThan(10);
});

test('every switch of the session is in the histogram, by the time it took', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
  await page.keyboard.press('Shift+D');
  const drawer = page.getByRole('complementary', { name: 'Statistics' });
  await expect(drawer).toContainText('Nothing was switched yet.');
  for (const [camera, key] of [
    [2, 'b'],
    [3, 'c'],
    [4, 'd'],
  ] as const) {
    await page.keyboard.press('1');
    await page.keyboard.press(key);
    await wall.expectLive(0, camera);
  }
  await expect(drawer).toContainText('3 switches');
  const counts = await drawer
    .locator('.histogram li')
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('data-count'))));
  expect(counts.reduce((sum, count) => sum + count)).toBe(3);
  // A switch between live cameras takes less than half a second even on a busy machine.
  const median = /median (\d+) ms/.exec((await drawer.textContent()) ?? '')?.[1];
  expect(Number(median)).toBeGreaterThanOrEqual(0);
  expect(Number(median)).toBeLessThan(500);
});

test('the panel is closed by its button and by Shift D', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await WallPage.open(page, server);
  const drawer = page.getByRole('complementary', { name: 'Statistics' });
  await page.keyboard.press('Shift+D');
  await drawer.getByRole('button', { name: 'Close the statistics' }).click();
  await expect(drawer).toHaveCount(0);
  await page.keyboard.press('Shift+D');
  await expect(drawer).toBeVisible();
  await page.keyboard.press('Shift+D');
  await expect(drawer).toHaveCount(0);
});

/** The figure beside a plot; NaN for a dash. */
async function figure(section: Locator, name: string): Promise<number> {
  return Number.parseFloat((await section.locator(`[data-plot="${name}"] dd`).textContent()) ?? '');
}
