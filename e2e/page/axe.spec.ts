// Tests that axe finds no violation of WCAG 2.2 A and AA, in both themes, on a desktop and on a phone.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const PHONE = { width: 390, height: 844 };

async function expectClean(page: Page, theme: string, what: string): Promise<void> {
  // Finish every fade first, since half-faded colours have too little contrast. Endless animations have no end and fade
  // nothing.
  await page.evaluate(() => {
    const ends = ({ effect }: Animation) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
    for (const animation of document.getAnimations().filter(ends)) animation.finish();
  });
  const axe = new AxeBuilder({ page });
  // The light theme differs in its colours only.
  const rules = theme === 'dark' ? axe.withTags(RULES) : axe.withRules('color-contrast');
  const { violations } = await rules.analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`);
  expect(found, what).toEqual([]);
}

for (const theme of ['dark', 'light']) {
  test(`wall, chooser, menus, help and statistics are accessible, ${theme}`, async ({
    cameras,
    serve,
    page,
  }) => {
    const server = await serve({
      streams: { ...rtspStreams(cameras, 2), dead: 'rtsp://127.0.0.1:1/', camera4: cameras.url(4) },
    });
    const wall = await WallPage.open(page, server, `?layout=3x2&theme=${theme}&tour=60`);
    await wall.expectLive(0, 1);
    await expect(wall.tile(3)).toHaveAttribute('data-status', 'offline');
    await wall.tile(1).hover();
    await expect(wall.tile(1).locator('.tools')).toHaveCSS('opacity', '1');
    await expectClean(page, theme, 'wall');
    await page.getByRole('button', { name: 'Tour' }).click();
    await expectClean(page, theme, 'menu of the tour');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await expectClean(page, theme, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+D');
    await page.keyboard.press('1');
    await page.keyboard.press('b');
    await expect(page.locator('.histogram')).toBeVisible();
    await expectClean(page, theme, 'statistics');
    await page.setViewportSize(PHONE);
    await expectClean(page, theme, 'statistics on a phone');
    await page.keyboard.press('Shift+D');
    await expectClean(page, theme, 'wall on a phone');
    await page.keyboard.press('Space');
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectClean(page, theme, 'chooser on a phone');
  });

  test(`the page without streams and stream.html are accessible, ${theme}`, async ({
    cameras,
    serve,
    page,
  }) => {
    const empty = await serve({ streams: {} });
    await page.goto(`${empty.url}/?theme=${theme}`);
    await expect(page.getByRole('heading')).toBeVisible();
    await expectClean(page, theme, 'no streams');
    const server = await serve({ streams: rtspStreams(cameras, 1) });
    await page.goto(`${server.url}/stream.html?src=camera1&controls=true&theme=${theme}`);
    await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
    await expectClean(page, theme, 'stream.html');
    await page.goto(`${server.url}/stream.html?theme=${theme}`);
    await expect(page.getByRole('heading')).toBeVisible();
    await expectClean(page, theme, 'stream.html without a name');
  });
}
