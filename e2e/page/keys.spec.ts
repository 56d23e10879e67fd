// Tests the keyboard control of the wall.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('digits select a tile, letters and arrows choose its camera', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(1, 2);
  await page.keyboard.press('2');
  await expect(wall.tile(1)).toHaveAttribute('data-selected');
  await page.keyboard.press('f');
  await wall.expectLive(1, 6);
  await expect(wall.camera('camera6').locator('kbd')).toHaveText('f');
  await page.keyboard.press('ArrowRight');
  await wall.expectLive(1, 1);
  await page.keyboard.press('ArrowUp');
  await wall.expectLive(1, 6);
  // Keys for a tile or a camera that does not exist do nothing.
  await page.keyboard.press('7');
  await page.keyboard.press('z');
  await expect(wall.tile(1)).toHaveAttribute('data-selected');
  expect(wall.query().get('tiles')).toBe('camera1,camera6,camera3,camera4');
});

test('two digits in a row select a tile from 10 on', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1), multistream: { max_slots: 16 } });
  const wall = await WallPage.open(page, server, '?layout=4x4');
  await page.keyboard.press('1');
  await page.keyboard.press('6');
  await expect(wall.tile(15)).toHaveAttribute('data-selected');
  await page.keyboard.press('0');
  await expect(wall.tile(9)).toHaveAttribute('data-selected');
});

test('Enter shows the tile in full screen, and leaves it', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await page.keyboard.press('3');
  await page.keyboard.press('Enter');
  const filling = () => page.evaluate(() => document.fullscreenElement?.getAttribute('data-cell') ?? null);
  await expect.poll(filling).toBe('2');
  await page.keyboard.press('Enter');
  await expect.poll(filling).toBeNull();
  await expect(wall.visibleTiles).toHaveCount(4);
});

test('Shift E enlarges, Esc goes back, Space opens the chooser', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await page.keyboard.press('4');
  await page.keyboard.press('Shift+E');
  await expect(wall.visibleTiles).toHaveCount(1);
  await expect(wall.tile(3)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(wall.visibleTiles).toHaveCount(4);
  await page.keyboard.press('4');
  await page.keyboard.press('Space');
  await expect(page.getByRole('dialog', { name: 'Tile 4' })).toBeVisible();
  // The wall's keys do nothing while a dialog is open.
  await page.keyboard.press('1');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(wall.tile(3)).toHaveAttribute('data-selected');
});

test('a question mark opens the help dialog, Shift L closes and opens the list', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  await WallPage.open(page, server);
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Help' });
  await expect(help).toContainText('full screen');
  await page.keyboard.press('Escape');
  await expect(help).toHaveCount(0);
  await page.getByRole('button', { name: 'Help' }).click();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(help).toHaveCount(0);
  const list = page.getByRole('complementary', { name: 'Cameras' });
  await page.keyboard.press('Shift+L');
  await expect(list).toHaveCount(0);
  await page.keyboard.press('Shift+L');
  await expect(list).toBeVisible();
});
