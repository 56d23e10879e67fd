// Tests that the page of `multistream demo`, which listens on loopback alone, shows moving pictures in Firefox.
import { Child, freePort } from '../child';
import { expect } from '../fixtures';
import { binary } from '../server';
import { test } from './fixtures';

// The first start of the demo renders its footage.
const DEMO_TIMEOUT_MS = 300_000;

test('the page of the demo shows six pictures that move', async ({ tab }) => {
  test.setTimeout(DEMO_TIMEOUT_MS + 60_000);
  const port = await freePort();
  const demo = new Child(binary, ['demo', `--port=${port}`]);
  try {
    await demo.line((line) => line.includes('serving http'), DEMO_TIMEOUT_MS);
    await tab.goto(`http://127.0.0.1:${port}/`);
    const times = () =>
      tab.evaluate(() =>
        [...document.querySelectorAll('.tile[data-tone="live"] video')].map(
          (video) => (video as HTMLVideoElement).currentTime,
        ),
      );
    await expect.poll(async () => (await times()).length).toBe(6);
    const before = await times();
    await expect
      .poll(async () => (await times()).filter((time, tile) => time > (before[tile] ?? 0) + 1).length)
      .toBe(6);
  } finally {
    await demo.stop();
  }
});
