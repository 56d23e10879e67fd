// The letter keys of the cameras: `a` is the first camera of the list.

const FIRST = 'a'.charCodeAt(0);

/** The key of the camera at this place of the list; empty for those beyond the alphabet. */
export function letterOf(index: number): string {
  return index < 26 ? String.fromCharCode(FIRST + index) : '';
}

/** The place in the list that a letter key, upper or lower case, stands for. */
export function indexOf(letter: string): number {
  return letter.toLowerCase().charCodeAt(0) - FIRST;
}
