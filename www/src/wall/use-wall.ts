// The wall as React state. It is written to the address, so that it can be bookmarked and shared, and to the browser's storage,
// so that a page opened without parameters shows the same wall again.
import { useEffect, useState } from 'react';
import { type Means, readWall, type WallQuery, type WallState, writeWall } from './wall-state';

const KEY = 'multistream.wall';

export function useWall(means: Means): [WallState, (change: (wall: WallState) => WallState) => void] {
  const [wall, setWall] = useState<WallState>(() => readWall(queryOf(new URL(location.href)), means));
  useEffect(() => {
    const query = writeWall(wall);
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    history.replaceState(null, '', address);
    localStorage.setItem(KEY, JSON.stringify(query));
  }, [wall]);
  return [wall, setWall];
}

/** The address's parameters, or the stored ones if it has none. */
function queryOf({ searchParams }: URL): WallQuery {
  const asked = { layout: searchParams.get('layout'), tiles: searchParams.get('tiles') };
  return asked.layout === null && asked.tiles === null ? stored() : asked;
}

function stored(): WallQuery {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  try {
    const { layout, tiles } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    return { layout: text(layout), tiles: text(tiles) };
  } catch {
    return { layout: null, tiles: null };
  }
}
