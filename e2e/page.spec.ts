// The page at `/`: the camera grid.
import { expect, rtspStreams, test } from './fixtures';
import { installProbe } from './probe';

test('the grid shows every camera, named and active, over one connection', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  await page.addInitScript(installProbe);
  await page.goto(server.url);
  for (const camera of [1, 2, 3, 4]) {
    const tile = page.locator(`[data-slot][data-stream="camera${camera}"]`);
    await expect(tile).toHaveAttribute('data-status', 'active');
    await expect(tile).toContainText(`camera${camera}`);
    await expect
      .poll(() =>
        tile
          .locator('video')
          .evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames),
      )
      .toBeGreaterThan(10);
  }
  expect(await page.evaluate(() => window.e2e.peers.length)).toBe(1);
});
