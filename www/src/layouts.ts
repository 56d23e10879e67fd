// How the wall is divided. The first cell of some layouts is larger than the others.

export interface Layout {
  name: string;
  label: string;
  cells: number;
}

export const LAYOUTS = [
  { name: '1', label: '1', cells: 1 },
  { name: '2x2', label: '2 × 2', cells: 4 },
  { name: '3x2', label: '3 × 2', cells: 6 },
  { name: '1+5', label: '1 + 5', cells: 6 },
  { name: '3x3', label: '3 × 3', cells: 9 },
] as const satisfies readonly Layout[];

/** The smallest layout that shows all cameras. */
export function layoutFor(cameras: number): Layout {
  return LAYOUTS.find(({ cells }) => cells >= cameras) ?? LAYOUTS[LAYOUTS.length - 1] ?? LAYOUTS[0];
}

export function layoutNamed(name: string | null): Layout | undefined {
  return LAYOUTS.find((layout) => layout.name === name);
}
