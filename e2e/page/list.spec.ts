// Tests the list of cameras beside the tiles, and dragging.
import type { CDPSession } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';
import { centre, WallPage } from './wall-page';

test('a camera is dragged from the list onto a tile', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(2, 3);
  await wall.drag(wall.camera('camera6'), wall.tile(2));
  await wall.expectLive(2, 6);
  expect(wall.query().get('tiles')).toBe('camera1,camera2,camera6,camera4');
  expect(await wall.connections()).toBe(1);
  await expect(wall.camera('camera6')).toContainText('in tile 3');
});

test('the tile below a dragged camera is marked, and Esc cancels the drag', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  const [from, to] = [await centre(wall.camera('camera5')), await centre(wall.tile(1))];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 3 });
  await expect(wall.tile(1)).toHaveAttribute('data-target');
  await expect(page.locator('.dragged')).toHaveText('camera5');
  await page.keyboard.press('Escape');
  await expect(page.locator('.dragged')).toHaveCount(0);
  await page.mouse.up();
  expect(wall.query().get('tiles')).toBe('camera1,camera2,camera3,camera4');
});

test('a tile that is dragged onto another changes places with it', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(0, 1);
  await wall.expectLive(3, 4);
  await wall.drag(wall.tile(0), wall.tile(3));
  await wall.expectLive(0, 4);
  await wall.expectLive(3, 1);
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a camera can be dragged into an empty tile', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(1, 2);
  await wall.drag(wall.camera('camera1'), wall.tile(3));
  await wall.expectLive(3, 1);
  await wall.expectLive(1, 2);
});

test('a click in the list shows the camera in the selected tile', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 5) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.tile(3).click();
  await expect(wall.tile(3)).toHaveAttribute('data-selected');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await wall.camera('camera5').click();
  await wall.expectLive(3, 5);
});

test('a camera under the pointer or with the focus is warmed', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=1');
  await wall.expectLive(0, 1);
  const state = async (name: string) => (await server.streams())[name]?.state;
  expect(await state('camera5')).toBe('idle');
  await wall.camera('camera5').hover();
  await expect.poll(() => state('camera5')).toBe('live');
  await wall.camera('camera6').focus();
  await expect.poll(() => state('camera6')).toBe('live');
  await wall.choose(0);
  const chooser = page.getByRole('dialog');
  await chooser.getByRole('button', { name: 'camera3' }).hover();
  await expect.poll(() => state('camera3')).toBe('live');
});

test('many cameras can be searched, in the list and in the chooser', async ({ cameras, serve, page }) => {
  const many = Array.from({ length: 12 }, (_, at) => [`door${at + 1}`, cameras.url(1)]);
  const server = await serve({
    streams: { ...Object.fromEntries(many), garage: cameras.url(2) },
  });
  const wall = await WallPage.open(page, server, '?layout=1');
  await page.getByLabel('Search cameras').fill('GAR');
  await expect(page.locator('.cameras-panel [data-camera]')).toHaveCount(1);
  await wall.camera('garage').click();
  await wall.expectLive(0, 2);
  await wall.choose(0);
  const chooser = page.getByRole('dialog');
  await chooser.getByLabel('Search cameras').fill('door12');
  await chooser.getByRole('button', { name: 'door12' }).click();
  await wall.expectLive(0, 1);
  expect(wall.query().get('tiles')).toBe('door12');
});

test('the list can be closed, and stays closed after a reload', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await WallPage.open(page, server);
  const list = page.getByRole('complementary', { name: 'Cameras' });
  await expect(list).toBeVisible();
  await page.getByRole('button', { name: 'Cameras' }).click();
  await expect(list).toHaveCount(0);
  await page.reload();
  await expect(wall.tile(0)).toBeVisible();
  await expect(list).toHaveCount(0);
});

test('a touch that rests drags a camera, and one that moves at once does not', async ({
  cameras,
  serve,
  browser,
}) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 1024, height: 768 } });
  const page = await context.newPage();
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(0, 1);
  const devtools = await context.newCDPSession(page);
  const [from, to] = [await centre(wall.camera('camera5')), await centre(wall.tile(0))];

  await touch(devtools, 'touchStart', from);
  await expect(page.locator('.dragged')).toHaveText('camera5');
  await touch(devtools, 'touchMove', { x: (from.x + to.x) / 2, y: to.y });
  await touch(devtools, 'touchMove', to);
  await touch(devtools, 'touchEnd');
  await wall.expectLive(0, 5);

  const elsewhere = await centre(wall.tile(3));
  await touch(devtools, 'touchStart', from);
  await touch(devtools, 'touchMove', elsewhere);
  await expect(page.locator('.dragged')).toHaveCount(0);
  await touch(devtools, 'touchEnd');
  expect(wall.query().get('tiles')).toBe('camera5,camera2,camera3,camera4');
  await context.close();
});

async function touch(
  devtools: CDPSession,
  type: 'touchStart' | 'touchMove' | 'touchEnd',
  ...touchPoints: { x: number; y: number }[]
): Promise<void> {
  await devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
}
