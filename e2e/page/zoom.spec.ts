// Tests the zoom of a tile's picture.
import type { Page } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';
import { centre, WallPage } from './wall-page';

function pageScale(page: Page): Promise<number | undefined> {
  return page.evaluate(() => window.visualViewport?.scale);
}

test('keys zoom and move the picture, and the address keeps it', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2&tiles=camera1,camera2,camera3,camera4');
  await wall.expectLive(1, 2);
  const video = wall.tile(1).locator('video');
  await page.keyboard.press('2');
  await page.keyboard.press('+');
  await expect(wall.tile(1).locator('.minimap')).toBeVisible();
  await expect.poll(() => wall.query().get('zoom')).toBe('2:1.5:0.5:0.5');
  await page.keyboard.press('Shift+ArrowRight');
  await expect.poll(() => wall.query().get('zoom')).toBe('2:1.5:0.633:0.5');
  await page.reload();
  await expect(wall.tile(1)).toHaveAttribute('data-zoomed');
  await expect(video).toHaveCSS('transform', /^matrix\(1\.5/);
  await page.keyboard.press('2');
  await page.keyboard.press('0');
  await expect(wall.tile(1).locator('.minimap')).toHaveCount(0);
  await expect.poll(() => wall.query().get('zoom')).toBeNull();
});

test('a wheel zooms the enlarged tile around the pointer, and with Ctrl one of the grid, not the page', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(3, 4);
  const at = await centre(wall.tile(3));
  await page.mouse.move(at.x, at.y);
  await page.mouse.wheel(0, -400);
  await expect(wall.tile(3)).not.toHaveAttribute('data-zoomed');
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -400);
  await page.keyboard.up('Control');
  await expect(wall.tile(3)).toHaveAttribute('data-zoomed');
  expect(await pageScale(page)).toBe(1);
  // A drag moves the picture: no camera changes its place, and no dialog opens.
  await page.mouse.down();
  await page.mouse.move(at.x - 200, at.y - 400, { steps: 5 });
  await page.mouse.up();
  await expect.poll(() => wall.query().get('zoom')).not.toMatch(/:0\.5:0\.5$/);
  await expect(wall.tile(3)).toHaveAttribute('data-stream', /^camera4/);
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a pinch zooms the tile, not the page; native quality comes with it and goes with it', async ({
  cameras,
  serve,
  browser,
}) => {
  const server = await serve({
    streams: { camera7: cameras.url(7), 'camera7-180p': 'ffmpeg:camera7#video=h264#height=180' },
  });
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  const wall = await WallPage.open(page, server, '?tiles=camera7:180p');
  await wall.expectLive(0, 7);
  await expect.poll(() => wall.height(0)).toBe(180);
  const { x, y } = await centre(wall.tile(0));
  const touch = await context.newCDPSession(page);
  const pinch = async (from: number, to: number) => {
    const at = (apart: number) => [
      { x: x - apart, y, id: 0 },
      { x: x + apart, y, id: 1 },
    ];
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(from) });
    for (let step = 1; step <= 5; step += 1) {
      const touchPoints = at(from + ((to - from) * step) / 5);
      await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints });
    }
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  };
  await pinch(30, 90);
  await expect(wall.tile(0)).toHaveAttribute('data-zoomed');
  expect(await pageScale(page)).toBe(1);
  await expect.poll(() => wall.height(0)).toBeGreaterThan(180);
  await pinch(120, 20);
  await expect(wall.tile(0)).not.toHaveAttribute('data-zoomed');
  await expect.poll(() => wall.height(0)).toBe(180);
  expect(await pageScale(page)).toBe(1);
  await context.close();
});
