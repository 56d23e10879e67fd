// Tests the rule of what may be said of a picture: each row is a sentence of it.
import { expect, test } from 'vitest';
import { judge, type Known, type Picture } from '../src/video/live.js';

/** A camera at 25 pictures a second that was live until now. */
const MOVING: Known = {
  status: { status: 'active', camera: 'yard' },
  camera: 'yard',
  ageMs: 40,
  gapMs: 40,
  freshMs: 60_000,
  was: 'live',
};

const active = (pictureEveryMs: number) => ({ status: 'active', camera: 'yard', pictureEveryMs }) as const;
const is = (status: 'buffering' | 'offline' | 'error' | 'paused') => ({ status, camera: 'yard' }) as const;

test.each<[string, Partial<Known>, Picture]>([
  ['an active slot whose pictures come is live', {}, 'live'],
  ['a slot of which nothing was said is not live', { status: undefined }, 'waiting'],
  ['a slot that shows nothing yet is not live, whatever the server says', { camera: undefined }, 'waiting'],
  ["another camera's pictures are not live", { camera: 'door' }, 'waiting'],
  ["another camera's picture that stands is not frozen", { camera: 'door', ageMs: 30_000 }, 'waiting'],
  ['a camera that starts is not live', { status: is('buffering') }, 'waiting'],
  [
    'a camera that is offline is not live, though its last pictures were just shown',
    { status: is('offline') },
    'waiting',
  ],
  ['a slot in error is not live', { status: is('error') }, 'waiting'],
  ['a paused slot is not live', { status: is('paused') }, 'waiting'],
  ['a paused slot is not frozen', { status: is('paused'), ageMs: 30_000, was: 'frozen' }, 'waiting'],
  ['a busy browser that shows nothing for two seconds is live', { ageMs: 2_000 }, 'live'],
  ['after more than two seconds the picture is frozen', { ageMs: 2_001 }, 'frozen'],
  ['the last picture before a loss is frozen as well', { status: is('buffering'), ageMs: 2_001 }, 'frozen'],
  ['so is that of a camera that went offline', { status: is('offline'), ageMs: 2_001 }, 'frozen'],
  ['so is that of a camera in error', { status: is('error'), ageMs: 2_001 }, 'frozen'],
  ['a camera with a picture each second is live between two', { gapMs: 1_000, ageMs: 2_500 }, 'live'],
  ['and frozen after two and a half of its gaps', { gapMs: 1_000, ageMs: 2_501 }, 'frozen'],
  ['a camera with a picture every five seconds has 12.5 s', { gapMs: 5_000, ageMs: 12_500 }, 'live'],
  ['key frames only, on a slow link, are live between two', { status: active(2_000), ageMs: 5_000 }, 'live'],
  ['and frozen after two and a half of them', { status: active(2_000), ageMs: 5_001 }, 'frozen'],
  [
    'where the status says less than was seen, what was seen counts',
    { status: active(500), gapMs: 2_000, ageMs: 4_000 },
    'live',
  ],
  ['a single picture is live for two seconds', { gapMs: 0, ageMs: 2_000 }, 'live'],
  ['then it is too early to tell: the next may come in seconds', { gapMs: 0, ageMs: 2_001 }, 'waiting'],
  ['after ten seconds a single picture is frozen', { gapMs: 0, ageMs: 10_001 }, 'frozen'],
  [
    'after a resume, an enlarge or a reconnect there is a second of grace',
    { ageMs: 9_000, freshMs: 3_000, was: 'waiting' },
    'waiting',
  ],
  ['during which it is not live either', { ageMs: 2_001, freshMs: 0, was: 'live' }, 'waiting'],
  ['and then as long as any picture may stand', { ageMs: 9_000, freshMs: 3_001, was: 'waiting' }, 'frozen'],
  ['a frozen picture stays frozen during the grace', { ageMs: 9_000, freshMs: 0, was: 'frozen' }, 'frozen'],
  ['the next picture thaws it', { was: 'frozen' }, 'live'],
  [
    'a frozen picture that is removed is not frozen',
    { camera: undefined, ageMs: 9_000, was: 'frozen' },
    'waiting',
  ],
])('%s', (_, known, picture) => {
  expect(judge({ ...MOVING, ...known })).toBe(picture);
});
