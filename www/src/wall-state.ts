// What the wall shows. It lives in the page's address, so that a wall can be bookmarked and shared.
import type { SlotConfig } from 'multistream-client';
import { type Layout, layoutFor, layoutNamed } from './layouts';
import type { Camera } from './streams';

/** What one cell shows. */
export interface Choice {
  stream: string;
  quality: string;
}

export interface WallState {
  layout: Layout;
  /** By cell; may be longer or shorter than the layout. */
  choices: readonly Choice[];
}

/** `?layout=2x2&tiles=camera1,camera4:720p`; what is missing is filled with the cameras not shown yet. */
export function readWall(address: URL, cameras: readonly Camera[]): WallState {
  const { searchParams } = address;
  const layout = layoutNamed(searchParams.get('layout')) ?? layoutFor(cameras.length);
  const tiles = (searchParams.get('tiles') ?? '').split(',').filter(Boolean);
  const choices = tiles.map((tile): Choice => {
    const at = tile.lastIndexOf(':');
    return at < 0
      ? { stream: tile, quality: 'native' }
      : { stream: tile.slice(0, at), quality: tile.slice(at + 1) || 'native' };
  });
  return { layout, choices: fill(choices, layout.cells, cameras) };
}

/** The address that {@link readWall} reads back. */
export function writeWall(address: URL, { layout, choices }: WallState): URL {
  const url = new URL(address);
  url.searchParams.set('layout', layout.name);
  const tiles = choices.map(({ stream, quality }) =>
    quality === 'native' ? stream : `${stream}:${quality}`,
  );
  url.searchParams.set('tiles', tiles.join(','));
  return url;
}

export function fill(choices: readonly Choice[], cells: number, cameras: readonly Camera[]): Choice[] {
  const filled = [...choices];
  for (const { name } of cameras) {
    if (filled.length >= cells) break;
    if (!filled.some(({ stream }) => stream === name)) filled.push({ stream: name, quality: 'native' });
  }
  return filled;
}

/** What the client is asked for: one slot per cell that shows something. */
export function slotsOf({ layout, choices }: WallState): SlotConfig[] {
  return choices.slice(0, layout.cells).map(({ stream, quality }, slot) => ({ slot, stream, quality }));
}
