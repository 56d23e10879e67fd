// Rows that reach from edge to edge, each as high as the aspect ratios of its pictures make it; and the same in columns.
import { type Box, gapFor, without } from './box.js';
import type { Rect } from './rect.js';

/** How many beginnings of a partition are looked at before the best one so far is taken. */
const MOST_STEPS = 60_000;

/** The best arrangement in rows; `undefined` if none keeps the ratio. */
export function rowsOf(aspects: readonly number[], box: Box, ratio: number): Rect[] | undefined {
  const best = partition(aspects, box, ratio);
  return best && lay(aspects, best, box);
}

/** The best arrangement in columns, each from top to bottom. */
export function columnsOf(aspects: readonly number[], box: Box, ratio: number): Rect[] | undefined {
  const turned = { width: box.height, height: box.width, gap: box.gap };
  const inverse = aspects.map((aspect) => 1 / aspect);
  return rowsOf(inverse, turned, ratio)?.map(({ x, y, width, height }) => ({
    x: y,
    y: x,
    width: height,
    height: width,
  }));
}

/** How high a row is that has `count` pictures whose aspect ratios have this sum, at the full width. */
function heightOf(count: number, sum: number, { width, gap }: Box): number {
  return without(gapFor(gap, count, width), count, width) / sum;
}

/** The numbers of pictures in each row. */
function partition(aspects: readonly number[], box: Box, ratio: number): number[] | undefined {
  let best: { counts: number[]; area: number } | undefined;
  let steps = 0;
  const counts: number[] = [];
  const sums: number[] = [];
  const visit = (from: number, total: number, low: number, high: number) => {
    if (from === aspects.length) {
      const area = areaOf(counts, sums, total, box);
      if (!best || area > best.area * 1.0001) best = { counts: [...counts], area };
      return;
    }
    let sum = 0;
    for (let to = from; to < aspects.length; to++) {
      steps += 1;
      if (steps > MOST_STEPS) return;
      sum += aspects[to] ?? 1;
      const height = heightOf(to - from + 1, sum, box);
      // Further pictures only make the row lower.
      if (height * ratio < high) return;
      // A single row has no other to be compared with; rows of more than two boxes' height become too small.
      if (height > low * ratio || total + height > box.height * 2.5) {
        if (to + 1 < aspects.length || from > 0) continue;
      }
      counts.push(to - from + 1);
      sums.push(sum);
      visit(to + 1, total + height, Math.min(low, height), Math.max(high, height));
      counts.pop();
      sums.pop();
    }
  };
  visit(0, 0, Number.POSITIVE_INFINITY, 0);
  return best?.counts;
}

/** The area of the pictures of rows that are `total` high together at the full width. */
function areaOf(counts: readonly number[], sums: readonly number[], total: number, box: Box): number {
  const scale = Math.min(1, room(counts.length, box) / total);
  return counts.reduce((area, count, row) => {
    const sum = sums[row] ?? 1;
    const height = heightOf(count, sum, box) * scale;
    return area + height * height * sum;
  }, 0);
}

function room(rows: number, { height, gap }: Box): number {
  return without(gapFor(gap, rows, height), rows, height);
}

/** The cells of the rows. What the pictures leave of the box is divided among the cells. */
function lay(aspects: readonly number[], counts: readonly number[], box: Box): Rect[] {
  let from = 0;
  const rows = counts.map((count) => {
    const row = aspects.slice(from, from + count);
    from += count;
    const sum = row.reduce((a, b) => a + b, 0);
    return { row, sum, height: heightOf(count, sum, box) };
  });
  const total = rows.reduce((sum, { height }) => sum + height, 0);
  const free = room(rows.length, box);
  const scale = Math.min(1, free / total);
  const spare = Math.max(0, free - total * scale) / rows.length;
  const down = gapFor(box.gap, rows.length, box.height);
  let y = 0;
  return rows.flatMap(({ row, sum, height: full }) => {
    const height = full * scale + spare;
    const across = gapFor(box.gap, row.length, box.width);
    const inner = without(across, row.length, box.width);
    let x = 0;
    const cells = row.map((aspect) => {
      const width = (inner * aspect) / sum;
      const cell = { x, y, width, height };
      x += width + across;
      return cell;
    });
    y += height + down;
    return cells;
  });
}
