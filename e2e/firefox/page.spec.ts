// Tests the page at `/` in Firefox, by keyboard.
import { expect, rtspStreams } from '../fixtures';
import { installProbe } from '../probe';
import { test } from './fixtures';
import type { FirefoxTab } from './tab';

/** The camera in a tile's picture, if the tile is marked live. */
function live(tab: FirefoxTab, cell: number): Promise<number | undefined> {
  return tab.evaluate((cell) => {
    const tile = document.querySelector(`.tile[data-cell="${cell}"]`);
    const video = tile?.querySelector('video');
    return tile?.getAttribute('data-tone') === 'live' && video ? window.e2e.read(video)?.camera : undefined;
  }, cell);
}

function visibleTiles(tab: FirefoxTab): Promise<number> {
  const count = () =>
    [...document.querySelectorAll('.tile')].filter((tile) => tile.getClientRects().length > 0).length;
  return tab.evaluate(count);
}

test('the wall shows each camera live, and is controlled by keyboard', async ({ cameras, serve, tab }) => {
  const server = await serve({ streams: rtspStreams(cameras, 6) });
  await tab.addInitScript(installProbe);
  await tab.goto(`${server.url}/?layout=2x2`);
  for (const cell of [0, 1, 2, 3]) await expect.poll(() => live(tab, cell)).toBe(cell + 1);

  await tab.press('2');
  await tab.press('f');
  await expect.poll(() => live(tab, 1)).toBe(6);
  await tab.press('.');
  await expect.poll(() => live(tab, 1)).toBe(1);
  await tab.press('Shift+E');
  await expect.poll(() => visibleTiles(tab)).toBe(1);
  await tab.press('Escape');
  await expect.poll(() => visibleTiles(tab)).toBe(4);
  await tab.press(' ');
  await expect
    .poll(() => tab.evaluate(() => document.querySelector('[role=dialog], dialog[open]') !== null))
    .toBe(true);
  await tab.press('Escape');
  expect(await tab.evaluate(() => window.e2e.peers.length)).toBe(1);
});
