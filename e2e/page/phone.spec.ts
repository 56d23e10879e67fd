// Tests the wall on a phone.
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

const PHONES = [
  { width: 390, height: 844 },
  { width: 844, height: 390 },
];
const TARGET_PX = 44;

for (const viewport of PHONES) {
  test(`targets are large and an enlarged tile fills the screen at ${viewport.width} × ${viewport.height}`, async ({
    cameras,
    serve,
    browser,
  }) => {
    const server = await serve({ streams: rtspStreams(cameras, 4) });
    const context = await browser.newContext({ viewport, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    const wall = await WallPage.open(page, server, '?tiles=camera1,camera2,camera3,camera4');
    await wall.expectLive(0, 1);
    const small = () =>
      page.locator('button:visible, input:visible, select:visible').evaluateAll((targets, least) => {
        const sizes = targets.map((target) => ({
          name: target.getAttribute('aria-label') ?? target.textContent,
          width: Math.round(target.getBoundingClientRect().width),
          height: Math.round(target.getBoundingClientRect().height),
        }));
        return sizes.filter(({ width, height }) => width < least || height < least);
      }, TARGET_PX);
    expect(await small()).toEqual([]);
    await wall.tile(0).locator('.choose').focus();
    await page.keyboard.press('Shift+E');
    await expect.poll(() => wall.tile(0).boundingBox()).toEqual({ x: 0, y: 0, ...viewport });
    expect(await small()).toEqual([]);
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await expect(wall.tile(0)).toHaveAttribute('data-zoomed');
    await page.keyboard.press('0');
    // A swipe to the left shows the next camera.
    const touch = await context.newCDPSession(page);
    const y = viewport.height / 2;
    for (const [type, x] of [
      ['touchStart', 300],
      ['touchMove', 200],
      ['touchMove', 120],
    ] as const) {
      await touch.send('Input.dispatchTouchEvent', { type, touchPoints: [{ x, y }] });
    }
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await wall.expectLive(0, 2);
    await context.close();
  });
}

test('the page can be installed', async ({ cameras, serve, page, request }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await WallPage.open(page, server);
  const href = await page.locator('link[rel=manifest]').getAttribute('href');
  const address = new URL(String(href), `${server.url}/`);
  const manifest = await (await request.get(String(address))).json();
  for (const icon of manifest.icons) {
    const answer = await request.get(String(new URL(icon.src, address)));
    expect(answer.headers()['content-type']).toBe(icon.type);
  }
});
