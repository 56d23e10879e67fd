// Tests that a client reconnects by itself when the WebSocket, the media path or the server breaks.

import { freePort } from './child';
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';
import { WallPage } from './page/wall-page';
import { ControlRelay, MediaRelay } from './relay';
import type { Wall } from './wall';

const BACK_WITHIN_MS = 3_000;

test('within 3 s after a killed server listens again each slot shows its last camera', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 5) });
  const wall = await openWall(server);
  await wall.connect([1, 2, 3].map((camera, slot) => ({ slot, stream: `camera${camera}` })));
  for (const slot of [0, 1, 2]) await wall.expectCamera(slot, slot + 1);
  await wall.switch(1, 'camera4');
  await wall.expectCamera(1, 4);
  await wall.forgetEvents();

  await server.kill();
  await wall.expectEvent('reconnecting');
  const duringTheOutage = wall.switch(2, 'camera5');
  duringTheOutage.catch(() => {});
  // The outage is long enough for the longest delay between attempts.
  await expect
    .poll(async () => (await wall.events()).filter((event) => event === 'reconnecting').length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(5);
  expect(await wall.page.evaluate(() => window.e2e.client?.isConnected)).toBe(false);
  await server.restart();
  await wall.expectNewPictures([1, 4, 5], BACK_WITHIN_MS);
  await wall.expectEvent('reconnected');
  expect((await wall.events()).filter((event) => event === 'disconnected')).toEqual([]);
  expect((await duringTheOutage).stream).toBe('camera5');
  for (const [slot, stream] of ['camera1', 'camera4', 'camera5'].entries()) {
    expect(await wall.status(slot)).toMatchObject({ slot, stream, status: 'active' });
  }
  expect(await server.viewers('camera2')).toBe(0);
});

for (const [how, reason] of [
  ['is killed', 'connection-lost'],
  ['hangs', 'media-lost'],
] as const) {
  test(`no slot is said to be live when the server ${how}, until its picture is back`, async ({
    cameras,
    serve,
    openWall,
  }) => {
    const server = await serve({ streams: rtspStreams(cameras, 2) });
    const wall = await openWall(server);
    await wall.play(1, 2);
    const lostAt = Date.now();
    if (how === 'hangs') process.kill(server.child.pid, 'SIGSTOP');
    else await server.kill();
    try {
      for (const [slot, stream] of ['camera1', 'camera2'].entries()) {
        const told = { slot, camera: stream, stream, status: 'buffering', reason };
        // 1.5 s, and what the test itself takes to look.
        const options = { timeout: 2_000, intervals: [20] };
        await expect.poll(() => wall.status(slot), options).toMatchObject(told);
      }
      console.log(`${how}: told after ${Date.now() - lostAt} ms`);
    } finally {
      if (how === 'hangs') process.kill(server.child.pid, 'SIGCONT');
      else await server.restart();
    }
    for (const slot of [0, 1]) await wall.expectStatus(slot, 'active');
    await wall.expectNewPictures([1, 2], 15_000);
  });
}

test('a tile is never marked live while the server is down, and is live again after it', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const wall = await WallPage.open(page, server, '?layout=2x2');
  for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
  await page.evaluate(watchForLies);
  await server.kill();
  for (const cell of [0, 1, 2, 3]) {
    await expect(wall.tile(cell)).toHaveAttribute('data-status', 'reconnecting');
    await expect(wall.tile(cell)).toHaveAttribute('data-tone', 'wait');
  }
  await server.restart();
  for (const cell of [0, 1, 2, 3]) {
    await expect(wall.tile(cell)).toHaveAttribute('data-status', 'active');
    await wall.expectLive(cell, cell + 1);
  }
  expect(await page.evaluate(() => (window as unknown as { lies: string[] }).lies)).toEqual([]);
});

test('a lost WebSocket costs no frame, and a switch made meanwhile is done after the resume', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 4) });
  const control = await ControlRelay.start(server.port);
  const wall = await openWall(control);
  await wall.play(1, 2);
  const before = await wall.connection();
  const expectEveryFrame = await wall.watchFrames('0', server, 'camera1');
  await wall.forgetEvents();
  await wall.forget(0);

  control.cut();
  await wall.expectEvent('reconnecting');
  const switched = wall.switch(1, 'camera3');
  switched.catch(() => {});
  const offline = await wall.page.evaluate(() => window.e2e.client?.wsState);
  expect(offline).not.toBe('open');
  await wall.page.waitForTimeout(2_000);
  // The switch could not be sent.
  expect((await wall.reading(1))?.camera).toBe(2);
  await control.mend();
  await wall.expectEvent('reconnected');
  expect((await switched).stream).toBe('camera3');
  await wall.expectCamera(1, 3);
  await wall.switch(1, 'camera4');
  await wall.expectCamera(1, 4);

  await expectEveryFrame();
  expect(await wall.shown(0)).toEqual([1]);
  // The pictures went on, so nothing is said to be lost.
  expect((await wall.statuses(0)).map(({ reason }) => reason)).not.toContain('connection-lost');
  // Same peer connection, same tracks, no second negotiation.
  expect(await wall.connection()).toEqual(before);
});

test('a switch made without a WebSocket rejects after the timeout, and is done after the resume', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const control = await ControlRelay.start(server.port);
  const wall = await openWall(control);
  await wall.connect([{ slot: 0, stream: 'camera1' }], { connectionTimeout: 1_500 });
  await wall.expectCamera(0, 1);
  control.cut();
  await wall.expectEvent('reconnecting');
  await expect(wall.switch(0, 'camera2')).rejects.toThrow('did not answer in time');
  expect((await wall.reading(0))?.camera).toBe(1);
  await control.mend();
  await wall.expectCamera(0, 2);
});

for (const transport of ['udp', 'tcp'] as const) {
  test(`media over ${transport} that stops makes the client reconnect`, async ({
    cameras,
    serve,
    openWall,
  }) => {
    const port = await freePort();
    const server = await serve({ streams: rtspStreams(cameras, 2), webrtc: announced(port) });
    const media = await MediaRelay.start(port, server.webrtcPort);
    try {
      const wall = await openWall(server);
      if (transport === 'tcp') await wall.page.addInitScript(dropUdpCandidates);
      await wall.page.reload();
      await wall.play(1, 2);
      expect(await wall.transport()).toBe(transport);
      await wall.forgetEvents();

      const cutAt = Date.now();
      media.cut();
      await wall.expectEvent('reconnecting', 20_000);
      const noticed = Date.now() - cutAt;
      expect(await wall.page.evaluate(() => window.e2e.client?.isConnected)).toBe(false);
      media.mend();
      const mendedAt = Date.now();
      await wall.expectNewPictures([1, 2], 15_000);
      await wall.expectEvent('reconnected');
      console.log(
        `${transport}: noticed after ${noticed} ms, back ${Date.now() - mendedAt} ms after the path was`,
      );
      await expect.poll(() => wall.fps(0, 1)).toBeGreaterThan(MOVING_FPS);
    } finally {
      media.stop();
    }
  });
}

test('after the online event a client whose old path stays cut plays on a new connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const port = await freePort();
  const server = await serve({ streams: rtspStreams(cameras, 1), webrtc: announced(port) });
  const media = await MediaRelay.start(port, server.webrtcPort);
  try {
    const wall = await openWall(server);
    await wall.play(1);
    // The old path stays cut; a new connection gets through.
    media.cutPresent();
    await wall.page.context().setOffline(true);
    await wall.page.context().setOffline(false);
    await wall.expectNewPictures([1], 2_000);
    await wall.expectEvent('reconnected');
  } finally {
    media.stop();
  }
});

test('a viewer whose media was blocked for 5 s catches up, and another viewer misses no frame', async ({
  cameras,
  serve,
  openWall,
  browser,
}) => {
  const port = await freePort();
  const server = await serve({ streams: rtspStreams(cameras, 1), webrtc: announced(port) });
  const media = await MediaRelay.start(port, server.webrtcPort);
  const context = await browser.newContext();
  try {
    const slow = await openWall(server);
    await slow.play(1);
    const other = await openWall(server, await context.newPage());
    media.cutPresent();
    await other.play(1);
    const expectEveryFrame = await other.watchFrames('0', server, 'camera1');
    await other.page.waitForTimeout(5_000);
    media.mend();
    await slow.expectNewPictures([1], 5_000);
    await expect.poll(() => lag(slow, other), 'frames behind the other viewer').toBeLessThan(15);
    await expectEveryFrame();
  } finally {
    media.stop();
    await context.close();
  }
});

/** A config whose answer has the relay's port as its only candidate. */
function announced(port: number): Record<string, unknown> {
  return { candidates: [`127.0.0.1:${port}`], filters: { ips: ['192.0.2.1'] } };
}

/** How many frames one wall is behind another. */
async function lag(behind: Wall, ahead: Wall): Promise<number> {
  const [one, two] = await Promise.all([behind.reading(0), ahead.reading(0)]);
  if (one === null || two === null) return Number.POSITIVE_INFINITY;
  return Math.abs(two.frame - one.frame);
}

/** Runs in the page, and makes it a browser whose network blocks UDP. */
function dropUdpCandidates(): void {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    override setRemoteDescription(answer: RTCSessionDescriptionInit): Promise<void> {
      const sdp = answer.sdp?.replace(/a=candidate:\S+ \d+ udp .*\r\n/g, '') ?? '';
      return super.setRemoteDescription({ type: answer.type, sdp });
    }

    override addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      if (candidate?.candidate?.includes(' udp ')) return Promise.resolve();
      return super.addIceCandidate(candidate);
    }
  };
}

/** Runs in the page, and records every tile that is marked live above a frozen picture. */
function watchForLies(): void {
  // The page checks twice a second, and allows 2.5 s between two frames.
  const FROZEN_AFTER_MS = 3_500;
  const lies: string[] = [];
  Object.assign(window, { lies });
  const seen = new Map<Element, { frame: number; at: number }>();
  setInterval(() => {
    for (const tile of document.querySelectorAll('.tile:not([hidden])')) {
      const video = tile.querySelector('video');
      const frame = video ? (window.e2e.read(video)?.frame ?? -1) : -1;
      const known = seen.get(tile);
      if (known === undefined || known.frame !== frame) {
        seen.set(tile, { frame, at: performance.now() });
      } else if (
        performance.now() - known.at > FROZEN_AFTER_MS &&
        tile.getAttribute('data-tone') === 'live'
      ) {
        lies.push(`${tile.getAttribute('data-cell')} still claims to be live`);
      }
    }
  }, 100);
}
