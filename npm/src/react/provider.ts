// One connection for a tree of components, each of which reads the part that it shows.
import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo } from 'react';
import type { MultiStreamClient, MultiStreamError } from '../index.js';
import type { Camera } from '../streams.js';
import type { ClientOptions, ClientState, SlotConfig, SlotStatus, TokenSource } from '../types.js';
import type { SwitchedStatus } from '../video/timing.js';
import type { Store } from './store.js';
import { useSelected, useStore } from './use-store.js';
import { isLive, type Reconnecting } from './view.js';

const Context = createContext<Store | null>(null);

/**
 * Properties of a {@link MultiStreamProvider}.
 *
 * @example
 * ```tsx
 * const props: MultiStreamProviderProps = { url: 'https://device.example.com', slots };
 * ```
 */
export interface MultiStreamProviderProps {
  /** The device's address. */
  url: string;
  /** The access token; the same as in `options`, where it may stand too. */
  token?: string | TokenSource | undefined;
  /** What each slot shows. A slot's entry counts when it changes; a tile's `switchTo` holds until then. */
  slots: readonly SlotConfig[];
  /** As for {@link MultiStreamClient}, with the defaults of {@link useMultiStream}. */
  options?: ClientOptions | undefined;
  children?: ReactNode;
}

/**
 * One connection for all components below it, as long as it is mounted.
 *
 * @example
 * ```tsx
 * function Tile({ slot }: { slot: number }) {
 *   const { ref, status, live } = useTile(slot);
 *   return (
 *     <figure>
 *       <video ref={ref} />
 *       <figcaption>{live ? 'live' : (status?.status ?? 'connecting')}</figcaption>
 *     </figure>
 *   );
 * }
 *
 * <MultiStreamProvider url="https://device.example.com" slots={[{ slot: 0, stream: 'camera1' }]}>
 *   <Tile slot={0} />
 * </MultiStreamProvider>
 * ```
 */
export function MultiStreamProvider(props: MultiStreamProviderProps): ReactNode {
  const { url, token, slots, options = {}, children } = props;
  const store = useStore(url, slots, token === undefined ? options : { ...options, token });
  return createElement(Context.Provider, { value: store }, children);
}

function useContextStore(): Store {
  const store = useContext(Context);
  if (store === null) throw new Error('There is no <MultiStreamProvider> above this component.');
  return store;
}

/**
 * What {@link useTile} returns.
 *
 * @example
 * ```tsx
 * const { ref, live }: Tile = useTile(0);
 * ```
 */
export interface Tile {
  /** For one `<video>`, which shows the slot's picture. Two tiles of one slot have a video each. */
  ref: (video: HTMLVideoElement | null) => void;
  /** The slot's last status. */
  status: SlotStatus | undefined;
  /** Whether the picture moves now. */
  live: boolean;
  /** What went wrong with this slot, until its next success. */
  error: MultiStreamError | null;
  /** Shows another camera, as {@link MultiStreamClient.switchStream}. It holds until the slot's entry in `slots` changes. */
  switchTo: (stream: string, quality?: string) => Promise<SwitchedStatus>;
  /** As {@link MultiStreamClient.pause}. */
  pause: () => Promise<SlotStatus>;
  /** As {@link MultiStreamClient.resume}. */
  resume: () => Promise<SlotStatus>;
  /** Asks again for what the slot shall show; where the connection was given up, it is made again. */
  retry: () => void;
}

/**
 * One slot, for the component that shows it: it is rendered again when something of this slot changes, and not for the others.
 *
 * @example
 * ```tsx
 * const { ref, status, error, switchTo } = useTile(0);
 * return <video ref={ref} onClick={() => switchTo('camera7')} title={error?.message ?? status?.camera} />;
 * ```
 */
export function useTile(slot: number): Tile {
  const store = useContextStore();
  const status = useSlotStatus(slot);
  const live = useSelected(store, (view) => isLive(view, slot));
  const error = useSelected(store, (view) => view.errors.get(slot) ?? null);
  const calls = useMemo(() => {
    let detach: (() => void) | undefined;
    return {
      ref: (video: HTMLVideoElement | null) => {
        detach?.();
        detach = video ? store.attach(slot, video) : undefined;
      },
      switchTo: (stream: string, quality?: string) => store.switchStream(slot, stream, quality),
      pause: () => store.pause(slot),
      resume: () => store.resume(slot),
      retry: () => store.retry(slot),
    };
  }, [store, slot]);
  return useMemo(() => ({ ...calls, status, live, error }), [calls, status, live, error]);
}

/**
 * A slot's last status.
 *
 * @example
 * ```tsx
 * return <figcaption>{useSlotStatus(0)?.camera}</figcaption>;
 * ```
 */
export function useSlotStatus(slot: number): SlotStatus | undefined {
  return useSelected(useContextStore(), ({ statuses }) => statuses.get(slot));
}

/**
 * What {@link useConnection} returns.
 *
 * @example
 * ```tsx
 * const { state, error }: Connection = useConnection();
 * ```
 */
export interface Connection {
  /** The client, for everything the hooks do not name. `null` before the first effect. */
  client: MultiStreamClient | null;
  state: ClientState;
  /** What went wrong with the connection, until there is one again. What is about a slot is told by its tile. */
  error: MultiStreamError | null;
  /** The next attempt, and why the last one failed or the connection was lost; `null` once there is a connection. */
  reconnecting: Reconnecting | null;
  /** Connects again, where that was given up. */
  retry: () => void;
}

/**
 * The connection that all tiles share. No tile's status renders the component again.
 *
 * @example
 * ```tsx
 * const { state, error, reconnecting } = useConnection();
 * return <p role="alert">{reconnecting?.reason ?? error?.message ?? state}</p>;
 * ```
 */
export function useConnection(): Connection {
  const store = useContextStore();
  const client = useSelected(store, (view) => view.client);
  const state = useSelected(store, (view) => view.state);
  const error = useSelected(store, ({ errors }) => errors.get(undefined) ?? null);
  const reconnecting = useSelected(store, (view) => view.reconnecting);
  return useMemo(
    () => ({ client, state, error, reconnecting, retry: () => store.retry() }),
    [store, client, state, error, reconnecting],
  );
}

/**
 * What {@link useStreams} returns.
 *
 * @example
 * ```tsx
 * const { streams, refresh }: StreamList = useStreams();
 * ```
 */
export interface StreamList {
  /** The server's cameras; `undefined` until it has answered. After a failure the last list stays. */
  streams: readonly Camera[] | undefined;
  error: MultiStreamError | null;
  /** Asks again. */
  refresh: () => void;
}

/**
 * The server's cameras. They are asked for when the first component needs them, and again after each loss of the connection.
 *
 * @example
 * ```tsx
 * const { streams = [] } = useStreams();
 * return <select>{streams.map(({ name }) => <option key={name}>{name}</option>)}</select>;
 * ```
 */
export function useStreams(): StreamList {
  const store = useContextStore();
  const streams = useSelected(store, (view) => view.streams);
  const error = useSelected(store, (view) => view.streamsError);
  useEffect(() => store.wantStreams(), [store]);
  return useMemo(() => ({ streams, error, refresh: store.listStreams }), [store, streams, error]);
}
