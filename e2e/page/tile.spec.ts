// Tests a tile of the wall: enlarging it, its quality, saving its picture, and its caption.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { Cameras } from '../cameras';
import { expect, rtspStreams, test } from '../fixtures';
import { WallPage } from './wall-page';

test('a double click enlarges a tile in native quality, and another restores its size and quality', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({
    streams: {
      ...rtspStreams(cameras, 3),
      camera7: cameras.url(7),
      'camera7-180p': 'ffmpeg:camera7#video=h264#height=180',
    },
  });
  const wall = await WallPage.open(page, server, '?layout=2x2&tiles=camera1,camera7:180p,camera2,camera3');
  await expect.poll(() => wall.height(1)).toBe(180);
  await wall.tile(1).dblclick();
  await expect(wall.visibleTiles).toHaveCount(1);
  await expect.poll(() => wall.height(1)).toBe(720);
  await wall.expectLive(1, 7);
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await wall.tile(1).dblclick();
  await expect(wall.visibleTiles).toHaveCount(4);
  await expect.poll(() => wall.height(1)).toBe(180);
  expect(wall.query().get('tiles')).toBe('camera1,camera7:180p,camera2,camera3');
  expect(await wall.connections()).toBe(1);
});

test('a picture whose samples are not square is shown in its right proportions', async ({ serve, page }) => {
  const video = 'testsrc2=size=352x288:rate=10,setsar=16/11';
  const ffmpeg = `ffmpeg -v error -re -f lavfi -i ${video} -pix_fmt yuv420p -c:v libx264 -bf 0 -g 10 -f h264 -`;
  const server = await serve({ streams: { wide: `exec:${ffmpeg}` } });
  const wall = await WallPage.open(page, server, '?layout=1&tiles=wide');
  const drawn = () =>
    wall
      .tile(0)
      .locator('video')
      .evaluate((video: HTMLVideoElement) => {
        const stretched = video.getBoundingClientRect().width / video.clientWidth;
        return ((video.videoWidth / video.videoHeight) * stretched).toFixed(2);
      });
  await expect.poll(drawn, { timeout: 15_000 }).toBe((512 / 288).toFixed(2));
});

test('the tile’s button opens the chooser: camera and quality, by mouse and by arrow keys', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 3), 'camera2-180p': 'ffmpeg:camera2#video=h264#height=180' },
  });
  const wall = await WallPage.open(page, server, '?layout=1');
  await wall.expectLive(0, 1);
  await wall.choose(0);
  const chooser = page.getByRole('dialog', { name: 'Tile 1' });
  await expect(chooser.getByRole('button', { name: 'camera1' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(chooser).toHaveCount(0);
  await wall.expectLive(0, 2);
  await wall.choose(0);
  await chooser.getByRole('button', { name: '180p' }).click();
  await expect.poll(() => wall.height(0)).toBe(180);
  await wall.choose(0);
  await page.keyboard.press('Escape');
  await expect(chooser).toHaveCount(0);
  await wall.expectLive(0, 2);
});

test('the quality menu of a tile: auto fits the tile, the others show that quality', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({
    streams: { camera7: cameras.url(7), 'camera7-360p': 'ffmpeg:camera7#video=h264#height=360' },
  });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  await expect.poll(() => wall.height(0), 'auto, in a small tile').toBe(360);
  const choose = async (quality: string) => {
    await wall.tile(0).hover();
    await wall
      .tile(0)
      .getByRole('button', { name: /^Quality/ })
      .click();
    await page.getByRole('menuitemradio', { name: quality }).click();
  };
  await choose('native');
  await expect.poll(() => wall.height(0)).toBe(720);
  expect(wall.query().get('tiles')).toBe('camera7:native');
  await choose('360p');
  await expect.poll(() => wall.height(0)).toBe(360);
  expect(wall.query().get('tiles')).toBe('camera7:360p');
  await choose('auto');
  expect(wall.query().get('tiles')).toBe('camera7');
  await expect(wall.tile(0)).toContainText('360p');
  await wall.tile(0).hover();
  await wall
    .tile(0)
    .getByRole('button', { name: /^Quality/ })
    .click();
  await expect(page.getByRole('menuitemradio', { name: 'auto' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect.poll(() => wall.height(0)).toBe(720);
});

test('the picture is saved as a file, in the size of the video', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: { camera7: cameras.url(7) } });
  const wall = await WallPage.open(page, server);
  await wall.expectLive(0, 7);
  await wall.tile(0).hover();
  for (const save of [
    () => wall.tile(0).getByRole('button', { name: 'Save the picture' }).click(),
    () => page.keyboard.press('Shift+S'),
  ]) {
    const downloading = page.waitForEvent('download');
    await save();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^camera7 \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/);
    const file = readFileSync(await download.path());
    // PNG, section 5.2 and 11.2.2: the signature, then IHDR with width and height.
    expect(file.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([1280, 720]);
    expect(await cameraIn(page, file)).toBe(7);
  }
});

/** The camera number in the barcode of a PNG. */
function cameraIn(page: WallPage['page'], file: Buffer): Promise<number | undefined> {
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    return window.e2e.read(image)?.camera;
  }, file.toString('base64'));
}

/** An ffmpeg that a test can stop: its pictures end, and the connection goes on. */
const STILL = 'ffmpeg:virtual?video=testsrc2&size=640x360#video=h264#timeout=60';

test('a frozen picture is not live, and its age is shown', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: { ...rtspStreams(cameras, 1), still: STILL } });
  const wall = await WallPage.open(page, server, '?layout=2x2&tiles=still,camera1');
  await expect(wall.tile(0)).toHaveAttribute('data-tone', 'live');
  const ffmpeg = Number(
    execFileSync('pgrep', ['-P', String(server.child.pid), '-x', 'ffmpeg'], { encoding: 'utf8' }),
  );
  process.kill(ffmpeg, 'SIGSTOP');
  try {
    await expect(wall.tile(0)).toContainText(/frozen for [3-9] s/);
    await expect(wall.tile(0)).toHaveAttribute('data-tone', 'bad');
    await expect(wall.tile(0).getByRole('button', { name: 'Save the picture' })).toBeDisabled();
    await wall.expectLive(1, 1);
  } finally {
    process.kill(ffmpeg, 'SIGCONT');
  }
  await expect(wall.tile(0)).toHaveAttribute('data-tone', 'live');
});

test('the pictures of a server that hangs are not live', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await WallPage.open(page, server);
  await wall.expectLive(0, 1);
  process.kill(server.child.pid, 'SIGSTOP');
  try {
    // Nothing arrives on the connection, so the client makes another one.
    await expect(wall.tile(0)).toContainText('reconnecting');
    await expect(wall.tile(0)).toHaveAttribute('data-tone', 'wait');
    await expect(wall.tile(0).getByRole('button', { name: 'Save the picture' })).toBeDisabled();
  } finally {
    process.kill(server.child.pid, 'SIGCONT');
  }
  await wall.expectLive(0, 1);
});

test('a camera that stopped is offline since its last frame, and its last picture is grey', async ({
  serve,
  page,
}) => {
  const cameras = await Cameras.start('--count=1');
  try {
    const server = await serve({ streams: rtspStreams(cameras, 1) });
    const wall = await WallPage.open(page, server);
    await wall.expectLive(0, 1);
    const before = Date.now();
    await cameras.stop();
    await expect(wall.tile(0)).toHaveAttribute('data-status', 'offline');
    const clock = (at: number) =>
      new Date(at).toLocaleTimeString('sv', { hour: '2-digit', minute: '2-digit' });
    // The minute may have changed in between.
    const since = new RegExp(`offline since (${clock(before)}|${clock(Date.now())})`);
    await expect(wall.tile(0)).toContainText(since);
    await expect(wall.tile(0).locator('video')).toHaveCSS('filter', 'grayscale(1)');
    await expect(wall.tile(0).locator('video')).toHaveCSS('opacity', '0.35');
    expect(await wall.pictureOf(0)).toBe(1);
    await expect(wall.camera('camera1')).toContainText('offline');
    await cameras.restart();
    await wall.expectLive(0, 1);
  } finally {
    await cameras.stop();
  }
});

test('an error of one camera is shown on its tile only', async ({ cameras, serve, page }) => {
  const server = await serve({
    streams: { ...rtspStreams(cameras, 2), dead: 'rtsp://127.0.0.1:1/' },
    multistream: { switch_timeout: '1s' },
  });
  const wall = await WallPage.open(page, server, '?layout=1');
  await wall.expectLive(0, 1);
  await wall.camera('dead').click();
  await expect(wall.tile(0).locator('.notice')).toContainText('refuses the connection');
  await expect.poll(() => wall.pictureOf(0), 'the picture of the camera before').toBeUndefined();
  await expect(page.getByRole('status')).toHaveText('0 live · 1 offline');
  await wall.camera('camera2').click();
  await wall.expectLive(0, 2);
  await expect(page.getByRole('status')).toHaveText('1 live');
});

test('a lost server is shown at once, and its pictures are not live', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const wall = await WallPage.open(page, server);
  await wall.expectLive(0, 1);
  await server.child.stop();
  await expect(page.getByRole('status')).toContainText('reconnecting');
  await expect(wall.tile(0)).toContainText('reconnecting');
  await expect(wall.tile(0)).not.toHaveAttribute('data-tone', 'live');
});

test('a tile that starts for too long asks again, and then says so and can be told to', async ({
  serve,
  page,
}) => {
  // It takes connections, and never answers.
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  try {
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const server = await serve({
      streams: { silent: `rtsp://127.0.0.1:${port}/#timeout=60` },
      multistream: { switch_timeout: '60s' },
    });
    const asked: string[] = [];
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('multistream/switch')) asked.push(String(payload));
      }),
    );
    const wall = await WallPage.open(page, server);
    await expect(wall.tile(0)).toContainText('starting');
    await expect.poll(() => asked.length, { timeout: 15_000 }).toBe(1);
    const retry = wall.tile(0).getByRole('button', { name: 'Retry' });
    await expect(retry).toBeVisible({ timeout: 15_000 });
    await expect(wall.tile(0).locator('.notice')).toContainText('No picture came for 8 s.');
    await retry.click();
    await expect.poll(() => asked.length).toBeGreaterThan(1);
    await expect(retry).toBeHidden();
  } finally {
    silent.close();
  }
});
