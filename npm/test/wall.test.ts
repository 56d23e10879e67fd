// Tests how pictures are packed into a wall.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { packWall, type Rect } from 'multistream-client/wall';
import { describe, expect, test } from 'vitest';

const ENOUGH = 1e-6;
const wide = (count: number) => Array<number>(count).fill(16 / 9);

test.each([
  [6, 1440, 900, 0.82],
  [10, 1440, 900, 0.75],
  [10, 1024, 768, 0.65],
  [10, 844, 390, 0.65],
])('%i cameras at %i × %i cover the box', (count, width, height, share) => {
  const packed = packWall(wide(count), width, height);
  console.log(`${count} at ${width} × ${height}: ${packed.share.toFixed(3)}`);
  expect(packed.share).toBeGreaterThanOrEqual(share);
});

/** A generator of numbers from 0 to 1, the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function overlap(a: Rect, b: Rect): boolean {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return across > ENOUGH && down > ENOUGH;
}

function inside(inner: Rect, outer: Rect): boolean {
  return (
    inner.x >= outer.x - ENOUGH &&
    inner.y >= outer.y - ENOUGH &&
    inner.x + inner.width <= outer.x + outer.width + ENOUGH &&
    inner.y + inner.height <= outer.y + outer.height + ENOUGH
  );
}

/** The area of the pictures in the best grid of equal cells. */
function bestGrid(aspects: readonly number[], width: number, height: number, gap: number): number {
  let best = 0;
  for (let columns = 1; columns <= aspects.length; columns++) {
    const rows = Math.ceil(aspects.length / columns);
    const w = (width - gap * (columns - 1)) / columns;
    const h = (height - gap * (rows - 1)) / rows;
    const area = aspects.reduce((sum, aspect) => sum + Math.min(w, h * aspect) ** 2 / aspect, 0);
    if (w > 0 && h > 0) best = Math.max(best, area);
  }
  return best;
}

describe('packs of any cameras in any box', () => {
  const random = numbers(7);
  const cases = Array.from({ length: 300 }, () => ({
    aspects: Array.from({ length: 1 + Math.floor(random() * 25) }, () =>
      random() < 0.6 ? 16 / 9 : 0.4 + random() * 3,
    ),
    width: 200 + random() * 3_000,
    height: 200 + random() * 2_000,
  }));

  test('have every tile, in the box, without overlap, and each picture in its cell and aspect ratio', () => {
    for (const { aspects, width, height } of cases) {
      const { tiles } = packWall(aspects, width, height);
      expect(tiles.length).toBe(aspects.length);
      for (const [at, { cell, picture }] of tiles.entries()) {
        expect(inside(cell, { x: 0, y: 0, width, height })).toBe(true);
        expect(inside(picture, cell)).toBe(true);
        expect(picture.width / picture.height).toBeCloseTo(aspects[at] ?? 0, 5);
        expect(picture.width).toBeGreaterThan(0);
        for (const other of tiles.slice(at + 1)) expect(overlap(cell, other.cell)).toBe(false);
      }
    }
  });

  test('keep the order: each cell comes to the right of the one before it or below it', () => {
    for (const { aspects, width, height } of cases) {
      const { tiles } = packWall(aspects, width, height);
      for (const [at, { cell }] of tiles.slice(1).entries()) {
        const before = tiles[at]?.cell ?? cell;
        const isAfter =
          cell.x >= before.x + before.width - ENOUGH || cell.y >= before.y + before.height - ENOUGH;
        expect(isAfter).toBe(true);
      }
    }
  });

  test('show no less picture than the best grid of equal cells', () => {
    for (const { aspects, width, height } of cases) {
      const { share } = packWall(aspects, width, height);
      expect(share * width * height).toBeGreaterThanOrEqual(bestGrid(aspects, width, height, 4) * 0.9998);
    }
  });
});

test('a portrait camera has a narrow cell', () => {
  const { tiles } = packWall([16 / 9, 9 / 16, 16 / 9], 1440, 500);
  const [first, portrait] = tiles;
  expect((portrait?.cell.width ?? 0) * 2).toBeLessThan(first?.cell.width ?? 0);
});

test('a caption goes below the picture where the letterbox bar holds it, and over it elsewhere', () => {
  const [letterboxed] = packWall([16 / 9], 800, 600).tiles;
  expect(letterboxed?.caption).toBe('below');
  expect((letterboxed?.picture.y ?? 0) + (letterboxed?.picture.height ?? 0)).toBeLessThanOrEqual(600 - 26);
  expect(packWall([16 / 9], 1600, 900).tiles[0]?.caption).toBe('over');
});

test('unknown and absurd aspect ratios count as 16:9, and boxes without size do no harm', () => {
  const aspects = [undefined, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1_000];
  expect(packWall(aspects, 1440, 900)).toEqual(packWall(wide(6), 1440, 900));
  expect(packWall([], 100, 100)).toEqual({ tiles: [], share: 0 });
  for (const size of [0, -5, Number.NaN, 1]) expect(packWall(wide(25), size, size).tiles.length).toBe(25);
});

test('the entry is at most 20 KB to download and imports nothing but its own files', () => {
  const files = [
    'wall.js',
    'wall/pack.js',
    'wall/lines.js',
    'wall/uniform.js',
    'wall/box.js',
    'wall/rect.js',
  ];
  const text = files
    .map((file) => readFileSync(new URL(`../dist/${file}`, import.meta.url), 'utf8'))
    .join('');
  const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, path = '']) => path.split('/').pop());
  for (const file of imported) expect(files.some((known) => known.endsWith(`${file}`))).toBe(true);
  expect(gzipSync(text).length).toBeLessThanOrEqual(20_000);
});
