// Tests a decoder that gives no pictures any more, while its packets arrive. Chromium hands the frames of a receiver to the page
// before it decodes them (`encodedInsertableStreams`), and the page drops those of one slot.
import { expect, MOVING_FPS, rtspStreams, test } from './fixtures';

declare global {
  interface Window {
    stuck: { frames: number; peer: number; slot: number } | undefined;
    stalls: string[];
  }
}

interface Encoded {
  readable: ReadableStream<unknown>;
  writable: WritableStream<unknown>;
}

test('a slot whose decoder is stuck asks for a key frame, and then plays on a new connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 2) });
  const wall = await openWall(server);
  await wall.page.evaluate(() => {
    const receivers = new WeakMap<RTCPeerConnection, number>();
    const { addTransceiver } = RTCPeerConnection.prototype;
    RTCPeerConnection.prototype.addTransceiver = function (...args) {
      const transceiver = addTransceiver.apply(this, args);
      const slot = receivers.get(this) ?? 0;
      receivers.set(this, slot + 1);
      const receiver = transceiver.receiver as RTCRtpReceiver & { createEncodedStreams: () => Encoded };
      const { readable, writable } = receiver.createEncodedStreams();
      const drop = new TransformStream({
        transform: (frame, controller) => {
          const { stuck } = window;
          const isStuck = stuck?.slot === slot && window.e2e.peers[stuck.peer] === this;
          if (isStuck) stuck.frames += 1;
          else controller.enqueue(frame);
        },
      });
      void readable.pipeThrough(drop).pipeTo(writable);
      return transceiver;
    };
  });
  const pcConfig = { encodedInsertableStreams: true } as RTCConfiguration;
  await wall.connect(
    [1, 2].map((camera, slot) => ({ slot, stream: `camera${camera}` })),
    { pcConfig },
  );
  await wall.expectNewPictures([1, 2], 5_000);
  await wall.page.evaluate(() => {
    window.stalls = [];
    window.e2e.client?.on('stalled', ({ slot, cause }) => window.stalls.push(`${slot} ${cause}`));
    window.stuck = { frames: 0, peer: window.e2e.peers.length - 1, slot: 1 };
  });
  const expectEveryFrame = await wall.watchFrames('0', server, 'camera1');
  await expect.poll(() => wall.page.evaluate(() => window.stalls)).toEqual(['1 decoder']);
  await expectEveryFrame();
  await wall.expectEvent('reconnected', 8_000);
  await wall.expectNewPictures([1, 2], 3_000);
  await expect.poll(() => wall.fps(1, 1)).toBeGreaterThan(MOVING_FPS);
  expect(await wall.page.evaluate(() => window.stuck?.frames), 'frames came').toBeGreaterThan(60);
  const states = await wall.page.evaluate(() => window.e2e.peers.map((peer) => peer.connectionState));
  expect(states).toEqual(['closed', 'connected']);
});
