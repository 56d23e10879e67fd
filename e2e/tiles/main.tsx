// A wall of the provider and the hooks for one tile each, under StrictMode. The test controls it, and counts the renders.
import type { SlotConfig } from 'multistream-client';
import {
  MultiStreamProvider,
  type Tile,
  useConnection,
  useSlotStatus,
  useStreams,
  useTile,
} from 'multistream-client/react';
import { type ReactNode, StrictMode, useEffect, version } from 'react';
import { flushSync } from 'react-dom';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';

export interface Wall {
  /** Shows these slots, or others: `tiles` names the slots of the tiles in their order, of which two may have the same one. */
  show(url: string, slots: SlotConfig[], tiles: number[]): void;
  /** The same, in the markup that a server has made. */
  hydrate(url: string, slots: SlotConfig[], tiles: number[]): void;
  /** What React said of markup that is another than it renders. */
  mismatches: string[];
  unmount(): void;
  /** The calls of each slot's tile, as they were rendered last. */
  tiles: Record<number, Tile>;
  /** How many times each component was rendered. */
  renders: Record<string, number>;
  react: string;
}

declare global {
  interface Window {
    wall: Wall;
  }
}

function counted(name: string): void {
  window.wall.renders[name] = (window.wall.renders[name] ?? 0) + 1;
}

function Picture({ slot }: { slot: number }) {
  counted(`tile ${slot}`);
  const tile = useTile(slot);
  useEffect(() => {
    window.wall.tiles[slot] = tile;
  });
  const { ref, status, live, error } = tile;
  return (
    <figure data-slot={slot} data-status={status?.status} data-live={live} data-error={error?.code}>
      <video ref={ref} muted width={320} height={180} />
      <Caption slot={slot} />
    </figure>
  );
}

function Caption({ slot }: { slot: number }) {
  return <figcaption>{useSlotStatus(slot)?.camera}</figcaption>;
}

function Bar() {
  counted('bar');
  const { state, error } = useConnection();
  const { streams } = useStreams();
  return (
    <p data-state={state} title={error?.message}>
      {streams?.map(({ name, variants }) => `${name}(${variants.length})`).join(' ')}
    </p>
  );
}

let root: Root | undefined;

function tree(url: string, slots: SlotConfig[], tiles: number[]): ReactNode {
  const seen = new Map<number, number>();
  const keyOf = (slot: number) => {
    const nth = seen.get(slot) ?? 0;
    seen.set(slot, nth + 1);
    return `${slot}-${nth}`;
  };
  return (
    <StrictMode>
      <MultiStreamProvider url={url} slots={slots}>
        <Bar />
        <Bar />
        {tiles.map((slot) => (
          <Picture key={keyOf(slot)} slot={slot} />
        ))}
      </MultiStreamProvider>
    </StrictMode>
  );
}

window.wall = {
  show: (url, slots, tiles) => {
    const element = document.getElementById('root');
    if (element === null) return;
    root ??= createRoot(element);
    root.render(tree(url, slots, tiles));
  },
  hydrate: (url, slots, tiles) => {
    const element = document.getElementById('root');
    if (element === null) return;
    element.innerHTML = renderToString(tree(url, slots, tiles));
    root = hydrateRoot(element, tree(url, slots, tiles), {
      onRecoverableError: (error) => window.wall.mismatches.push(String(error)),
    });
  },
  mismatches: [],
  unmount: () => {
    flushSync(() => root?.unmount());
    root = undefined;
  },
  tiles: {},
  renders: {},
  react: version,
};
