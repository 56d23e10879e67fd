// Where the tiles of the layout `auto` are: packed into the wall by the aspect ratios of their cameras.
//
// An aspect ratio becomes known with the first status of a camera, which may come while someone aims at a tile. So the tiles do
// not move while the pointer is in use, and for a moment after that.
import { type PackedTile, packWall } from 'multistream-client/wall';
import { type RefObject, useEffect, useLayoutEffect, useMemo, useState } from 'react';

const UNUSED_MS = 700;
const USES = ['pointermove', 'pointerdown', 'pointerup'] as const;

/** The packed tiles, one for each of `aspects`; none while `wall` has no size or there is nothing to pack. */
export function usePacking(
  wall: RefObject<HTMLElement | null>,
  aspects: readonly (number | undefined)[],
): PackedTile[] {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = wall.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [wall]);
  const settled = useSettled(aspects.map((aspect) => aspect ?? '').join(' '));
  const { length } = aspects;
  return useMemo(() => {
    if (length === 0 || size.width === 0 || size.height === 0) return [];
    const known = settled.split(' ').map((aspect) => (aspect === '' ? undefined : Number(aspect)));
    // The number of tiles changes by what the user does, and at once.
    const current = Array.from({ length }, (_, at) => known[at]);
    return packWall(current, size.width, size.height).tiles;
  }, [settled, length, size]);
}

/** The value, as soon as the pointer has not been in use for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (settled === value) return;
    let timer = window.setTimeout(() => setSettled(value), UNUSED_MS);
    const later = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setSettled(value), UNUSED_MS);
    };
    for (const use of USES) window.addEventListener(use, later, { passive: true });
    return () => {
      window.clearTimeout(timer);
      for (const use of USES) window.removeEventListener(use, later);
    };
  }, [value, settled]);
  return settled;
}
