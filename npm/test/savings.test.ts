// Tests which slots are paused, resumed and switched for the app, with a virtual clock and the fake screen of `screen.ts`.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MultiStreamError } from '../src/errors.js';
import type { Streams } from '../src/generated/protocol.js';
import type { AskStreams } from '../src/savings/catalogue.js';
import { Savings } from '../src/savings/savings.js';
import type { ClientOptions, ClientState, SlotConfig, SlotStatus } from '../src/types.js';
import type { Core } from '../src/wasm/glue.js';
import { FakeVideo, installScreen, page } from './screen.js';

/** An answer of `GET /api/streams`, with only the fields that are read. */
const LIST = {
  camera1: {
    state: 'live',
    variants: [
      { quality: 'native', stream: 'camera1', width: 1280, height: 720 },
      { quality: '360p', stream: 'camera1-360p', width: null, height: 360 },
    ],
  },
  'camera1-360p': { state: 'idle', variants: [] },
} as unknown as Streams;

const askStreams = vi.fn<AskStreams>();

/** The calls of the core, as text: `pause 0`, `switch 0 camera1 360p`. */
let told: string[];
/** What the core's calls resolve to. */
let answer: (call: string) => Promise<SlotStatus>;
let state: ClientState;

function status(slot: number, stream: string, quality?: string): SlotStatus {
  return { slot, stream, status: 'active', ...(quality !== undefined && { quality }) };
}

const core = {
  get state() {
    return state;
  },
  pause: (slot: number) => tell(`pause ${slot}`),
  resume: (slot: number) => tell(`resume ${slot}`),
  switchStream: (slot: number, stream: string, quality?: string) =>
    tell(`switch ${slot} ${stream} ${quality}`),
  warm: async (stream: string, quality?: string) => `${stream}-${quality}`,
} as unknown as Core;

function tell(call: string): Promise<SlotStatus> {
  told.push(call);
  return answer(call);
}

async function connect(options: ClientOptions, slots: SlotConfig[]): Promise<Savings> {
  const savings = new Savings(options, askStreams, () => core);
  const planned = await savings.plan(slots);
  told.push(...planned.map(({ slot, stream, quality }) => `init ${slot} ${stream} ${quality}`));
  savings.begin(slots, planned);
  state = 'connected';
  savings.handle({ type: 'state', state });
  return savings;
}

/** The calls of the core since the last time. */
const news = () => told.splice(0);

beforeEach(() => {
  told = [];
  state = 'idle';
  answer = async (call) => status(Number(call.split(' ')[1]), 'camera1');
  vi.useFakeTimers();
  installScreen();
  askStreams.mockReset().mockResolvedValue(LIST);
});

afterEach(() => {
  vi.useRealTimers();
});

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
    let finish = (_: SlotStatus) => {};
    answer = () =>
      new Promise((done) => {
        finish = done;
      });
    const switching = savings.switchStream(core, 0, 'camera7');
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual(['switch 0 camera7 undefined']);
    finish(status(0, 'camera7'));
    await switching;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
  });

  test('resumes a slot whose switch was refused while it was hidden', async () => {
    const { savings, video } = await watched();
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    answer = async () => {
      throw new MultiStreamError('unknown-stream', 'there is no such stream', 0, true);
    };
    await expect(savings.switchStream(core, 0, 'nowhere')).rejects.toThrow('no such stream');
    news();
    video.scroll(true);
    expect(news()).toEqual(['resume 0']);
  });

  test('gives hidden as the reason of its own pauses only', async () => {
    const { savings, video } = await watched();
    const paused: SlotStatus = { slot: 0, stream: 'camera1', status: 'paused' };
    expect(savings.handle({ type: 'status', slot: 0, status: paused })).toMatchObject({ status: paused });
    video.scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(savings.handle({ type: 'status', slot: 0, status: paused })).toMatchObject({
      status: { ...paused, reason: 'hidden' },
    });
  });

  test('pauses nothing after the connection has ended', async () => {
    const { savings, video } = await watched();
    video.scroll(false);
    savings.handle({ type: 'disconnected', reason: 'over' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual([]);
  });
});

describe('quality auto', () => {
  test('connects with the quality that fits a video attached before, and native without one', async () => {
    const savings = new Savings({}, askStreams, () => core);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    const slots = [0, 1].map((slot) => ({ slot, stream: 'camera1', quality: 'auto' }));
    expect((await savings.plan(slots)).map(({ quality }) => quality)).toEqual(['360p', 'native']);
  });

  test('is the default quality only with the option autoQuality', async () => {
    const slots = [{ slot: 0, stream: 'camera1' }];
    await connect({}, slots);
    expect(askStreams).not.toHaveBeenCalled();
    await connect({ autoQuality: true }, slots);
    expect(askStreams).toHaveBeenCalledTimes(1);
    expect(news()).toEqual(['init 0 camera1 undefined', 'init 0 camera1 native']);
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
    expect(news()).toEqual(['switch 0 camera1 native']);
  });

  test('is the quality in the status, beside the actual quality', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const event = savings.handle({
      type: 'status',
      slot: 0,
      status: { ...status(0, 'camera1-360p', '360p'), actualQuality: '360p' },
    });
    expect(event).toMatchObject({
      status: { quality: 'auto', actualQuality: '360p', stream: 'camera1-360p' },
    });
    answer = async () => status(0, 'camera1-360p', '360p');
    expect((await savings.switchStream(core, 0, 'camera1', '360p')).quality).toBe('360p');
    answer = async () => status(0, 'camera1', 'native');
    expect((await savings.switchStream(core, 0, 'camera1')).quality).toBe('auto');
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
    const offline: SlotStatus = { slot: 0, stream: 'camera1-360p', quality: '360p', status: 'offline' };
    savings.handle({ type: 'status', slot: 0, status: offline });
    await vi.advanceTimersByTimeAsync(0);
    expect(news()).toEqual(['switch 0 camera1 native']);
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
    expect(news()).toEqual(['init 0 camera1 native']);
  });

  test('warms the quality that fits the largest tile', async () => {
    const savings = await connect({ autoQuality: true }, [{ slot: 0, stream: 'camera1' }]);
    const video = new FakeVideo();
    video.resize(320, 180);
    savings.watch(0, video.element);
    expect(await savings.warm(core, 'camera1')).toBe('camera1-360p');
    expect(await savings.warm(core, 'camera1', '720p')).toBe('camera1-720p');
  });
});
