// Tests that nothing is left of a session when its viewer leaves or the server stops.
import { expect, test } from './fixtures';

test('after the page is closed no viewer, no ffmpeg and no RTSP session is left', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: {
      camera1: cameras.url(1),
      'camera1-180p': 'ffmpeg:camera1#video=h264#height=180',
      camera2: cameras.url(2),
    },
  });
  const wall = await openWall(server);
  await wall.connect([
    { slot: 0, stream: 'camera1', quality: '180p' },
    { slot: 1, stream: 'camera2' },
  ]);
  await wall.expectCamera(0, 1);
  await wall.expectCamera(1, 2);
  expect(server.childProcesses()).toContain('ffmpeg');
  expect(cameras.clients(1)).toBe(1);
  expect(cameras.clients(2)).toBe(1);

  await wall.page.close();
  await expect.poll(() => server.childProcesses(), { timeout: 20_000 }).toEqual([]);
  await expect.poll(() => cameras.clients(1) + cameras.clients(2)).toBe(0);
  const streams = Object.values(await server.streams());
  expect(streams.map(({ state, viewers }) => ({ state, viewers }))).toEqual(
    streams.map(() => ({ state: 'idle', viewers: 0 })),
  );
});

test('disconnect ends the session while the page stays open', async ({ cameras, serve, openWall }) => {
  const server = await serve({ streams: { camera1: cameras.url(1) } });
  const wall = await openWall(server);
  await wall.play(1);
  await wall.page.evaluate(() => window.e2e.client?.disconnect());
  await expect.poll(() => server.viewers('camera1')).toBe(0);
  await expect.poll(() => cameras.clients(1)).toBe(0);
  expect(await wall.page.evaluate(() => window.e2e.client?.isConnected)).toBe(false);
});

test('a connection ended by its AbortSignal, during the handshake or later, leaves nothing open', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: { camera1: cameras.url(1) } });
  const wall = await openWall(server);
  const given = (when: 'offered' | 'connected') =>
    wall.page.evaluate(
      async ({ url, when }) => {
        const { MultiStreamClient } = (await import(
          '/index.js' as string
        )) as typeof import('multistream-client');
        const [client, abort] = [new MultiStreamClient(url), new AbortController()];
        const peers = window.e2e.peers.length;
        const connected = client.connect([{ slot: 0, stream: 'camera1' }], undefined, {
          signal: abort.signal,
        });
        const outcome = connected.then(
          () => 'connected',
          (error) => error.code,
        );
        while (when === 'offered' && window.e2e.peers.length === peers)
          await new Promise(requestAnimationFrame);
        if (when === 'connected') await outcome;
        abort.abort();
        return {
          outcome: await outcome,
          state: client.state,
          peer: window.e2e.peers.at(-1)?.connectionState,
        };
      },
      { url: server.url, when },
    );
  expect(await given('offered')).toEqual({ outcome: 'aborted', state: 'disconnected', peer: 'closed' });
  expect(await given('connected')).toEqual({ outcome: 'connected', state: 'disconnected', peer: 'closed' });
  await expect.poll(() => server.viewers('camera1')).toBe(0);
  await expect.poll(() => cameras.clients(1)).toBe(0);
});

test('a server ends its children and exits within five seconds of SIGINT', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: { camera1: cameras.url(1), 'camera1-180p': 'ffmpeg:camera1#video=h264#height=180' },
  });
  const wall = await openWall(server);
  await wall.connect([{ slot: 0, stream: 'camera1', quality: '180p' }]);
  await wall.expectCamera(0, 1);
  const started = Date.now();
  await server.child.stop('SIGINT');
  expect(Date.now() - started).toBeLessThan(5_000);
  await expect.poll(() => cameras.clients(1)).toBe(0);
});
