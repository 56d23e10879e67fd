// The enlarged tile, which is in the address: a link shows it, and the browser's Back leads to the wall.
import { useEffect, useState } from 'react';
import { readEnlarged, watchEnlarged, writeEnlarged } from '../ui/address';

/** `null`: none. A tile that cannot be enlarged, by `isPossible`, is not. */
export function useEnlarged(
  isPossible: (cell: number) => boolean,
): [number | null, (cell: number | null) => void] {
  const [enlarged, setEnlarged] = useState(readEnlarged);
  useEffect(() => watchEnlarged(setEnlarged), []);
  return [
    enlarged !== null && isPossible(enlarged) ? enlarged : null,
    (cell) => {
      writeEnlarged(cell);
      setEnlarged(cell);
    },
  ];
}
