// Tests a dashboard that was written against another client module with the same API and catches no rejection, in both
// supported versions of React.
import type { Page } from '@playwright/test';
import type {} from './dashboard/main';
import { expect, test } from './fixtures';
import { installProbe } from './probe';
import { dashboardPage, type ReactOf } from './react-host';
import type { Server } from './server';

const CAMERAS = [{ id: 'camera1' }, { id: 'camera2' }];
const MOUNTS = 50;

function reading(page: Page, slot: number): Promise<number | undefined> {
  const video = page.locator(`[data-slot="${slot}"] video`);
  return video.evaluate((video: HTMLVideoElement) => window.e2e.read(video)?.camera);
}

async function expectCamera(page: Page, slot: number, camera: number): Promise<void> {
  await expect.poll(() => reading(page, slot), `camera in slot ${slot}`).toBe(camera);
}

async function sessions(server: Server): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^multistream_sessions (\d+)$/m.exec(metrics)?.[1]);
}

const openPeers = (page: Page) =>
  page.evaluate(() => window.e2e.peers.filter(({ connectionState }) => connectionState !== 'closed').length);
const mount = (page: Page, url: string) =>
  page.evaluate(({ url, cameras }) => window.example.mount(url, cameras), { url, cameras: CAMERAS });
const unhandled = (page: Page) => page.evaluate(() => window.example.unhandled);

for (const react of ['react-18', 'react-19'] as const satisfies ReactOf[]) {
  test.describe(react, () => {
    test.beforeEach(async ({ page }) => {
      await page.addInitScript(installProbe);
      await page.goto(await dashboardPage(react));
      expect(await page.evaluate(() => window.example.react)).toMatch(new RegExp(`^${react.slice(6)}\\.`));
    });

    test('a dashboard without a catch plays, switches, and gets a warning in the console for a refused switch', async ({
      cameras,
      serve,
      page,
    }) => {
      // camera1 in 1080p shows the third camera; camera2 has no such quality.
      const server = await serve({
        streams: {
          camera1: cameras.url(1),
          'camera1-360p': cameras.url(1),
          'camera1-1080p': cameras.url(3),
          camera2: cameras.url(2),
          'camera2-360p': cameras.url(2),
        },
      });
      const warnings: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'warning') warnings.push(message.text());
      });
      await mount(page, server.url);
      await expectCamera(page, 0, 1);
      await expectCamera(page, 1, 2);
      expect(await unhandled(page)).toEqual([]);
      expect(warnings).toEqual([]);
      expect(await openPeers(page)).toBe(1);
      expect(await sessions(server)).toBe(1);

      await page.locator('[data-slot="0"]').click();
      await expectCamera(page, 0, 3);
      expect(await unhandled(page)).toEqual([]);
      expect(warnings).toEqual([]);

      await page.locator('[data-slot="1"]').click();
      await expect.poll(() => warnings).toEqual([expect.stringContaining('unknown-quality')]);
      await expectCamera(page, 1, 2);
      expect(await unhandled(page)).toEqual([]);
      expect(await openPeers(page)).toBe(1);
    });

    test(`${MOUNTS} mounts leave no connection, no session and no rejection that the browser reports`, async ({
      cameras,
      serve,
      page,
    }) => {
      const streams = { 'camera1-360p': cameras.url(1), 'camera2-360p': cameras.url(2) };
      const server = await serve({
        streams: { camera1: cameras.url(1), camera2: cameras.url(2), ...streams },
      });
      for (let cycle = 0; cycle < MOUNTS; cycle++) {
        await mount(page, server.url);
        // The unmount comes at every point of the life cycle: at once, while it connects, and with pictures.
        if (cycle % 5 === 1) await page.waitForTimeout(cycle);
        if (cycle % 5 === 2) await expect.poll(() => openPeers(page), { intervals: [5] }).toBeGreaterThan(0);
        if (cycle % 5 === 4) await expect(page.locator('[data-status="active"]')).toHaveCount(2);
        await page.evaluate(() => window.example.unmount());
      }
      await expect.poll(() => openPeers(page)).toBe(0);
      await expect.poll(() => sessions(server)).toBe(0);
      await expect
        .poll(async () => [await server.viewers('camera1-360p'), await server.viewers('camera2-360p')])
        .toEqual([0, 0]);
      expect(await unhandled(page)).toEqual([]);
    });
  });
}
