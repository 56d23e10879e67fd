// The icon of a layout, for the button that chooses it.
import type { ReactNode } from 'react';
import type { Layout } from './layouts';

/** The space between tiles, in tile widths. */
const GAP = 0.18;

export function LayoutIcon({ layout: { columns, rows, first, cells } }: { layout: Layout }) {
  const boxes: ReactNode[] = [];
  const box = (column: number, row: number, span: number) => (
    <rect key={boxes.length} x={column} y={row} width={span - GAP} height={span - GAP} />
  );
  boxes.push(box(0, 0, first));
  for (let at = 0; at < columns * rows && boxes.length < cells; at++) {
    const [column, row] = [at % columns, Math.floor(at / columns)];
    if (column >= first || row >= first) boxes.push(box(column, row, 1));
  }
  const view = `0 0 ${columns - GAP} ${rows - GAP}`;
  return (
    <svg className="layout-icon" viewBox={view} preserveAspectRatio="none" aria-hidden="true">
      {boxes}
    </svg>
  );
}
