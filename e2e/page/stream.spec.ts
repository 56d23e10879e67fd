// Tests `stream.html`: one camera, for embedding in another page.
import type { Page } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';
import { packageHost } from '../package-host';
import { installProbe } from '../probe';
import type { Server } from '../server';

async function open(page: Page, server: Server, query: string): Promise<void> {
  await page.addInitScript(installProbe);
  await page.goto(`${server.url}/stream.html${query}`);
}

test('it shows one camera in the quality that is asked for', async ({ cameras, serve, page }) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 2), 'camera2-180p': 'ffmpeg:camera2#video=h264#height=180' },
  });
  await open(page, server, '?src=camera2&quality=180p');
  const video = page.locator('video');
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  expect(await video.evaluate((video: HTMLVideoElement) => video.videoHeight)).toBe(180);
  expect(await video.evaluate((video: HTMLVideoElement) => window.e2e.read(video)?.camera)).toBe(2);
  const { width, height } = (await page.locator('.tile').boundingBox()) ?? {};
  expect({ width, height }).toEqual(page.viewportSize());
});

test('modes that are not there fall back to WebRTC, and the page says so', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const note = page.getByRole('note');
  for (const [query, said] of [
    ['', undefined],
    ['&mode=webrtc,mse&media=video,audio', undefined],
    ['&mode=mse', 'mode=mse is not available here: the picture comes by WebRTC.'],
    ['&mode=mse,hls&media=audio', 'media=audio is not available here'],
  ] as const) {
    await open(page, server, `?src=camera1${query}`);
    await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
    if (said === undefined) await expect(note).toHaveCount(0);
    else await expect(note).toContainText(said);
  }
});

test('controls: shown under the pointer, always, or never', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const [tools, caption] = [page.locator('.tools'), page.locator('figcaption')];
  await open(page, server, '?src=camera1');
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  await expect(caption).toBeVisible();
  await expect(tools).toHaveCSS('opacity', '0');
  await page.locator('.tile').hover();
  await expect(tools).toHaveCSS('opacity', '1');
  await page.mouse.move(0, 0);
  await open(page, server, '?src=camera1&controls=true');
  await expect(tools).toHaveCSS('opacity', '1');
  await tools.getByRole('button', { name: 'Full screen' }).click();
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  await open(page, server, '?src=camera1&controls=false');
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  await expect(tools).toBeHidden();
  await expect(caption).toBeHidden();
});

test('background: a colour behind the picture, or a pause while the video is hidden', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await open(page, server, '?src=camera1&background=%23102030');
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(16, 32, 48)');
  await expect(page.locator('.tile')).toHaveCSS('background-color', 'rgb(16, 32, 48)');
  for (const [query, viewers] of [
    ['', 1],
    ['&background=false', 0],
  ] as const) {
    await open(page, server, `?src=camera1${query}`);
    await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
    await page.locator('video').evaluate((video) => {
      video.style.display = 'none';
    });
    // Longer than the package waits before it pauses a hidden slot.
    await page.waitForTimeout(3_000);
    expect(await server.viewers('camera1'), query).toBe(viewers);
  }
});

test('it shows what is wrong with its address, or with its camera', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await open(page, server, '');
  await expect(page.getByRole('heading')).toHaveText('Which camera?');
  await open(page, server, '?src=nowhere');
  await expect(page.locator('.tile')).toHaveAttribute('data-status', 'error');
  await expect(page.locator('.notice')).toContainText('nowhere');
});

test('it works in a frame of another origin', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  await page.goto(await packageHost());
  const address = `${server.url}/stream.html?src=camera1`;
  await page.setContent(`<iframe src="${address}" width="640" height="360"></iframe>`);
  await expect(page.frameLocator('iframe').locator('.tile')).toHaveAttribute('data-tone', 'live');
});
