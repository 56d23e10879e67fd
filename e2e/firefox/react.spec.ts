// Tests the React entry in Firefox, bundled by Vite, under StrictMode.
import { expect, rtspStreams } from '../fixtures';
import { installProbe } from '../probe';
import type {} from '../react/main';
import { reactPage } from '../react-host';
import { test } from './fixtures';
import type { FirefoxTab } from './tab';

const CYCLES = 10;

function camera(tab: FirefoxTab, slot: number): Promise<number | undefined> {
  return tab.evaluate((slot) => {
    const video = document.querySelector<HTMLVideoElement>(`[data-slot="${slot}"] video`);
    return video ? window.e2e.read(video)?.camera : undefined;
  }, slot);
}

for (const as of ['grid', 'hook'] as const) {
  test(`the React ${as} plays and switches on one connection, and leaves none open`, async ({
    cameras,
    serve,
    tab,
  }) => {
    const server = await serve({ streams: rtspStreams(cameras, 3) });
    await tab.addInitScript(installProbe);
    await tab.goto(await reactPage());
    const show = (...numbers: number[]) =>
      tab.evaluate(({ as, url, slots }) => window.dashboard[as](url, slots), {
        as,
        url: server.url,
        slots: numbers.map((number, slot) => ({ slot, stream: `camera${number}` })),
      });
    const peers = () =>
      tab.evaluate(
        () => window.e2e.peers.filter(({ connectionState }) => connectionState !== 'closed').length,
      );

    await show(1, 2);
    for (const slot of [0, 1]) await expect.poll(() => camera(tab, slot)).toBe(slot + 1);
    const made = await tab.evaluate(() => window.e2e.peers.length);
    await show(3, 2);
    await expect.poll(() => camera(tab, 0)).toBe(3);
    expect(await camera(tab, 1)).toBe(2);
    expect([await peers(), await tab.evaluate(() => window.e2e.peers.length)]).toEqual([1, made]);

    for (let cycle = 0; cycle < CYCLES; cycle++) {
      await tab.evaluate(() => window.dashboard.unmount());
      await show(1, 2);
      await tab.waitForTimeout(cycle * 30);
    }
    await tab.evaluate(() => window.dashboard.unmount());
    await expect.poll(peers).toBe(0);
    await expect.poll(() => server.viewers('camera1')).toBe(0);
  });
}
