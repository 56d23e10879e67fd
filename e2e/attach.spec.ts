// Tests videos that are taken out of the page and put back, that show two slots one after the other, and that are in no page.
import type { MultiStreamClient } from 'multistream-client';
import { expect, rtspStreams, test } from './fixtures';

declare global {
  interface Window {
    attached: { client: MultiStreamClient; video: HTMLVideoElement; detach: (() => void)[] };
  }
}

test.beforeEach(async ({ cameras, serve, openWall, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  await openWall(server);
  await page.evaluate(async (url) => {
    const { MultiStreamClient } = (await import(
      '/index.js' as string
    )) as typeof import('multistream-client');
    const client = new MultiStreamClient(url, { pauseHidden: true });
    const video = document.createElement('video');
    window.attached = { client, video, detach: [] };
    await client.connect([
      { slot: 0, stream: 'camera1' },
      { slot: 1, stream: 'camera2' },
    ]);
  }, server.url);
});

test.afterEach(({ page }) => page.evaluate(() => window.attached.client.disconnect()));

test('a video that is taken out of the page and put back plays on', async ({ page }) => {
  await page.evaluate(() => {
    const { client, video } = window.attached;
    document.body.append(video);
    client.attach(0, video);
  });
  const frames = () => page.evaluate(() => window.attached.video.getVideoPlaybackQuality().totalVideoFrames);
  await expect.poll(frames).toBeGreaterThan(5);
  // Out for so short that the slot is not paused, and for so long that it is.
  for (const reason of [undefined, 'hidden']) {
    await page.evaluate(async (reason) => {
      const { client, video } = window.attached;
      const paused = new Promise<void>((resolve) =>
        video.addEventListener('pause', () => resolve(), { once: true }),
      );
      const hidden = new Promise<void>((resolve) => {
        client.on('status', ({ status }) => status.reason === 'hidden' && resolve());
      });
      video.remove();
      await (reason ? hidden : paused);
      document.body.append(video);
    }, reason);
    const before = await frames();
    await expect.poll(frames, `out until ${reason ?? 'the browser paused it'}`).toBeGreaterThan(before + 5);
    expect(await page.evaluate(() => window.attached.video.paused)).toBe(false);
  }
});

test('a video of two slots goes on with one of them when the other is detached', async ({ page }) => {
  const shown = () =>
    page.evaluate(() => {
      const { client, video } = window.attached;
      const track = (video.srcObject as MediaStream | null)?.getVideoTracks()[0];
      return [...client.tracks].find(([, other]) => other === track)?.[0];
    });
  await page.evaluate(() => {
    const { client, video, detach } = window.attached;
    document.body.append(video);
    detach.push(client.attach(0, video), client.attach(1, video));
  });
  expect(await shown()).toBe(1);
  await page.evaluate(() => window.attached.detach[0]?.());
  expect(await shown()).toBe(1);
  await page.evaluate(() => window.attached.detach[1]?.());
  expect(await shown()).toBeUndefined();
});

test('a video outside of the page, as for a canvas, is not paused as hidden', async ({ page }) => {
  await page.evaluate(() => window.attached.client.attach(0, window.attached.video));
  // The other slot's video is out of sight, so that its pause says when the time is over.
  await page.evaluate(async () => {
    const { client } = window.attached;
    const video = document.createElement('video');
    video.style.display = 'none';
    document.body.append(video);
    const paused = new Promise<number>((resolve) => {
      client.on('status', ({ slot, status }) => status.reason === 'hidden' && resolve(slot));
    });
    client.attach(1, video);
    if ((await paused) !== 1) throw new Error('the slot of the canvas is paused');
  });
  const frames = () => page.evaluate(() => window.attached.video.getVideoPlaybackQuality().totalVideoFrames);
  const before = await frames();
  await expect.poll(frames).toBeGreaterThan(before + 5);
});
