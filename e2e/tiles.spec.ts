// Tests the provider and the hooks of one tile each in Chromium, under StrictMode, in both supported versions of React.
import type { Page } from '@playwright/test';
import type { SlotConfig } from 'multistream-client';
import { expect, rtspStreams, test } from './fixtures';
import { installProbe } from './probe';
import { type ReactOf, tilesPage } from './react-host';
import type { Server } from './server';
import type {} from './tiles/main';

const TWO: SlotConfig[] = [
  { slot: 0, stream: 'camera1' },
  { slot: 1, stream: 'camera2' },
];

function show(page: Page, server: Server, slots: SlotConfig[], tiles: number[]): Promise<void> {
  return page.evaluate(({ url, slots, tiles }) => window.wall.show(url, slots, tiles), {
    url: server.url,
    slots,
    tiles,
  });
}

const tile = (page: Page, slot: number) => page.locator(`[data-slot="${slot}"]`);
const renders = (page: Page) => page.evaluate(() => ({ ...window.wall.renders }));

async function expectLive(page: Page, slot: number): Promise<void> {
  await expect(tile(page, slot).first()).toHaveAttribute('data-live', 'true');
}

async function expectPlaying(page: Page, slot: number, nth = 0): Promise<void> {
  const video = tile(page, slot).nth(nth).locator('video');
  const frames = () =>
    video.evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);
  const before = await frames();
  await expect.poll(frames, `frames of slot ${slot}`).toBeGreaterThan(before + 5);
}

/** Marks the videos that lose their picture from now on. */
async function watchForLoss(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const video of document.querySelectorAll('video')) {
      for (const type of ['emptied', 'pause']) {
        video.addEventListener(type, () => video.setAttribute('data-lost', type));
      }
    }
  });
}

async function sessions(server: Server): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^multistream_sessions (\d+)$/m.exec(metrics)?.[1]);
}

const openPeers = (page: Page) =>
  page.evaluate(() => window.e2e.peers.filter(({ connectionState }) => connectionState !== 'closed').length);

for (const react of ['react-18', 'react-19'] as const satisfies ReactOf[]) {
  test.describe(react, () => {
    test.beforeEach(async ({ page }) => {
      await page.addInitScript(installProbe);
      await page.goto(await tilesPage(react));
      expect(await page.evaluate(() => window.wall.react)).toMatch(new RegExp(`^${react.slice(6)}\\.`));
    });

    test("components share one connection, and a tile's status renders that tile alone", async ({
      cameras,
      serve,
      page,
    }) => {
      const streams = { ...rtspStreams(cameras, 2), 'camera1-360p': cameras.url(1) };
      const server = await serve({ streams });
      await show(
        page,
        server,
        [TWO[0] as SlotConfig, { slot: 1, stream: 'camera2', quality: 'native' }],
        [0, 1, 1],
      );
      await expectPlaying(page, 0);
      await expectPlaying(page, 1, 0);
      await expectPlaying(page, 1, 1);
      await expectLive(page, 0);
      expect(await openPeers(page)).toBe(1);
      expect(await sessions(server)).toBe(1);
      // Variants are told with their camera.
      await expect(page.locator('p').first()).toHaveText(/^camera1\(2\) camera2\(\d\)$/);

      // A slot that is paused has nothing to tell, on a busy machine neither.
      await page.evaluate(() => window.wall.tiles[0]?.pause());
      await expect(tile(page, 0)).toHaveAttribute('data-status', 'paused');
      await expect(tile(page, 0)).toHaveAttribute('data-live', 'false');
      const before = await renders(page);
      for (const [call, status] of [
        ['pause', 'paused'],
        ['resume', 'active'],
      ] as const) {
        await page.evaluate((call) => window.wall.tiles[1]?.[call](), call);
        await expect(tile(page, 1).first()).toHaveAttribute('data-status', status);
        await expect(tile(page, 1).last()).toHaveAttribute('data-status', status);
      }
      await page.evaluate(() => window.wall.tiles[1]?.switchTo('nosuch').catch(() => {}));
      await expect(tile(page, 1).first()).toHaveAttribute('data-error', /./);
      await expect(tile(page, 1).first()).toHaveAttribute('data-status', 'active');
      const after = await renders(page);
      expect(after['tile 1']).toBeGreaterThan(before['tile 1'] ?? 0);
      expect({ ...after, 'tile 1': 0 }).toEqual({ ...before, 'tile 1': 0 });
    });

    test("a server's markup is taken over, and plays on one connection", async ({ cameras, serve, page }) => {
      const server = await serve({ streams: rtspStreams(cameras, 2) });
      await page.evaluate(({ url, slots }) => window.wall.hydrate(url, slots, [0, 1]), {
        url: server.url,
        slots: TWO,
      });
      await expectPlaying(page, 0);
      await expectPlaying(page, 1);
      expect(await page.evaluate(() => window.wall.mismatches)).toEqual([]);
      expect(await openPeers(page)).toBe(1);
      expect(await sessions(server)).toBe(1);
    });

    test('a tile that unmounts, or moves, leaves the others alone', async ({ cameras, serve, page }) => {
      const server = await serve({ streams: rtspStreams(cameras, 2) });
      await show(page, server, TWO, [0, 1]);
      await expectPlaying(page, 0);
      await expectPlaying(page, 1);
      await watchForLoss(page);
      await show(page, server, TWO, [1, 0]);
      await expectPlaying(page, 0);
      await expectPlaying(page, 1);
      await expect(page.locator('[data-lost]')).toHaveCount(0);

      const gone = await tile(page, 1).locator('video').elementHandle();
      await show(page, server, TWO, [0]);
      await expect.poll(() => gone?.evaluate((video) => (video as HTMLVideoElement).srcObject)).toBeNull();
      await expectPlaying(page, 0);
      await expect(page.locator('[data-lost]')).toHaveCount(0);
      await show(page, server, TWO, [0, 1]);
      await expectPlaying(page, 1);
      expect(await openPeers(page)).toBe(1);

      await page.evaluate(() => window.wall.unmount());
      await expect.poll(() => openPeers(page)).toBe(0);
      await expect.poll(() => sessions(server)).toBe(0);
    });

    test("what a tile switched to stays until its own entry changes, whatever the others' entries do", async ({
      cameras,
      serve,
      page,
    }) => {
      const server = await serve({ streams: rtspStreams(cameras, 3) });
      const caption = tile(page, 0).locator('figcaption');
      await show(page, server, TWO, [0, 1]);
      await expectLive(page, 0);
      await page.evaluate(async () => void (await window.wall.tiles[0]?.switchTo('camera3')));
      await expect(caption).toHaveText('camera3');
      await show(page, server, [TWO[0] as SlotConfig, { slot: 1, stream: 'camera1' }], [0, 1]);
      await expect(tile(page, 1).locator('figcaption')).toHaveText('camera1');
      await expect(caption).toHaveText('camera3');
      await show(page, server, [...TWO, { slot: 2, stream: 'camera1' }], [0, 1, 2]);
      await expectPlaying(page, 2);
      await expect(caption).toHaveText('camera3');
      await show(
        page,
        server,
        [{ slot: 0, stream: 'camera2' }, ...TWO.slice(1), { slot: 2, stream: 'camera1' }],
        [0, 1, 2],
      );
      await expect(caption).toHaveText('camera2');
    });
  });
}
