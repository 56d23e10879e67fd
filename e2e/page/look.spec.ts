// Compares screenshots of the wall pixel by pixel. After an intended change run `npx playwright test look -u`. The videos are
// hidden; the fonts are DejaVu, as Debian's Chromium has them.
import { join } from 'node:path';
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

const LOOKS = [
  { name: 'wall-2x2-dark', query: '?layout=2x2&theme=dark', size: { width: 1440, height: 900 } },
  { name: 'wall-1+5-light', query: '?layout=1%2B5&theme=light', size: { width: 1024, height: 768 } },
  { name: 'wall-3x3-phone', query: '?layout=3x3&theme=dark', size: { width: 390, height: 844 } },
];

for (const { name, query, size } of LOOKS) {
  test(`the look of ${name}`, async ({ cameras, serve, page }) => {
    await page.setViewportSize(size);
    const server = await serve({ streams: rtspStreams(cameras, 6) });
    await WallPage.open(page, server, query);
    for (const tile of await page.locator('.tile[data-slot]').all()) {
      await expect(tile).toHaveAttribute('data-tone', 'live');
      await expect(tile.locator('.quality')).toHaveText('640 × 360');
    }
    await expect(page).toHaveScreenshot(`${name}.png`, {
      stylePath: join(import.meta.dirname, 'look.css'),
      animations: 'disabled',
      // The anti-aliasing of a few glyphs may differ.
      maxDiffPixels: 60,
    });
  });
}
