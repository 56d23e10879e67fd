// Tests that a crash of the client's WebAssembly leaves nothing behind, and that the same page can connect again.
import { expect, rtspStreams, test } from './fixtures';
import { WallPage } from './page/wall-page';

test('after a crash the cameras are let go, and a new connection of the same client plays', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 3) });
  const wall = await openWall(server);
  await wall.play(1, 2);

  const codes = await wall.page.evaluate(async () => {
    const client = window.e2e.client;
    const code = (call?: Promise<unknown>) => call?.then(String, ({ code }) => code as string);
    // A function that the client trusts: its exception leaves through the WebAssembly, as a panic does.
    const { now } = performance;
    performance.now = () => {
      throw new Error('no clock');
    };
    const crashed = code(client?.pause(0));
    performance.now = now;
    return [await crashed, await code(client?.switchStream(0, 'camera3')), client?.state];
  });
  expect(codes).toEqual(['client-crashed', 'client-crashed', 'disconnected']);
  expect(await wall.events()).toContain('disconnected');
  await expect.poll(() => server.viewers('camera1'), { timeout: 10_000 }).toBe(0);
  expect(await server.viewers('camera2')).toBe(0);

  await wall.page.evaluate(async () => {
    const tracks = await window.e2e.client?.connect([{ slot: 0, stream: 'camera3' }]);
    const track = tracks?.get(0);
    if (track) window.e2e.attach(0, track);
  });
  await wall.expectCamera(0, 3);
  await wall.switch(0, 'camera1');
  await wall.expectCamera(0, 1);
});

test('the page says that it is not connected, and plays again by itself', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
  await page.evaluate(() => {
    const { now } = performance;
    performance.now = () => {
      throw new Error('no clock');
    };
    // The client is called by this event; what its handlers throw is reported to the window.
    dispatchEvent(new Event('pageshow'));
    performance.now = now;
  });
  for (const cell of [0, 1, 2, 3]) {
    await expect(wall.tile(cell)).toHaveAttribute('data-status', 'disconnected');
  }
  for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
});
