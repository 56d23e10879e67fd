// The layouts of the grid. In some of them the first cell is larger than the others. The cells of `auto` have no grid: they are
// packed by the aspect ratios of the cameras.

export interface Layout {
  name: string;
  label: string;
  cells: number;
  columns: number;
  rows: number;
  /** How many columns and rows the first cell spans. */
  first: number;
  /** How many cells, side by side, are as large as the first one (1). */
  large?: number;
}

export const LAYOUTS: readonly [Layout, ...Layout[]] = [
  { name: '1', label: '1', cells: 1, columns: 1, rows: 1, first: 1 },
  { name: '2x2', label: '2 × 2', cells: 4, columns: 2, rows: 2, first: 1 },
  { name: '3x2', label: '3 × 2', cells: 6, columns: 3, rows: 2, first: 1 },
  { name: '1+5', label: '1 + 5', cells: 6, columns: 3, rows: 3, first: 2 },
  { name: '3x3', label: '3 × 3', cells: 9, columns: 3, rows: 3, first: 1 },
  { name: '1+7', label: '1 + 7', cells: 8, columns: 4, rows: 4, first: 3 },
  { name: '2+8', label: '2 + 8', cells: 10, columns: 4, rows: 4, first: 2, large: 2 },
  { name: '3x4', label: '3 × 4', cells: 12, columns: 3, rows: 4, first: 1 },
  { name: '4x4', label: '4 × 4', cells: 16, columns: 4, rows: 4, first: 1 },
  { name: '5x4', label: '5 × 4', cells: 20, columns: 5, rows: 4, first: 1 },
];

export const PACKED = 'auto';

/** The layout of so many cells without a grid. */
export function packed(cells: number): Layout {
  return { name: PACKED, label: 'Auto', cells: Math.max(1, cells), columns: 3, rows: 3, first: 2 };
}

/** The layouts for sessions of at most so many slots. The first one, the default, shows all cameras if the slots suffice. */
export function layoutsUpTo(maxSlots: number, cameras: number): readonly [Layout, ...Layout[]] {
  const [single, ...others] = LAYOUTS;
  const fitting = others.filter(({ cells }) => cells <= maxSlots);
  return [packed(Math.min(cameras, maxSlots)), single, ...fitting];
}
