// Tests the keyboard control of the wall.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('digits select a tile, letters, comma and full stop choose its camera', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(1, 2);
  await page.keyboard.press('2');
  await expect(wall.tile(1)).toHaveAttribute('data-selected');
  await page.keyboard.press('f');
  await wall.expectLive(1, 6);
  await expect(wall.camera('camera6').locator('kbd')).toHaveText('f');
  await page.keyboard.press('.');
  await wall.expectLive(1, 1);
  await page.keyboard.press(',');
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

test('Shift F shows the wall in full screen, and leaves it', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  const filling = () => page.evaluate(() => document.fullscreenElement?.localName);
  await page.keyboard.press('Shift+F');
  await expect.poll(filling).toBe('html');
  await expect(wall.visibleTiles).toHaveCount(4);
  await page.keyboard.press('Shift+F');
  await expect.poll(filling).toBeUndefined();
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

test('arrows select the next tile by where it is, and replace no camera', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=1%2B5');
  await page.keyboard.press('1');
  for (const [key, cell] of [
    ['ArrowRight', 1],
    ['ArrowDown', 2],
    ['ArrowDown', 5],
    ['ArrowLeft', 4],
    ['ArrowUp', 0],
    ['ArrowLeft', 0],
  ] as const) {
    await page.keyboard.press(key);
    await expect(wall.tile(cell), key).toHaveAttribute('data-selected');
  }
  expect(wall.query().get('tiles')).toBe('camera1,camera2,camera3,camera4,camera5,camera6');
});

test('Delete empties the tile, and Ctrl Z undoes what a key or a click replaced', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await wall.expectLive(1, 2);
  await page.keyboard.press('2');
  await page.keyboard.press('Delete');
  await expect(wall.tile(1)).toHaveClass(/vacant/);
  await wall.tile(2).click();
  await page.keyboard.press('f');
  await wall.camera('camera5').click();
  await expect.poll(() => wall.query().get('tiles')).toBe('camera1,,camera5,camera4');
  for (const tiles of [
    'camera1,,camera6,camera4',
    'camera1,,camera3,camera4',
    'camera1,camera2,camera3,camera4',
    // There is nothing more to undo.
    'camera1,camera2,camera3,camera4',
  ]) {
    await page.keyboard.press('Control+z');
    await expect.poll(() => wall.query().get('tiles')).toBe(tiles);
  }
  await wall.expectLive(1, 2);
});

test('in the packed layout Delete takes the tile away, and Ctrl Z brings it back', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await WallPage.open(page, server);
  await page.keyboard.press('3');
  await page.keyboard.press('Delete');
  await expect(wall.visibleTiles).toHaveCount(2);
  await expect(wall.tile(1)).toHaveAttribute('data-selected');
  expect(wall.query().get('tiles')).toBe('camera1,camera2');
  await page.keyboard.press('Control+z');
  await expect(wall.visibleTiles).toHaveCount(3);
  await wall.expectLive(2, 3);
});

test('the enlarged tile is in the address, digits change it, and Back leads to the wall', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await page.keyboard.press('2');
  await page.keyboard.press('Enter');
  await expect(wall.visibleTiles).toHaveCount(1);
  expect(wall.query().get('tile')).toBe('2');
  await page.keyboard.press('4');
  await wall.expectLive(3, 4);
  expect(wall.query().get('tile')).toBe('4');
  await page.keyboard.press('a');
  await wall.expectLive(3, 1);
  await page.goBack();
  await expect(wall.visibleTiles).toHaveCount(4);
  // What was changed meanwhile stays.
  await expect.poll(() => wall.query().get('tiles')).toBe('camera1,camera2,camera3,camera1');
  expect(wall.query().get('tile')).toBeNull();
  await page.goForward();
  await expect(wall.visibleTiles).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(wall.visibleTiles).toHaveCount(4);
  const again = await WallPage.open(await page.context().newPage(), server, '?layout=2x2&tile=1');
  await expect(again.visibleTiles).toHaveCount(1);
  await again.page.keyboard.press('Escape');
  await expect(again.visibleTiles).toHaveCount(4);
});
