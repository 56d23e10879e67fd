// Tests the React entry in Chromium, bundled by Vite, under StrictMode.
import type { Page } from '@playwright/test';
import type { SlotConfig } from 'multistream-client';
import { freePort } from './child';
import { expect, rtspStreams, test } from './fixtures';
import { installProbe } from './probe';
import type {} from './react/main';
import { reactPage } from './react-host';
import type { Server } from './server';

const TWO: SlotConfig[] = [
  { slot: 0, stream: 'camera1' },
  { slot: 1, stream: 'camera2' },
];
const CYCLES = 50;

async function open(page: Page): Promise<void> {
  await page.addInitScript(installProbe);
  await page.goto(await reactPage());
}

async function show(page: Page, server: Server, as: 'grid' | 'hook', slots: SlotConfig[]): Promise<void> {
  await page.evaluate(({ as, url, slots }) => window.dashboard[as](url, slots), {
    as,
    url: server.url,
    slots,
  });
}

/** Peer connections that were ever made, and those that are not closed. */
function peers(page: Page): Promise<{ made: number; open: number }> {
  return page.evaluate(() => ({
    made: window.e2e.peers.length,
    open: window.e2e.peers.filter(({ connectionState }) => connectionState !== 'closed').length,
  }));
}

async function sessions(server: Server): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^multistream_sessions (\d+)$/m.exec(metrics)?.[1]);
}

async function expectPlaying(page: Page, slot: number): Promise<void> {
  const video = page.locator(`[data-slot="${slot}"] video`);
  const frames = () =>
    video.evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);
  // A tile that is out of sight for two seconds is paused.
  await video.scrollIntoViewIfNeeded();
  const before = await frames();
  await expect.poll(frames, `frames of slot ${slot}`).toBeGreaterThan(before + 5);
}

for (const as of ['grid', 'hook'] as const) {
  test(`the double mount of StrictMode leaves one connection (${as})`, async ({ cameras, serve, page }) => {
    const server = await serve({ streams: rtspStreams(cameras, 2) });
    await open(page);
    await show(page, server, as, TWO);
    await expectPlaying(page, 0);
    await expectPlaying(page, 1);
    expect(await page.evaluate(() => window.dashboard.mounts)).toBe(2);
    expect(await peers(page)).toMatchObject({ open: 1 });
    expect(await sessions(server)).toBe(1);
    expect([await server.viewers('camera1'), await server.viewers('camera2')]).toEqual([1, 1]);
  });
}

test('other streams are switched on the same connection; another number of slots makes a new one', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  await open(page);
  await show(page, server, 'grid', TWO);
  await expectPlaying(page, 0);
  const before = await peers(page);

  // Another stream; another order; the same slots in a new array.
  for (const slots of [[{ slot: 0, stream: 'camera3' }, TWO[1]], TWO.toReversed(), [...TWO]]) {
    await show(page, server, 'grid', slots as SlotConfig[]);
    for (const { slot, stream } of slots as SlotConfig[]) {
      const tile = page.locator(`[data-slot="${slot}"]`);
      await expect(tile).toHaveAttribute('data-stream', stream);
      await expect(tile).toHaveAttribute('data-status', 'active');
    }
    await expectPlaying(page, 0);
  }
  expect(await peers(page)).toEqual(before);

  await show(page, server, 'grid', [...TWO, { slot: 2, stream: 'camera3' }]);
  await expectPlaying(page, 2);
  expect(await peers(page)).toEqual({ made: before.made + 1, open: 1 });
  await expect.poll(() => sessions(server)).toBe(1);
});

test('a render does not disturb the pictures of the hook', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  await open(page);
  await show(page, server, 'hook', TWO);
  await expectPlaying(page, 0);
  await page.evaluate(() => {
    for (const video of document.querySelectorAll('video')) {
      video.addEventListener('emptied', () => video.setAttribute('data-emptied', ''));
    }
  });
  for (let n = 0; n < 5; n++) await show(page, server, 'hook', [...TWO]);
  await expectPlaying(page, 0);
  await expect(page.locator('video[data-emptied]')).toHaveCount(0);
});

test(`${CYCLES} mounts and unmounts leave no peer connection open and no session`, async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  await open(page);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await show(page, server, cycle % 2 === 0 ? 'grid' : 'hook', TWO);
    // The unmount comes at every point of the life cycle: at once, while it connects, connected, and with pictures.
    const phase = cycle % 5;
    if (phase === 1) await page.waitForTimeout(cycle);
    if (phase === 2) await expect(page.locator('[data-state^="connect"]')).toBeVisible();
    if (phase === 3) await expect(page.locator('[data-state="connected"]')).toBeVisible();
    if (phase === 4) await expect(page.locator('[data-slot="0"]')).toHaveAttribute('data-status', 'active');
    await page.evaluate(() => window.dashboard.unmount());
  }
  await expect.poll(() => peers(page)).toMatchObject({ open: 0 });
  expect((await peers(page)).made).toBeGreaterThanOrEqual(CYCLES * (2 / 5));
  await expect.poll(() => sessions(server)).toBe(0);
  await expect
    .poll(async () => [await server.viewers('camera1'), await server.viewers('camera2')])
    .toEqual([0, 0]);
});

test('the grid says what is shown: the camera in the picture, a refusal until the next success, and a loss', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  await open(page);
  await show(page, server, 'grid', TWO);
  const tile = page.locator('[data-slot="0"]');
  const alert = page.getByRole('alert');
  await expect(tile).toContainText('camera1: live');
  await expect(alert).toBeHidden();

  const first = (stream: string) => [{ slot: 0, stream }, TWO[1]] as SlotConfig[];
  await show(page, server, 'grid', first('nosuch'));
  await expect(alert).toContainText('nosuch');
  await expect(tile).toContainText('camera1: live');
  await show(page, server, 'grid', first('camera3'));
  await expect(tile).toContainText('camera3: live');
  await expect(alert).toBeHidden();

  await server.kill();
  for (const slot of [0, 1]) {
    await expect(page.locator(`[data-slot="${slot}"]`)).toContainText('connection lost', { timeout: 2_000 });
    await expect(page.locator(`[data-slot="${slot}"]`)).toHaveAttribute('data-status', 'buffering');
  }
  await expect(alert).toContainText(/./);
  await server.restart();
  await expect(tile).toContainText('camera3: live');
  await expect(alert).toBeHidden();
  await expectPlaying(page, 0);
});

test('the grid says why the first attempt failed, and goes on trying', async ({ page }) => {
  await open(page);
  const url = `http://127.0.0.1:${await freePort()}`;
  await page.evaluate(({ url, slots }) => window.dashboard.grid(url, slots), { url, slots: TWO });
  await expect(page.getByRole('alert')).toContainText(/./);
  await expect(page.getByRole('region')).toHaveAttribute('data-state', 'connecting');
});

test('the grid can be used by keyboard, and a screen reader announces an offline camera', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: { ...rtspStreams(cameras, 1), door: 'rtsp://127.0.0.1:9/none' } });
  await open(page);
  await show(page, server, 'grid', [
    { slot: 0, stream: 'camera1' },
    { slot: 1, stream: 'door' },
  ]);
  const wall = page.getByRole('region', { name: 'Cameras' });
  await expect(wall.getByRole('button', { name: 'camera1: live' })).toBeVisible();
  const trouble = wall.getByRole('figure').nth(1).getByRole('status');
  await expect(trouble).toContainText('refuses the connection');
  await expect(wall.getByRole('figure').first().getByRole('status')).toBeEmpty();

  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  expect(await page.evaluate(() => window.dashboard.selected)).toEqual([0, 1]);
});
