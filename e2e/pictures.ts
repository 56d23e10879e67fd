// Takes the documentation's screenshots of the demo.
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Child, freePort, repository } from './child';
import { binary } from './server';

// The first start of the demo renders its footage.
const DEMO_TIMEOUT_MS = 300_000;

test.use({ colorScheme: 'dark' });

test('the wall, and its statistics', async ({ page }) => {
  test.setTimeout(DEMO_TIMEOUT_MS + 60_000);
  const port = await freePort();
  const demo = new Child(binary, ['demo', `--port=${port}`]);
  try {
    await demo.line((line) => line.includes('serving http'), DEMO_TIMEOUT_MS);
    await page.goto(`http://127.0.0.1:${port}/`);
    await expect(page.locator('[data-slot][data-tone="live"]')).toHaveCount(6);
    // By then every scene has begun to move.
    await page.waitForTimeout(6_000);
    await page.screenshot({ path: join(repository, 'docs/images/wall.png') });
    await page.setViewportSize({ width: 1024, height: 640 });
    await page.keyboard.press('Shift+L');
    await page.keyboard.press('Shift+D');
    for (const camera of 'badcfebadcfeab') {
      await page.keyboard.press(String((camera.charCodeAt(0) % 6) + 1));
      await page.keyboard.press(camera);
      await page.waitForTimeout(1_000);
    }
    // The plots cover a minute.
    await page.waitForTimeout(45_000);
    await page.screenshot({ path: join(repository, 'docs/images/statistics.png') });
  } finally {
    await demo.stop();
  }
});
