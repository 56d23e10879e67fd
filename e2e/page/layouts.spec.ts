// Tests the layouts of the wall at `/`, and what of them the address and the browser keep.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('the wall shows every camera, named and live, over one connection', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server);
  for (const cell of [0, 1, 2, 3]) {
    await wall.expectLive(cell, cell + 1);
    await expect(wall.tile(cell)).toContainText(`camera${cell + 1}`);
  }
  expect(await wall.connections()).toBe(1);
});

test('layouts of up to max_slots tiles are offered, and each shows its tiles', async ({
  cameras,
  serve,
  page,
}) => {
  for (const [max_slots, last] of [
    [9, '1 + 7'],
    [16, '4 × 4'],
  ] as const) {
    const server = await serve({ streams: rtspStreams(cameras, 1), multistream: { max_slots } });
    const wall = await WallPage.open(page, server);
    const layouts = page.locator('.layouts button');
    await expect(layouts.last()).toHaveAccessibleName(last);
    for (const layout of await layouts.all()) {
      const label = (await layout.getAttribute('aria-label')) ?? '';
      const [a = 0, sign, b = 0] = label.split(' ');
      await layout.click();
      await expect(layout).toHaveAttribute('aria-pressed', 'true');
      // The packed layout has as many tiles as there are cameras.
      const grid = sign === '×' ? Number(a) * Number(b) : Number(a) + Number(b);
      const tiles = label === 'Auto' ? 1 : grid;
      await expect(wall.visibleTiles).toHaveCount(tiles);
    }
  }
});

test('a smaller layout pauses the hidden slots and keeps the connection', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(3, 4);
  await page.getByRole('button', { name: '1', exact: true }).click();
  await expect(wall.visibleTiles).toHaveCount(1);
  // The other three are hidden and thus paused.
  await expect.poll(() => server.viewers('camera4')).toBe(0);
  await page.getByRole('button', { name: '2 × 2' }).click();
  await wall.expectLive(3, 4);
  expect(await wall.connections()).toBe(1);
});

test('the default layout has a tile for each camera and no empty one, and covers most of the wall', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  for (const [width, height] of [
    [1440, 900],
    [844, 390],
  ] as const) {
    await page.setViewportSize({ width, height });
    const wall = await WallPage.open(page, server);
    expect(wall.query().get('layout')).toBe('auto');
    await expect(wall.visibleTiles).toHaveCount(6);
    await expect(page.locator('.vacant')).toHaveCount(0);
    await wall.expectLive(5, 6);
    const share = await page.locator('main.grid').evaluate((grid) => {
      const boxes = [...grid.querySelectorAll('video')].map((video) => video.getBoundingClientRect());
      const areas = boxes.map((box) => Math.min(box.width, (box.height * 16) / 9) ** 2 * (9 / 16));
      return areas.reduce((sum, area) => sum + area, 0) / (grid.clientWidth * grid.clientHeight);
    });
    console.log(`six cameras at ${width} × ${height}: ${share.toFixed(2)} of the wall`);
    expect(share).toBeGreaterThan(0.7);
  }
});

test('in 1 + 5 the first tile is as large as four others', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=1%2B5');
  const [large, small] = [await wall.tile(0).boundingBox(), await wall.tile(5).boundingBox()];
  expect((large?.width ?? 0) / (small?.width ?? 1)).toBeCloseTo(2, 1);
  expect((large?.height ?? 0) / (small?.height ?? 1)).toBeCloseTo(2, 1);
});

test('the address describes the wall: another browser shows the same', async ({
  cameras,
  serve,
  page,
  browser,
}) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 4), 'camera4-180p': 'ffmpeg:camera4#video=h264#height=180' },
  });
  const wall = await WallPage.open(
    page,
    server,
    '?layout=2x2&tiles=camera3,,camera4:180p,camera1&theme=light',
  );
  await wall.expectLive(0, 3);
  await expect(wall.tile(1)).toHaveClass(/vacant/);
  await expect.poll(() => wall.height(2)).toBe(180);
  await wall.expectLive(3, 1);
  await wall.camera('camera2').click();
  await wall.expectLive(0, 2);

  const context = await browser.newContext();
  const other = await WallPage.open(await context.newPage(), server, new URL(page.url()).search);
  await other.expectLive(0, 2);
  await expect(other.tile(1)).toHaveClass(/vacant/);
  await expect.poll(() => other.height(2)).toBe(180);
  await expect(other.page.locator('html')).toHaveAttribute('data-theme', 'light');
  await context.close();
});

test('the bare address shows the wall and the theme that this browser had last', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2&tiles=camera4,camera3,camera2,camera1');
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(wall.query().get('theme')).toBe('dark');
  const again = await WallPage.open(page, server);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  for (const cell of [0, 1, 2, 3]) await again.expectLive(cell, 4 - cell);
});

test('the theme is the system’s until the user chooses one', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await WallPage.open(page, server);
    await expect(page.locator('html')).toHaveAttribute('data-theme', colorScheme);
  }
});

test('on a phone every tile can be scrolled into view whole, and nothing is wider than the screen', async ({
  cameras,
  serve,
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  for (const cell of [0, 1, 2, 3]) {
    await wall.tile(cell).scrollIntoViewIfNeeded();
    await wall.expectLive(cell, cell + 1);
    const box = await wall.tile(cell).boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(16 / 9, 1);
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  for (const control of await page.locator('header button:visible').all()) {
    const box = await control.boundingBox();
    expect(box?.height, await control.getAttribute('aria-label').then(String)).toBeGreaterThanOrEqual(30);
  }
});

test('without streams the page says what to write into the configuration', async ({ serve, page }) => {
  const server = await serve({ streams: {} });
  await page.goto(server.url);
  await expect(page.getByRole('heading')).toHaveText('No cameras yet');
  await expect(page.locator('pre')).toContainText('streams:\n  front-door: rtsp://');
});

test('a tab that the browser discarded shows the same wall when it is loaded again', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2&tiles=camera4,camera3,camera2,camera1');
  await wall.expectLive(0, 4);
  await wall.camera('camera5').click();
  await wall.expectLive(0, 5);
  // A discarded tab has no renderer any more, and is loaded anew when it is looked at.
  const devtools = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  devtools.send('Page.crash').catch(() => {});
  await crashed;
  await expect.poll(() => server.viewers('camera5')).toBe(0);
  const search = new URL(page.url()).search;
  const lookedAt = Date.now();
  const again = await WallPage.open(await page.context().newPage(), server, search);
  for (const [cell, camera] of [5, 3, 2, 1].entries()) await again.expectLive(cell, camera);
  console.log(
    `discarded: all tiles are seen live ${Date.now() - lookedAt} ms after the tab was loaded again`,
  );
});
