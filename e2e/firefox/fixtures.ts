// The fixtures of the tests in Firefox: one browser per worker, and a tab per test in a context of its own.
import { serving } from '../fixtures';
import { type Address, Wall } from '../wall';
import { type Firefox, startFirefox } from './browser';
import { FirefoxTab } from './tab';

interface PerTest {
  tab: FirefoxTab;
  /** Opens a wall in the test's tab. */
  openWall: (server: Address) => Promise<Wall<FirefoxTab>>;
}

interface PerWorker {
  firefox: Firefox;
}

export const test = serving.extend<PerTest, PerWorker>({
  firefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
    async ({}, use) => {
      const firefox = await startFirefox();
      await use(firefox);
      await firefox.stop();
    },
    { scope: 'worker' },
  ],
  tab: async ({ firefox }, use) => {
    const context = await firefox.browser.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    await use(new FirefoxTab(page));
    await context.close();
  },
  openWall: async ({ tab }, use) => {
    await use((server) => Wall.open(tab, server));
  },
});
