// Tests that nothing needs an API that Safari lacks, or lacked until lately: each is taken away from Chromium.
import { expect, rtspStreams, test } from './fixtures';
import { WallPage } from './page/wall-page';

/** Each runs in the page before its scripts. */
const WITHOUT: Record<string, () => void> = {
  requestVideoFrameCallback: () => {
    Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback');
    Reflect.deleteProperty(HTMLVideoElement.prototype, 'cancelVideoFrameCallback');
  },
  'a playout delay in the offer': () => {
    const original = RTCPeerConnection.prototype.createOffer as () => Promise<RTCSessionDescriptionInit>;
    async function createOffer(this: RTCPeerConnection): Promise<RTCSessionDescriptionInit> {
      const { type, sdp = '' } = await original.call(this);
      return { type, sdp: sdp.replace(/a=extmap:.*playout-delay\r\n/g, '') };
    }
    Object.assign(RTCPeerConnection.prototype, { createOffer });
    for (const property of ['jitterBufferTarget', 'playoutDelayHint'])
      Reflect.deleteProperty(RTCRtpReceiver.prototype, property);
  },
  'the box sizes of ResizeObserver': () => {
    for (const property of ['devicePixelContentBoxSize', 'contentBoxSize', 'borderBoxSize'])
      Reflect.deleteProperty(ResizeObserverEntry.prototype, property);
  },
};

for (const [what, remove] of Object.entries(WITHOUT)) {
  test(`the page plays, switches and marks its tiles without ${what}`, async ({ cameras, serve, page }) => {
    const server = await serve({ streams: rtspStreams(cameras, 4) });
    await page.addInitScript(remove);
    const wall = await WallPage.open(page, server, '?layout=2x2');
    for (const cell of [0, 1, 2, 3]) await wall.expectLive(cell, cell + 1);
    await page.keyboard.press('1');
    await page.keyboard.press('d');
    await wall.expectLive(0, 4);
    const offered = await page.evaluate(() => window.e2e.peers[0]?.localDescription?.sdp ?? '');
    expect(offered.includes('playout-delay')).toBe(!what.includes('playout'));
    const callsBack = await page.evaluate(() => 'requestVideoFrameCallback' in HTMLVideoElement.prototype);
    expect(callsBack).toBe(what !== 'requestVideoFrameCallback');
    await server.kill();
    await expect(wall.tile(0)).not.toHaveAttribute('data-tone', 'live');
  });
}

test.describe('with a touch screen', () => {
  test.use({ hasTouch: true });

  test('a video that may not play by itself plays after a tap', async ({ cameras, serve, openWall }) => {
    const server = await serve({ streams: rtspStreams(cameras, 1) });
    const wall = await openWall(server);
    await wall.page.evaluate(() => {
      const { play } = HTMLMediaElement.prototype;
      Object.defineProperty(HTMLMediaElement.prototype, 'autoplay', { get: () => false, set() {} });
      // As in iOS, a touch is a user gesture when the finger is lifted.
      let isAllowed = false;
      window.addEventListener(
        'pointerup',
        () => {
          isAllowed = true;
        },
        true,
      );
      HTMLMediaElement.prototype.play = function () {
        const refusal = new DOMException('a gesture is needed', 'NotAllowedError');
        return isAllowed ? play.call(this) : Promise.reject(refusal);
      };
    });
    await wall.connect([{ slot: 0, stream: 'camera1' }]);
    await wall.attach(0);
    await wall.expectStatus(0, 'active');
    const paused = () => wall.page.evaluate(() => window.e2e.slots.get(0)?.video.paused);
    // Connecting is no user gesture.
    await wall.page.waitForTimeout(1_000);
    expect(await paused()).toBe(true);
    const controls = () => wall.page.evaluate(() => window.e2e.slots.get(0)?.video.controls);
    expect(await controls(), 'a button to play').toBe(true);
    await wall.page.touchscreen.tap(600, 600);
    await wall.expectCamera(0, 1);
    expect(await paused()).toBe(false);
    expect(await controls()).toBe(false);
  });
});
