// Grids of equal cells. The last row may have fewer cells; it shares the width among those it has, so that no tile is empty.
import { type Box, gapFor, without } from './box.js';
import type { Rect } from './rect.js';

/** The grids of one to `count` columns. */
export function grids(count: number, box: Box): Rect[][] {
  return Array.from({ length: count }, (_, at) => grid(count, at + 1, box));
}

function grid(count: number, columns: number, { width, height, gap }: Box): Rect[] {
  const rows = Math.ceil(count / columns);
  const down = gapFor(gap, rows, height);
  const cellHeight = without(down, rows, height) / rows;
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns);
    const inRow = Math.min(columns, count - row * columns);
    const across = gapFor(gap, inRow, width);
    const cellWidth = without(across, inRow, width) / inRow;
    const x = (at % columns) * (cellWidth + across);
    return { x, y: row * (cellHeight + down), width: cellWidth, height: cellHeight };
  });
}
