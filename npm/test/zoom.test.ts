// Tests the geometry of the page's zoom.
import { describe, expect, test } from 'vitest';
import {
  MAX_SCALE,
  type Point,
  pan,
  readZoom,
  transformOf,
  visible,
  WHOLE,
  writeZoom,
  type Zoom,
  zoomAt,
} from '../../www/src/tile/zoom.js';

/** What is at a point of the tile, in shares of the picture. */
function under(zoom: Zoom, point: Point): Point {
  const { left, top, size } = visible(zoom);
  return { x: left + point.x * size, y: top + point.y * size };
}

describe('zoom', () => {
  test.each([
    { x: 0.5, y: 0.5 },
    { x: 0, y: 0 },
    { x: 0.9, y: 0.2 },
  ])('what is under the pointer at $x, $y stays there', (point) => {
    let zoom: Zoom = WHOLE;
    for (const factor of [1.5, 2, 1.1]) {
      const before = under(zoom, point);
      zoom = zoomAt(zoom, factor, point);
      expect(under(zoom, point).x).toBeCloseTo(before.x, 9);
      expect(under(zoom, point).y).toBeCloseTo(before.y, 9);
    }
  });

  test('the scale ends at the whole picture and at the largest', () => {
    const corner = { x: 1, y: 1 };
    expect(zoomAt(WHOLE, 1000, corner).scale).toBe(MAX_SCALE);
    expect(zoomAt(zoomAt(WHOLE, 4, corner), 0.01, { x: 0, y: 0 })).toEqual(WHOLE);
  });

  test.each([
    { x: 5, y: 5 },
    { x: -5, y: -5 },
    { x: 0.3, y: -9 },
  ])('no edge of the picture comes inside the tile after a move by $x, $y', (by) => {
    const { left, top, size } = visible(pan({ scale: 3, x: 0.5, y: 0.5 }, by));
    for (const start of [left, top]) {
      expect(start).toBeGreaterThanOrEqual(-1e-9);
      expect(start + size).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test('the picture moves with the pointer', () => {
    const zoom: Zoom = { scale: 4, x: 0.5, y: 0.5 };
    const held = under(zoom, { x: 0.5, y: 0.5 });
    expect(under(pan(zoom, { x: 0.2, y: -0.1 }), { x: 0.7, y: 0.4 })).toEqual(held);
  });

  test('zooming out at an edge leaves no gap', () => {
    const atEdge = pan(zoomAt(WHOLE, 4, { x: 0.5, y: 0.5 }), { x: 9, y: 9 });
    const { left, top } = visible(zoomAt(atEdge, 0.5, { x: 1, y: 1 }));
    expect(left).toBeCloseTo(0, 9);
    expect(top).toBeCloseTo(0, 9);
  });

  test('the whole picture has no transform', () => {
    expect(transformOf(WHOLE)).toBeUndefined();
    expect(transformOf({ scale: 2, x: 0.5, y: 0.75 })).toBe('translate(-50%, -100%) scale(2)');
  });

  test('an address keeps a zoom, and nonsense is the whole picture', () => {
    const zoom: Zoom = { scale: 2.5, x: 0.4, y: 0.6 };
    expect(readZoom(writeZoom(zoom))).toEqual(zoom);
    for (const text of ['', '2', '2:a:0', '1:2:3:4', 'NaN:0:0', '-1:0:0'])
      expect(readZoom(text)).toEqual(WHOLE);
    expect(readZoom('999:0:9')).toEqual({ scale: 8, x: 1 / 16, y: 15 / 16 });
  });
});
