// The letter keys of the cameras: `a` is the first camera of the list.

const FIRST = 'a'.charCodeAt(0);

/** The letter of the camera at this index of the list; empty for those beyond `z`. */
export function letterOf(index: number): string {
  return index < 26 ? String.fromCharCode(FIRST + index) : '';
}

/** The index in the list of a letter's camera, for upper or lower case. */
export function indexOf(letter: string): number {
  return letter.toLowerCase().charCodeAt(0) - FIRST;
}
