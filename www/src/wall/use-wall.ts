// The wall as React state. It is written to the address, so that it can be bookmarked and shared, and to the browser's storage,
// so that a page opened without parameters shows the same wall again.
import { useEffect, useState } from 'react';
import { readAddress, writeAddress } from '../ui/address';
import { type Means, readWall, type WallQuery, type WallState, writeWall } from './wall-state';

const KEY = 'multistream.wall';
/** How many changes can be undone. */
const UNDOABLE = 50;

export type Change = (wall: WallState) => WallState;

interface Walls {
  wall: WallState;
  past: readonly WallState[];
}

export function useWall(means: Means): {
  wall: WallState;
  /** A change by the user, which `undo` takes back. */
  change: (change: Change) => void;
  /** A change that nobody asked for by hand, such as a turn of the tour. */
  turn: (change: Change) => void;
  undo: () => void;
} {
  const [{ wall }, setWalls] = useState<Walls>(() => ({ wall: readWall(queryOf(), means), past: [] }));
  useEffect(() => {
    const query = writeWall(wall);
    writeAddress({ ...query });
    localStorage.setItem(KEY, JSON.stringify(query));
  }, [wall]);
  return {
    wall,
    change: (change) =>
      setWalls(({ wall, past }) => ({ wall: change(wall), past: [...past, wall].slice(-UNDOABLE) })),
    turn: (change) => setWalls(({ wall, past }) => ({ wall: change(wall), past })),
    undo: () =>
      setWalls((walls) => {
        const wall = walls.past.at(-1);
        return wall ? { wall, past: walls.past.slice(0, -1) } : walls;
      }),
  };
}

/** The address's parameters, or the stored ones if it has none. */
function queryOf(): WallQuery {
  const searchParams = readAddress();
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
