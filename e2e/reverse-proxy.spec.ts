// Tests the server behind the reverse proxies of docs/network.md, below a path, with their configuration as it is printed there.
import { expect, rtspStreams, test } from './fixtures';
import { WallPage } from './page/wall-page';
import { ReverseProxy } from './reverse-proxy';

const IDLE_S = 5;

for (const [name, start] of [
  ['nginx', (port: number) => ReverseProxy.nginx(port, { idleS: IDLE_S })],
  ['Caddy', (port: number) => ReverseProxy.caddy(port)],
] as const) {
  test(`the page plays below a path of ${name}, and its WebSocket outlives quiet times`, async ({
    cameras,
    serve,
    page,
    openWall,
  }) => {
    const server = await serve({ streams: rtspStreams(cameras, 2) });
    const proxy = await start(server.port);
    try {
      const wall = await WallPage.open(page, { url: proxy.url } as typeof server, '?layout=2x2');
      for (const cell of [0, 1]) await wall.expectLive(cell, cell + 1);

      const app = await openWall({ url: proxy.url }, await page.context().newPage());
      await app.play(1, 2);
      await app.forgetEvents();
      await app.page.waitForTimeout(2 * IDLE_S * 1_000);
      expect(await app.events()).toEqual([]);
      expect(await app.page.evaluate(() => window.e2e.client?.wsState)).toBe('open');
      await app.switch(0, 'camera2');
      await app.expectCamera(0, 2);
    } finally {
      await proxy.stop();
    }
  });
}

test('where a proxy does not pass upgrades on, the page and the error of an app say so', async ({
  cameras,
  serve,
  page,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1) });
  const proxy = await ReverseProxy.nginx(server.port, { upgrades: false });
  try {
    const app = await openWall({ url: proxy.url });
    const opened = app.connect([{ slot: 0, stream: 'camera1' }]);
    await expect(opened).rejects.toThrow('a proxy before the server does not pass WebSocket upgrades on');

    // The page at `/` is of the proxy's origin.
    await WallPage.open(page, { url: proxy.url } as typeof server);
    await expect(page.getByText('does not pass WebSocket upgrades on').first()).toBeVisible();
  } finally {
    await proxy.stop();
  }
});

test('the error of a WebSocket that does not open tells its other causes apart', async ({
  serve,
  openWall,
}) => {
  const streams = { camera1: 'rtsp://127.0.0.1:1/' };
  const locked = await serve({ streams, api: { token: 'sesame' } });
  const strange = await serve({ streams, api: { origin: [] } });
  const gone = await serve({ streams });
  const proxy = await ReverseProxy.nginx(gone.port);
  await gone.kill();
  try {
    for (const [url, said] of [
      [locked.url, 'lets nobody in without its token'],
      [`${locked.url}/elsewhere`, 'the answer is 405. Are the address, the port and the path right?'],
      [strange.url, 'add that to `api.origin` in its config'],
      [proxy.url, 'is no Multistream server, or one of an earlier version'],
      [gone.url, 'Is the server running, and are the address and the port right?'],
    ] as const) {
      const wall = await openWall({ url });
      await expect(wall.connect([{ slot: 0, stream: 'camera1' }]), url).rejects.toThrow(said);
    }
  } finally {
    await proxy.stop();
  }
});
