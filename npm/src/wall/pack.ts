// Arranges pictures of known aspect ratios in a box, so that the pictures cover as much of it as possible.
//
// The pictures are put in rows, or in columns, that are filled to the edge of the box: a portrait camera gets a narrow cell
// beside its neighbours. All partitions of the pictures in their order are tried, and uniform grids besides.
import { columnsOf, rowsOf } from './lines.js';
import type { Rect } from './rect.js';
import { grids } from './uniform.js';

export type { Rect };

export interface PackOptions {
  /** The space between two cells in pixels (4). */
  gap?: number;
  /** How high a caption is in pixels (26). Where the bar that letterboxing leaves is as high, the caption goes below the picture. */
  caption?: number;
  /** How many times higher, or wider where they are in columns, the largest picture may be than the smallest (2.1). */
  ratio?: number;
}

export interface PackedTile {
  /** The cell. Cells do not overlap, and lie inside the box. */
  cell: Rect;
  /** The picture in the cell, in its own aspect ratio. */
  picture: Rect;
  /** Whether the caption fits below the picture, in the cell, or has to be laid over the picture. */
  caption: 'below' | 'over';
}

export interface PackedWall {
  /** One for each aspect ratio, in their order. */
  tiles: PackedTile[];
  /** The share of the box that shows pictures, from 0 to 1. */
  share: number;
}

const SIXTEEN_TO_NINE = 16 / 9;

/** Arranges pictures of the aspect ratios `aspects` (width by height; 16:9 where unknown) in a box of `width` × `height`. */
export function packWall(
  aspects: readonly (number | undefined)[],
  width: number,
  height: number,
  options: PackOptions = {},
): PackedWall {
  const { gap = 4, caption = 26, ratio = 2.1 } = options;
  const known = aspects.map((aspect) => (isUsable(aspect) ? aspect : SIXTEEN_TO_NINE));
  if (known.length === 0) return { tiles: [], share: 0 };
  const box = { width: Math.max(1, width || 0), height: Math.max(1, height || 0), gap };
  const candidates = [rowsOf(known, box, ratio), columnsOf(known, box, ratio), ...grids(known.length, box)];
  let best: { cells: readonly Rect[]; area: number } | undefined;
  for (const cells of candidates) {
    if (!cells) continue;
    const area = cells.reduce((sum, cell, at) => sum + areaIn(cell, known[at] ?? SIXTEEN_TO_NINE), 0);
    // A later candidate must be better by more than rounding, so that equal ones do not alternate.
    if (!best || area > best.area * 1.0001) best = { cells, area };
  }
  const tiles = (best?.cells ?? []).map((cell, at) => tileIn(cell, known[at] ?? SIXTEEN_TO_NINE, caption));
  return { tiles, share: (best?.area ?? 0) / (box.width * box.height) };
}

function isUsable(aspect: number | undefined): aspect is number {
  return aspect !== undefined && Number.isFinite(aspect) && aspect >= 0.1 && aspect <= 10;
}

function areaIn(cell: Rect, aspect: number): number {
  const width = Math.min(cell.width, cell.height * aspect);
  return (width * width) / aspect;
}

/** The largest picture in the cell. It is in the middle, or as high up as leaves the caption its bar. */
function tileIn(cell: Rect, aspect: number, caption: number): PackedTile {
  const width = Math.min(cell.width, cell.height * aspect);
  const height = width / aspect;
  const bar = cell.height - height;
  const isBelow = bar >= caption;
  const picture = {
    x: cell.x + (cell.width - width) / 2,
    y: cell.y + (isBelow ? bar - caption : bar) / 2,
    width,
    height,
  };
  return { cell, picture, caption: isBelow ? 'below' : 'over' };
}
