// The box that cells are laid out in.

export interface Box {
  width: number;
  height: number;
  /** The space between two cells. */
  gap: number;
}

/** The length that `count` cells share in a row or column of `length`. */
export function without(gap: number, count: number, length: number): number {
  return Math.max(0, length - gap * (count - 1));
}

/** The gap that lets `count` cells of some size exist in a row or column of `length`. */
export function gapFor(gap: number, count: number, length: number): number {
  return count > 1 ? Math.max(0, Math.min(gap, length / (4 * (count - 1)))) : 0;
}
