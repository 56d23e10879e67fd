// The tile that an arrow key leads to: the nearest in that direction, by where the tiles are on the screen.

export type Direction = 'left' | 'right' | 'up' | 'down';

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

export function directionOf(key: string): Direction | undefined {
  return DIRECTIONS[key];
}

/** How much the gap ahead counts against the distance of the middles to the side, which is doubled. */
const AHEAD = 4;

/** The cell of the nearest of the visible tiles in a direction from `cell`; `undefined` at the edge of the wall. */
export function neighbour(cell: number, direction: Direction): number | undefined {
  const tiles = [...document.querySelectorAll<HTMLElement>('.grid > [data-cell]')];
  const boxes = tiles.flatMap((tile) => {
    const box = tile.getBoundingClientRect();
    return box.width === 0 ? [] : [{ cell: Number(tile.dataset.cell), box }];
  });
  const from = boxes.find((other) => other.cell === cell)?.box;
  if (!from) return undefined;
  const ways = boxes.map(({ cell, box }) => {
    const ahead = {
      left: from.left - box.right,
      right: box.left - from.right,
      up: from.top - box.bottom,
      down: box.top - from.bottom,
    }[direction];
    const isAcross = direction === 'left' || direction === 'right';
    const aside = isAcross
      ? box.top + box.bottom - from.top - from.bottom
      : box.left + box.right - from.left - from.right;
    return { cell, ahead, way: Math.round(ahead * AHEAD + Math.abs(aside)) };
  });
  // Tiles side by side may overlap by a part of a pixel.
  const possible = ways.filter(({ ahead }) => ahead > -2);
  return possible.sort((a, b) => a.way - b.way)[0]?.cell;
}
