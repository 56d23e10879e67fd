// The wall as React state, and what the tour makes of it meanwhile. The wall is written to the address, so that it can be bookmarked and shared, and to the browser's storage,
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
  /** The wall with the turns of the tour, which is shown instead and written nowhere; `null` while there are none. */
  toured: WallState | null;
}

export function useWall(means: Means): {
  /** What is shown. */
  wall: WallState;
  /** A change by the user, which `undo` takes back. */
  change: (change: Change) => void;
  /** A turn of the tour. */
  turn: (change: Change) => void;
  /** Shows the wall again as it was before the tour, with the user's changes since. */
  restore: () => void;
  undo: () => void;
} {
  const [{ wall, toured }, setWalls] = useState<Walls>(() => ({
    wall: readWall(queryOf(), means),
    past: [],
    toured: null,
  }));
  useEffect(() => {
    const query = writeWall(wall);
    writeAddress({ ...query });
    localStorage.setItem(KEY, JSON.stringify(query));
  }, [wall]);
  return {
    wall: toured ?? wall,
    change: (change) =>
      setWalls(({ wall, past, toured }) => ({
        wall: change(wall),
        past: [...past, wall].slice(-UNDOABLE),
        toured: toured && change(toured),
      })),
    turn: (change) => setWalls((walls) => ({ ...walls, toured: change(walls.toured ?? walls.wall) })),
    restore: () => setWalls((walls) => (walls.toured ? { ...walls, toured: null } : walls)),
    undo: () =>
      setWalls((walls) => {
        const wall = walls.past.at(-1);
        return wall ? { wall, past: walls.past.slice(0, -1), toured: null } : walls;
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
