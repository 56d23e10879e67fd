// Tests the tour through the cameras that are not on the wall.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('the tour shows the other cameras, one tile after the other, and warms the next one', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2&tour=3');
  await wall.expectLive(0, 1);
  // Its turn comes within the time that a camera is warmed before, so it runs already.
  await expect.poll(() => server.viewers('camera5')).toBe(1);
  const before = 'camera1,camera2,camera3,camera4';
  expect(wall.query().get('tiles')).toBe(before);
  for (const tiles of [
    'camera5,camera2,camera3,camera4',
    'camera5,camera6,camera3,camera4',
    'camera5,camera6,camera1,camera4',
  ]) {
    await expect.poll(() => wall.shown()).toBe(tiles);
  }
  await wall.expectLive(1, 6);
  expect(await wall.connections()).toBe(1);
  // Escape ends it, and the wall is as it was; its address never was another one.
  expect(wall.query().get('tiles')).toBe(before);
  await page.keyboard.press('Escape');
  await expect.poll(() => wall.shown()).toBe(before);
  expect(wall.query().get('tour')).toBeNull();
  await wall.expectLive(0, 1);
});

test('the tour leaves out a camera that is offline', async ({ cameras, serve, page }) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 1), dead: 'rtsp://127.0.0.1:1/', ...rtspStreams(cameras, 2) },
    multistream: { linger: '60s' },
  });
  const dead = await WallPage.open(page, server, '?layout=1&tiles=dead');
  await expect(dead.tile(0)).toHaveAttribute('data-status', 'offline');
  const wall = await WallPage.open(page, server, '?layout=1&tiles=camera1&tour=1');
  const tour = wall.tile(0).evaluateHandle((tile: HTMLElement) => {
    const seen: (string | undefined)[] = [];
    const note = () => seen.push(tile.dataset.stream);
    new MutationObserver(note).observe(tile, { attributeFilter: ['data-stream'] });
    return seen;
  });
  await expect.poll(() => wall.shown()).toBe('camera2');
  await expect.poll(() => wall.shown()).toBe('camera1');
  await expect.poll(() => wall.shown()).toBe('camera2');
  expect(await (await tour).jsonValue()).not.toContain('dead');
});

test('the tour is started and stopped in the bar or by Shift T, and pauses while the page is in use', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await WallPage.open(page, server, '?layout=1&tour=1');
  await wall.expectLive(0, 1);
  const tour = page.getByRole('button', { name: 'Tour' });
  await expect.poll(() => wall.shown()).toBe('camera2');
  await page.mouse.move(600, 400);
  await expect(tour).toHaveText(/paused/);
  const shown = await wall.shown();
  await page.waitForTimeout(2_000);
  expect(await wall.shown()).toBe(shown);
  // The tour goes on after the page has been idle.
  await expect(tour).toHaveText(/1 s/);
  await expect.poll(() => wall.shown()).not.toBe(shown);

  await page.keyboard.press('Shift+T');
  await expect(tour).toHaveText('Tour');
  expect(wall.query().get('tour')).toBeNull();
  await tour.click();
  await page.getByRole('menuitemradio', { name: 'every 20 s' }).click();
  await expect.poll(() => wall.query().get('tour')).toBe('20');
});

test('a tour with nothing to show says so', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  await WallPage.open(page, server, '?layout=2x2&tour=5');
  await expect(page.getByRole('button', { name: 'Tour' })).toHaveText(/nothing to show/);
});
