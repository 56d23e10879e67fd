// A store that lives as long as the component that has it, and components that read one.
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ClientOptions, SlotConfig } from '../types.js';
import { Store } from './store.js';
import { NOTHING, type View } from './view.js';

/** The store of this component. Its connection is replaced when the address, the token or the slots' indices change. */
export function useStore(url: string, slots: readonly SlotConfig[], options: ClientOptions): Store {
  const [store] = useState(() => new Store());
  const indices = slots
    .map(({ slot }) => slot)
    .sort((a, b) => a - b)
    .join();
  const asks = typeof options.token === 'function';
  const token = asks ? undefined : options.token;
  // First, so that a new connection begins with what was rendered now.
  useEffect(() => store.render(slots, options));
  // The others are read by `render`: they are what a connection is made with.
  useEffect(() => store.open(url), [store, url, indices, asks, token]);
  return store;
}

/** A part of what the store has: the component is rendered again when this part changes, and only then. */
export function useSelected<T>(store: Store, select: (view: View) => T): T {
  return useSyncExternalStore(
    store.subscribe,
    () => select(store.view),
    () => select(NOTHING),
  );
}
