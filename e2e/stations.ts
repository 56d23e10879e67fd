// One slot goes from codec to codec on one m-line: the same test in every browser.
import type { Cameras } from './cameras';
import { expect, rtspStreams } from './fixtures';
import type { Tab, Wall } from './wall';

export const codecStreams = (cameras: Cameras) => ({
  ...rtspStreams(cameras, 3),
  'camera2-vp8': 'ffmpeg:camera2#video=vp8',
  'camera3-vp9': 'ffmpeg:camera3#video=vp9',
  'camera2-av1': 'ffmpeg:camera2#video=av1',
});

export interface Station {
  stream: string;
  codec: string;
  camera: number;
}

/** H.264 to VP8, VP9, AV1 and back. */
export const STATIONS: readonly Station[] = [
  { stream: 'camera2-vp8', codec: 'vp8', camera: 2 },
  { stream: 'camera3-vp9', codec: 'vp9', camera: 3 },
  { stream: 'camera2-av1', codec: 'av1', camera: 2 },
  { stream: 'camera1', codec: 'h264', camera: 1 },
];

/** Switches slot 0 of a wall that plays camera 1 to each station, on the connection that it has. */
export async function visit<T extends Tab>(wall: Wall<T>, stations: readonly Station[]): Promise<void> {
  const before = await wall.connection();
  for (const { stream, codec, camera } of stations) {
    expect(await wall.switch(0, stream)).toMatchObject({ status: 'active', stream, codec });
    await wall.expectCamera(0, camera);
  }
  expect(await wall.connection()).toEqual(before);
}
