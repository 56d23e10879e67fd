// The layouts of the grid. In some of them the first cell is larger than the others.

export interface Layout {
  name: string;
  label: string;
  cells: number;
  columns: number;
  rows: number;
  /** How many columns and rows the first cell spans. */
  first: number;
}

export const LAYOUTS: readonly [Layout, ...Layout[]] = [
  { name: '1', label: '1', cells: 1, columns: 1, rows: 1, first: 1 },
  { name: '2x2', label: '2 × 2', cells: 4, columns: 2, rows: 2, first: 1 },
  { name: '3x2', label: '3 × 2', cells: 6, columns: 3, rows: 2, first: 1 },
  { name: '1+5', label: '1 + 5', cells: 6, columns: 3, rows: 3, first: 2 },
  { name: '3x3', label: '3 × 3', cells: 9, columns: 3, rows: 3, first: 1 },
  { name: '4x4', label: '4 × 4', cells: 16, columns: 4, rows: 4, first: 1 },
];

/** The layouts for sessions of at most so many slots. */
export function layoutsUpTo(maxSlots: number): readonly [Layout, ...Layout[]] {
  const [single, ...others] = LAYOUTS;
  return [single, ...others.filter(({ cells }) => cells <= maxSlots)];
}

/** The smallest layout that shows all cameras, or the largest of all if none does. */
export function layoutFor(cameras: number, layouts: readonly [Layout, ...Layout[]]): Layout {
  return layouts.find(({ cells }) => cells >= cameras) ?? layouts[layouts.length - 1] ?? layouts[0];
}
