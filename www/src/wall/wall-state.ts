// The state of the wall and its changes, as pure functions.
import type { SlotConfig } from 'multistream-client';
import type { Camera } from '../api/streams';
import { AUTO, type Choice } from '../cameras/choice';
import { type Layout, PACKED, packed } from './layouts';

export interface WallState {
  layout: Layout;
  /** The choice of each cell; `null` where it has none. May be longer or shorter than the layout. */
  choices: readonly (Choice | null)[];
}

/** The cameras and layouts that a wall can use. */
export interface Means {
  cameras: readonly Camera[];
  layouts: readonly [Layout, ...Layout[]];
}

/** The parameters of an address that describe a wall. */
export interface WallQuery {
  layout: string | null;
  tiles: string | null;
}

/** Reads `layout=2x2`, `tiles=camera1,camera4:720p`. Cells that are not named get the cameras that are not shown yet. */
export function readWall(query: WallQuery, { cameras, layouts }: Means): WallState {
  const layout = layouts.find(({ name }) => name === query.layout) ?? layouts[0];
  const tiles = query.tiles?.split(',') ?? [];
  const choices = tiles.map((tile): Choice | null => {
    if (tile === '') return null;
    const at = tile.lastIndexOf(':');
    return at < 0
      ? { stream: tile, quality: AUTO }
      : { stream: tile.slice(0, at), quality: tile.slice(at + 1) || AUTO };
  });
  return layout.name === PACKED ? pack({ layout, choices }, cameras) : fill({ layout, choices }, cameras);
}

/** Packed tiles are as many as have a camera: those that are named, or all if none is. */
function pack({ layout, choices }: WallState, cameras: readonly Camera[]): WallState {
  const named = choices.filter((choice) => choice !== null);
  if (named.length === 0) return fill({ layout, choices: [] }, cameras);
  return { layout: packed(Math.min(named.length, layout.cells)), choices: named };
}

/** The parameters that {@link readWall} reads back. */
export function writeWall({ layout, choices }: WallState): { layout: string; tiles: string } {
  const tiles = choices.map((choice) => {
    if (choice === null) return '';
    return choice.quality === AUTO ? choice.stream : `${choice.stream}:${choice.quality}`;
  });
  return { layout: layout.name, tiles: tiles.join(',') };
}

/** Gives the cells that have had no choice yet, those after the last one in `choices`, the cameras that are not shown yet. */
export function fill({ layout, choices }: WallState, cameras: readonly Camera[]): WallState {
  const filled = [...choices];
  for (const { name } of cameras) {
    if (filled.length >= layout.cells) break;
    if (!filled.some((choice) => choice?.stream === name)) filled.push({ stream: name, quality: AUTO });
  }
  return { layout, choices: filled };
}

/** Changes the layout. Every cell keeps its camera. */
export function withLayout(wall: WallState, layout: Layout, cameras: readonly Camera[]): WallState {
  const choices = layout.name === PACKED ? wall.choices.filter((choice) => choice !== null) : wall.choices;
  return fill({ layout, choices }, cameras);
}

export function place(wall: WallState, cell: number, choice: Choice): WallState {
  const length = Math.max(wall.choices.length, cell + 1);
  const choices = Array.from({ length }, (_, at) => (at === cell ? choice : (wall.choices[at] ?? null)));
  return { ...wall, choices };
}

/** Shows a camera in a cell, in the cell's quality if the camera has it. */
export function placeCamera(wall: WallState, cell: number, camera: Camera): WallState {
  const wish = wall.choices[cell]?.quality ?? AUTO;
  return place(wall, cell, {
    stream: camera.name,
    quality: camera.qualities.includes(wish) ? wish : AUTO,
  });
}

/** Empties a cell. In the packed layout its tile goes, unless it is the last one. */
export function empty(wall: WallState, cell: number): WallState {
  const { layout, choices } = wall;
  if (!choices[cell]) return wall;
  if (layout.name === PACKED && layout.cells > 1)
    return { layout: packed(layout.cells - 1), choices: choices.filter((_, at) => at !== cell) };
  return { layout, choices: choices.map((choice, at) => (at === cell ? null : choice)) };
}

export function swap(wall: WallState, from: number, to: number): WallState {
  const [a, b] = [wall.choices[from] ?? null, wall.choices[to] ?? null];
  const length = Math.max(wall.choices.length, from + 1, to + 1);
  const choices = Array.from({ length }, (_, at) => {
    if (at === from) return b;
    return at === to ? a : (wall.choices[at] ?? null);
  });
  return { ...wall, choices };
}

/** The cameras that no cell of the layout shows, in the order of the list. */
export function notShown({ layout, choices }: WallState, cameras: readonly Camera[]): Camera[] {
  const shown = new Set(choices.slice(0, layout.cells).map((choice) => choice?.stream));
  return cameras.filter(({ name }) => !shown.has(name));
}

/** The slots to request: one for each of the first `cells` cells that has a camera. */
export function slotsOf({ choices }: WallState, cells: number): SlotConfig[] {
  return choices.slice(0, cells).flatMap((choice, slot) => (choice ? [{ slot, ...choice }] : []));
}
