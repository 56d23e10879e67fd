// Tests that one m-line carries streams of different codecs, told apart by payload type alone.
import { expect, rtspStreams, test } from './fixtures';

test('a slot switches from H.264 to VP8, VP9, AV1 and back on the same connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const server = await serve({
    streams: {
      ...rtspStreams(cameras, 3),
      'camera2-vp8': 'ffmpeg:camera2#video=vp8',
      'camera3-vp9': 'ffmpeg:camera3#video=vp9',
      'camera2-av1': 'ffmpeg:camera2#video=av1',
    },
  });
  const wall = await openWall(server);
  await wall.play(1);
  const before = await wall.connection();
  const stations = [
    { stream: 'camera2-vp8', codec: 'vp8', camera: 2 },
    { stream: 'camera3-vp9', codec: 'vp9', camera: 3 },
    { stream: 'camera2-av1', codec: 'av1', camera: 2 },
    { stream: 'camera1', codec: 'h264', camera: 1 },
    { stream: 'camera3-vp9', codec: 'vp9', camera: 3 },
    { stream: 'camera2-vp8', codec: 'vp8', camera: 2 },
    { stream: 'camera1', codec: 'h264', camera: 1 },
  ];
  for (const { stream, codec, camera } of stations) {
    expect(await wall.switch(0, stream)).toMatchObject({ status: 'active', stream, codec });
    await wall.expectCamera(0, camera);
  }
  expect(await wall.connection()).toEqual(before);
});
