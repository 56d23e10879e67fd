// Tests the choice of a quality by the size of its tile.
import { describe, expect, test } from 'vitest';
import { chooseQuality, type Tile, type Variant } from '../src/savings/choose.js';

const VARIANTS: Variant[] = [
  { quality: 'native', width: 1920, height: 1080 },
  { quality: '720p', width: null, height: 720 },
  { quality: '360p', width: 640, height: 360 },
];

const tile = (width: number, height: number, cover = false): Tile => ({ width, height, cover });

describe('quality auto', () => {
  test.each([
    ['a thumbnail', tile(160, 90), '360p'],
    ['a tile of just that size', tile(640, 360), '360p'],
    ['a tile one pixel larger', tile(642, 361), '720p'],
    ['a tile that fills the screen', tile(1920, 1080), 'native'],
    ['a tile larger than the camera', tile(3840, 2160), 'native'],
    ['a tile without a size', tile(0, 0), '360p'],
  ])('is the smallest that is large enough for %s', (_, size, quality) => {
    expect(chooseQuality(VARIANTS, size)).toBe(quality);
  });

  test('compares the side that limits the picture, and both sides with object-fit: cover', () => {
    // 640×360 inside 400×1000 is 400×225; as `cover` it is 1778×1000.
    expect(chooseQuality(VARIANTS, tile(400, 1000))).toBe('360p');
    expect(chooseQuality(VARIANTS, tile(400, 1000, true))).toBe('native');
  });

  test('changes to a larger variant at once and to a smaller one only with pixels to spare', () => {
    expect(chooseQuality(VARIANTS, tile(642, 361), '360p')).toBe('720p');
    expect(chooseQuality(VARIANTS, tile(640, 360), '720p')).toBe('720p');
    expect(chooseQuality(VARIANTS, tile(600, 338), '720p')).toBe('720p');
    expect(chooseQuality(VARIANTS, tile(570, 321), '720p')).toBe('360p');
  });

  test('is stable: a second choice at the same size is the first one', () => {
    for (let height = 1; height <= 1500; height++) {
      const size = tile((height * 16) / 9, height);
      for (const { quality } of VARIANTS) {
        const first = chooseQuality(VARIANTS, size, quality);
        expect(chooseQuality(VARIANTS, size, first), `${height} pixels from ${quality}`).toBe(first);
      }
    }
  });

  test('treats a camera of unknown size as the largest and never chooses a variant of unknown size', () => {
    const unknown: Variant[] = [
      { quality: 'native', width: null, height: null },
      { quality: 'sub', width: null, height: null },
      { quality: '360p', width: null, height: 360 },
    ];
    expect(chooseQuality(unknown, tile(100, 50))).toBe('360p');
    expect(chooseQuality(unknown, tile(1000, 500))).toBe('native');
  });

  test('prefers the camera itself to a variant of the same size', () => {
    const same: Variant[] = [
      { quality: '360p', width: 640, height: 360 },
      { quality: 'native', width: 640, height: 360 },
    ];
    expect(chooseQuality(same, tile(320, 180))).toBe('native');
    expect(chooseQuality(same, tile(320, 180), '360p')).toBe('native');
  });

  test('leaves out a variant that is offline', () => {
    const broken = VARIANTS.map((variant) => ({ ...variant, offline: variant.quality === '360p' }));
    expect(chooseQuality(broken, tile(160, 90), '360p')).toBe('720p');
  });

  test('chooses by size alone while the camera itself is offline', () => {
    const down = VARIANTS.map((variant) => ({ ...variant, offline: true }));
    expect(chooseQuality(down, tile(160, 90), '360p')).toBe('360p');
  });

  test('is native where no variant is known', () => {
    expect(chooseQuality([], tile(160, 90))).toBe('native');
  });
});
