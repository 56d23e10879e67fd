// Tests which slots are paused, resumed and switched for the app.
import { describe, expect, test, vi } from 'vitest';
import type { Streams, SlotStatus as WireStatus } from '../src/generated/protocol.js';
import { Savings } from '../src/savings/savings.js';
import { sockets } from './browser.js';
import {
  answerBy,
  askStreams,
  connect,
  core,
  grant,
  grantAll,
  heard,
  hold,
  LIST,
  news,
  refuse,
  refused,
  useFakes,
  wireStatus,
} from './savings-rig.js';
import { FakeVideo, page } from './screen.js';

useFakes();

describe('pauseHidden', () => {
  const options = { pauseHidden: true };
  const slots = [{ slot: 0, stream: 'camera1' }];

  async function watched(): Promise<{ savings: Savings; video: FakeVideo }> {
    const savings = await connect(options, slots);
    const video = new FakeVideo();
    savings.watch(0, video.element);
    news();
    return { savings, video };
  }

  test('pauses a slot that is out of sight for 2 s, and resumes it as soon as it is seen', async () => {
    const { video } = await watched();
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(news()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(news()).toEqual(['pause 0']);
    video.scroll(true);
    expect(news()).toEqual(['resume 0']);
  });

  test('does not pause a slot that is out of sight for less than 2 s', async () => {
    const { video } = await watched();
    for (let n = 0; n < 5; n++) {
      video.scroll(false);
      await vi.advanceTimersByTimeAsync(1_500);
      video.scroll(true);
    }
    expect(news()).toEqual([]);
  });

  test('treats a hidden page as out of sight, except for a video in picture-in-picture', async () => {
    const { video } = await watched();
    page.show(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
    video.pictureInPicture(true);
    expect(news()).toEqual(['resume 0']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(news()).toEqual([]);
    video.pictureInPicture(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
    page.show(true);
    expect(news()).toEqual(['resume 0']);
  });

  test('does not pause a slot whose video is not in the document, as one that is drawn on a canvas', async () => {
    const savings = await connect(options, slots);
    const video = new FakeVideo();
    video.isConnected = false;
    savings.watch(0, video.element);
    news();
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual([]);
    // Once it was in the document it is out of sight without one.
    video.isConnected = true;
    video.scroll(true);
    video.isConnected = false;
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
  });

  test('does not pause a slot while one of its videos is visible', async () => {
    const { savings, video } = await watched();
    const second = new FakeVideo();
    const unwatch = savings.watch(0, second.element);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual([]);
    unwatch();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
  });

  test('never undoes a pause of the app', async () => {
    const { savings, video } = await watched();
    await savings.pause(core, 0);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(5_000);
    video.scroll(true);
    expect(news()).toEqual(['pause 0']);
    await savings.resume(core, 0);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['resume 0', 'pause 0']);
    // The app pauses a slot that is paused because it is hidden: only the app ends that pause.
    await savings.pause(core, 0);
    news();
    video.scroll(true);
    expect(news()).toEqual([]);
  });

  test('does nothing without an attached video, or without the option', async () => {
    await connect(options, slots);
    const other = await connect({}, slots);
    const video = new FakeVideo();
    other.watch(0, video.element);
    news();
    page.show(false);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(news()).toEqual([]);
  });

  test('waits for a call of the app, which a pause would end as superseded', async () => {
    const { savings, video } = await watched();
    const held = hold();
    const switching = savings.switchStream(core, 0, 'camera7');
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual(['switch 0 camera7 undefined']);
    grantAll();
    for (const request of held) grant(request);
    await switching;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
  });

  test('resumes a slot whose switch was refused while it was hidden', async () => {
    const { savings, video } = await watched();
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    answerBy((request) => refuse(request));
    await refused(savings.switchStream(core, 0, 'nowhere'));
    news();
    grantAll();
    video.scroll(true);
    expect(news()).toEqual(['resume 0']);
  });

  test('gives hidden as the reason of its own pauses only', async () => {
    const { savings, video } = await watched();
    await savings.pause(core, 0);
    expect(heard.at(-1)).toEqual({ slot: 0, camera: 'camera1', stream: 'camera1', status: 'paused' });
    await savings.resume(core, 0);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(heard.at(-1)).toEqual({
      slot: 0,
      camera: 'camera1',
      stream: 'camera1',
      status: 'paused',
      reason: 'hidden',
    });
  });

  test('pauses nothing after the connection has ended', async () => {
    const { video } = await watched();
    video.scroll(false);
    core.disconnect();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual([]);
  });
});

describe('quality auto', () => {
  test('connects with the quality that fits a video attached before, and native without one', async () => {
    const savings = new Savings({}, askStreams, () => undefined);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    const slots = [0, 1].map((slot) => ({ slot, stream: 'camera1', quality: 'auto' }));
    expect((await savings.plan(slots)).map(({ quality }) => quality)).toEqual(['360p', undefined]);
  });

  test('is the default quality only with the option autoQuality', async () => {
    const slots = [{ slot: 0, stream: 'camera1' }];
    await connect({}, slots);
    expect(askStreams).not.toHaveBeenCalled();
    await connect({ autoQuality: true }, slots);
    expect(askStreams).toHaveBeenCalledTimes(1);
    expect(news()).toEqual(['init 0 camera1 undefined', 'init 0 camera1 undefined']);
  });

  test('follows the size of the tile, 100 ms after its last change', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    savings.watch(0, video.element);
    await vi.advanceTimersByTimeAsync(100);
    news();
    video.clientHeight = 180;
    video.clientWidth = 320;
    window.dispatchEvent(new Event('resize'));
    await vi.advanceTimersByTimeAsync(99);
    window.dispatchEvent(new Event('resize'));
    await vi.advanceTimersByTimeAsync(99);
    expect(news()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(news()).toEqual(['switch 0 camera1 360p']);
    Object.assign(window, { devicePixelRatio: 3 });
    window.dispatchEvent(new Event('resize'));
    await vi.advanceTimersByTimeAsync(100);
    expect(news()).toEqual(['switch 0 camera1 undefined']);
  });

  test('is the quality in the status, beside the actual quality', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    await vi.advanceTimersByTimeAsync(0);
    expect(heard.at(-1)).toMatchObject({ quality: 'auto', stream: 'camera1-360p' });
    expect((await savings.switchStream(core, 0, 'camera1', '360p')).quality).toBe('360p');
    expect((await savings.switchStream(core, 0, 'camera1')).quality).toBe('auto');
    const statuses = await savings.switchMany(core, [{ slot: 0, stream: 'camera1' }], true);
    expect(statuses.map(({ quality }) => quality)).toEqual(['auto']);
  });

  test('does not change a quality that the app named', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1', quality: 'native' }]);
    const video = new FakeVideo();
    savings.watch(0, video.element);
    video.resize(32, 18);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(news()).toEqual(['init 0 camera1 native']);
  });

  test('gives a hidden tile its new quality when it is visible again', async () => {
    const savings = await connect({ autoQuality: true, pauseHidden: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    savings.watch(0, video.element);
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    news();
    video.clientHeight = 180;
    video.clientWidth = 320;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(news()).toEqual([]);
    video.scroll(true);
    expect(news()).toEqual(['switch 0 camera1 360p']);
  });

  test('changes to native when the chosen variant is offline', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    expect(news()).toContain('switch 0 camera1 360p');
    const broken = { ...LIST, 'camera1-360p': { state: 'offline', variants: [] } } as unknown as Streams;
    askStreams.mockResolvedValue(broken);
    const offline: WireStatus = { ...wireStatus(0, 'camera1', '360p'), status: 'offline' };
    sockets.at(-1)?.say({ type: 'multistream/status', slot: 0, status: offline });
    await vi.advanceTimersByTimeAsync(0);
    expect(news()).toEqual(['switch 0 camera1 undefined']);
  });

  test('is native after a second where the server does not answer', async () => {
    askStreams.mockReturnValue(new Promise(() => {}));
    const connecting = connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    await vi.advanceTimersByTimeAsync(1_000);
    const savings = await connecting;
    const video = new FakeVideo();
    video.resize(32, 18);
    savings.watch(0, video.element);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(news()).toEqual(['init 0 camera1 undefined']);
  });

  test('warms the quality that fits the largest tile', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    void savings.warm(core, 'camera1').catch(() => {});
    void savings.warm(core, 'camera1', '720p').catch(() => {});
    const warmed = sockets[0]?.sent.filter(({ type }) => type === 'multistream/warm');
    expect(warmed).toMatchObject([{ quality: '360p' }, { quality: '720p' }]);
  });
});

describe('priorities', () => {
  const slots = [0, 1, 2].map((slot) => ({ slot, stream: 'camera1' }));
  const priorities = () =>
    sockets.flatMap(({ sent }) =>
      sent.flatMap((message) =>
        message.type === 'multistream/priority' ? [`${message.slot}: ${message.priority}`] : [],
      ),
    );

  async function wall(sizes: [number, number][]) {
    const savings = await connect({}, slots);
    const videos = sizes.map(([width, height], slot) => {
      const video = new FakeVideo();
      Object.assign(video, { clientWidth: width, clientHeight: height });
      savings.watch(slot, video.element);
      return video;
    });
    await vi.advanceTimersByTimeAsync(100);
    return { savings, videos };
  }

  test('tiles of about one size are of one importance, and nothing is sent', async () => {
    await wall([
      [640, 360],
      [642, 361],
      [640, 360],
    ]);
    expect(priorities()).toEqual([]);
  });

  test('a larger tile is more important, until the app says something else', async () => {
    const { savings, videos } = await wall([
      [640, 360],
      [1280, 720],
      [320, 180],
    ]);
    expect(priorities()).toEqual(['0: 1', '1: 2']);
    savings.setPriority(2, 9);
    videos[1]?.resize(640, 360);
    window.dispatchEvent(new Event('resize'));
    await vi.advanceTimersByTimeAsync(100);
    expect(priorities().slice(2)).toEqual(['2: 9', '1: 1']);
  });
});
