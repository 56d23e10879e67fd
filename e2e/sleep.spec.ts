// Tests a page that stands still for a while, as in a closed laptop or a frozen tab. Its renderer processes are stopped by a
// signal: headless Chromium treats every page as visible, and freezes (Page.setWebLifecycleState) hidden ones only.
import type { Browser } from '@playwright/test';
import { freePort } from './child';
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';
import { ControlRelay, MediaRelay } from './relay';

test('a page that was stopped for some seconds is live again on the same connection', async ({
  cameras,
  serve,
  openWall,
  browser,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.play(1, 2);
  await wall.switch(1, 'camera3');
  await wall.expectCamera(1, 3);
  const before = await wall.connection();
  await asleep(browser, () => new Promise((resolve) => setTimeout(resolve, 6_000)));
  await wall.expectNewPictures([1, 3], 3_000);
  await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
  expect(await wall.connection()).toEqual(before);
});

test('a page that was stopped until its session had ended is live again, each slot with its camera', async ({
  cameras,
  serve,
  openWall,
  browser,
}) => {
  const port = await freePort();
  const server = await serve({
    streams: rtspStreams(cameras, 3),
    multistream: { resume_timeout: '1s' },
    webrtc: { candidates: [`127.0.0.1:${port}`], filters: { ips: ['192.0.2.1'] } },
  });
  const control = await ControlRelay.start(server.port);
  const media = await MediaRelay.start(port, server.webrtcPort);
  try {
    const wall = await openWall(control);
    await wall.play(1, 2);
    await wall.switch(1, 'camera3');
    await wall.expectCamera(1, 3);
    await wall.forgetEvents();
    // The network is down meanwhile, as in a closed laptop.
    await asleep(browser, async () => {
      media.cut();
      control.cut();
      await expect.poll(() => server.viewers('camera1')).toBe(0);
      await control.mend();
      media.mend();
    });
    await wall.expectEvent('reconnected', 5_000);
    await wall.expectNewPictures([1, 3], 3_000);
    expect((await wall.events()).filter((event) => event === 'disconnected')).toEqual([]);
    for (const [slot, stream] of ['camera1', 'camera3'].entries()) {
      await expect.poll(() => wall.status(slot)).toMatchObject({ slot, stream, status: 'active' });
    }
    await expect.poll(() => wall.fps(1, 1)).toBeGreaterThan(MOVING_FPS);
    expect(await server.viewers('camera1')).toBe(1);
    expect(await server.viewers('camera2')).toBe(0);
  } finally {
    media.stop();
  }
});

/** Stops the browser's pages for the time of `during`. */
async function asleep(browser: Browser, during: () => Promise<void>): Promise<void> {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  await devtools.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  expect(renderers).not.toEqual([]);
  for (const id of renderers) process.kill(id, 'SIGSTOP');
  try {
    await during();
  } finally {
    for (const id of renderers) process.kill(id, 'SIGCONT');
  }
}
