// Tests that one m-line carries streams of different codecs, told apart by payload type alone.
import { test } from './fixtures';
import { codecStreams, STATIONS, visit } from './stations';

test('a slot switches from H.264 to VP8, VP9, AV1 and back on the same connection', async ({
  cameras,
  serve,
  openWall,
}) => {
  const wall = await openWall(await serve({ streams: codecStreams(cameras) }));
  await wall.play(1);
  const [vp8, vp9, , h264] = STATIONS;
  await visit(
    wall,
    [...STATIONS, vp9, vp8, h264].filter((station) => station !== undefined),
  );
});
