// Tests what is paused, resumed and switched for the app after the server refused a request.
import { describe, expect, test, vi } from 'vitest';
import type { Savings } from '../src/savings/savings.js';
import { sockets } from './browser.js';
import {
  answerBy,
  connect,
  core,
  grantAll,
  heard,
  hold,
  isConnected,
  news,
  refuse,
  refused,
  useFakes,
} from './savings-rig.js';
import { FakeVideo } from './screen.js';

useFakes();

describe('after a refusal', () => {
  const slots = [
    { slot: 0, stream: 'camera1' },
    { slot: 1, stream: 'camera2' },
  ];

  async function wall(): Promise<{ savings: Savings; videos: [FakeVideo, FakeVideo] }> {
    const savings = await connect({ autoQuality: true, pauseHidden: true }, slots);
    const videos: [FakeVideo, FakeVideo] = [new FakeVideo(), new FakeVideo()];
    videos.forEach((video, slot) => void savings.watch(slot, video.element));
    await vi.advanceTimersByTimeAsync(100);
    news();
    return { savings, videos };
  }

  async function shrink(video: FakeVideo): Promise<void> {
    Object.assign(video, { clientWidth: 320, clientHeight: 180 });
    window.dispatchEvent(new Event('resize'));
    await vi.advanceTimersByTimeAsync(100);
  }

  test('a new size asks for a quality of the stream that still plays', async () => {
    const { savings, videos } = await wall();
    answerBy((request) => refuse(request));
    await refused(savings.switchStream(core, 0, 'camera2', 'native'));
    expect(news()).toEqual(['switch 0 camera2 native']);
    grantAll();
    await shrink(videos[0]);
    expect(news()).toEqual(['switch 0 camera1 360p']);
    expect(heard.at(-1)).toMatchObject({ stream: 'camera1-360p', quality: 'auto' });
  });

  test('of an atomic layout, every slot has its own stream, quality and pause', async () => {
    const { savings, videos } = await wall();
    videos[1].scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 1']);
    answerBy((request) => refuse(request, 0));
    const layout = [
      { slot: 0, stream: 'camera2', quality: 'native' },
      { slot: 1, stream: 'camera1', quality: '360p' },
    ];
    await refused(savings.switchMany(core, layout, true));
    expect(news()).toEqual(['layout 0 camera2 native', 'layout 1 camera1 360p']);
    grantAll();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news(), 'it is paused already').toEqual([]);
    videos[1].scroll(true);
    expect(news()).toEqual(['resume 1']);
    await shrink(videos[0]);
    expect(news()).toEqual(['switch 0 camera1 360p']);
  });

  test('of a superseded switch and of the one that superseded it, the first wish stands', async () => {
    const { savings, videos } = await wall();
    const held = hold();
    const superseded = expect(savings.switchStream(core, 0, 'camera2')).rejects.toMatchObject({
      code: 'superseded',
    });
    const later = refused(savings.switchStream(core, 0, 'camera3', 'native'));
    await superseded;
    grantAll();
    for (const request of held) refuse(request);
    await later;
    expect(news()).toEqual(['switch 0 camera2 undefined', 'switch 0 camera3 native']);
    await shrink(videos[0]);
    expect(news()).toEqual(['switch 0 camera1 360p']);
  });

  test('a new connection asks for what plays, and the next size for another quality of it', async () => {
    const { savings, videos } = await wall();
    answerBy((request) => refuse(request));
    await refused(savings.switchStream(core, 0, 'camera3', '720p'));
    grantAll();
    news();
    sockets.at(-1)?.drop(1006);
    await vi.advanceTimersByTimeAsync(1);
    await isConnected();
    expect(news()).toEqual(['init 0 camera1 undefined', 'init 1 camera2 undefined']);
    expect(heard.at(-1)).toMatchObject({ stream: 'camera2', quality: 'auto' });
    await shrink(videos[0]);
    expect(news()).toEqual(['switch 0 camera1 360p']);
  });

  test('of a resume by the app, its pause stands', async () => {
    const { savings, videos } = await wall();
    await savings.pause(core, 0);
    answerBy((request) => refuse(request));
    await refused(savings.resume(core, 0));
    grantAll();
    news();
    videos[0].scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    videos[0].scroll(true);
    await shrink(videos[0]);
    expect(news()).toEqual([]);
  });

  test('of a pause, the slot counts as playing, and its next pause is asked for again', async () => {
    const { videos } = await wall();
    answerBy((request) => refuse(request));
    videos[0].scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
    grantAll();
    videos[0].scroll(true);
    expect(news()).toEqual([]);
    videos[0].scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(news()).toEqual(['pause 0']);
  });

  test('of a pause by the app, the pause of a hidden slot is ended when it is seen', async () => {
    const { savings, videos } = await wall();
    videos[0].scroll(false);
    await vi.advanceTimersByTimeAsync(2_000);
    answerBy((request) => refuse(request));
    await refused(savings.pause(core, 0));
    grantAll();
    news();
    videos[0].scroll(true);
    expect(news()).toEqual(['resume 0']);
  });

  test('of a chosen quality, it is not asked for without end', async () => {
    const { videos } = await wall();
    answerBy((request) => refuse(request));
    await shrink(videos[0]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(news()).toEqual(['switch 0 camera1 360p']);
  });
});
