// How far each tile is zoomed. A zoom belongs to the camera that it was made for, and is in the address: `zoom=2:3:0.4:0.6` is tile 2,
// three times as large, around that point.
import { useEffect, useState } from 'react';
import type { Choice } from '../cameras/choice';
import { readZoom, WHOLE, writeZoom, type Zoom } from '../tile/zoom';
import { readAddress, writeAddress } from '../ui/address';

interface Zoomed {
  stream: string | undefined;
  zoom: Zoom;
}

export interface Zooms {
  of: (cell: number) => Zoom;
  set: (cell: number, zoom: Zoom) => void;
}

export function useZooms(choices: readonly (Choice | null)[]): Zooms {
  const [zooms, setZooms] = useState(() => fromAddress(choices));
  const of = (cell: number) => {
    const zoomed = zooms.get(cell);
    return zoomed && zoomed.stream === choices[cell]?.stream ? zoomed.zoom : WHOLE;
  };
  const parts = [...zooms.keys()].flatMap((cell) =>
    of(cell) === WHOLE ? [] : [`${cell + 1}:${writeZoom(of(cell))}`],
  );
  const query = parts.join(',');
  useEffect(() => {
    // Browsers refuse an address that changes with every event of a gesture.
    const timer = window.setTimeout(() => writeAddress({ zoom: query === '' ? null : query }), 200);
    return () => window.clearTimeout(timer);
  }, [query]);
  const set = (cell: number, zoom: Zoom) =>
    setZooms((old) => new Map(old).set(cell, { stream: choices[cell]?.stream, zoom }));
  return { of, set };
}

function fromAddress(choices: readonly (Choice | null)[]): Map<number, Zoomed> {
  const zooms = new Map<number, Zoomed>();
  for (const part of readAddress().get('zoom')?.split(',') ?? []) {
    const colon = part.indexOf(':');
    const cell = Number(part.slice(0, colon)) - 1;
    const stream = choices[cell]?.stream;
    if (stream !== undefined) zooms.set(cell, { stream, zoom: readZoom(part.slice(colon + 1)) });
  }
  return zooms;
}
