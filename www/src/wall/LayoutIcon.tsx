// The icon of a layout, for the button that chooses it.
import type { ReactNode } from 'react';
import { type Layout, PACKED } from './layouts';

/** The space between tiles, in tile widths. */
const GAP = 0.18;

export function LayoutIcon({ layout: { name, columns, rows, first, large = 1, cells } }: { layout: Layout }) {
  const boxes: ReactNode[] = [];
  // The icon of the packed layout is the same for any number of cameras.
  const count = name === PACKED ? 6 : cells;
  const box = (column: number, row: number, span: number) => (
    <rect key={boxes.length} x={column} y={row} width={span - GAP} height={span - GAP} />
  );
  for (let at = 0; at < large; at++) boxes.push(box(at * first, 0, first));
  for (let at = 0; at < columns * rows && boxes.length < count; at++) {
    const [column, row] = [at % columns, Math.floor(at / columns)];
    if (column >= first * large || row >= first) boxes.push(box(column, row, 1));
  }
  const view = `0 0 ${columns - GAP} ${rows - GAP}`;
  return (
    <svg className="layout-icon" viewBox={view} preserveAspectRatio="none" aria-hidden="true">
      {boxes}
    </svg>
  );
}
