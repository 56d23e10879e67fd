// Tests the wall on a monitor that nobody sits at.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('a kiosk has neither bar nor list, hides the cursor, and says what is wrong', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: { ...rtspStreams(cameras, 1), dead: 'rtsp://127.0.0.1:1/' } });
  const wall = await WallPage.open(page, server, '?kiosk=1&captions=bad&tiles=camera1,dead');
  await wall.expectLive(0, 1);
  await expect(page.locator('header, .cameras-panel')).toHaveCount(0);
  await expect(wall.tile(0).locator('figcaption')).toBeHidden();
  await expect(wall.tile(1).locator('figcaption')).toContainText('dead');
  await expect(wall.tile(1).locator('.notice')).toContainText('refuses the connection');
  await expect(wall.tile(0).locator('.choose')).toHaveCSS('cursor', 'none');
  await page.mouse.move(50, 50);
  await expect(wall.tile(0).locator('.choose')).not.toHaveCSS('cursor', 'none');
  expect(wall.query().get('kiosk')).toBe('1');
});

test('a kiosk loads the page of a new version of the server', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await page.clock.install();
  const wall = await WallPage.open(page, server, '?kiosk=1');
  await expect(wall.tile(0)).toContainText('camera1');
  const version = { name: 'multistream', version: '999.0.0', max_slots: 16 };
  await page.route('**/api', (route) => route.fulfill({ json: version }));
  const loaded = page.waitForEvent('load');
  await page.clock.runFor(61_000);
  await loaded;
});
