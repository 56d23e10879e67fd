// A connection as a React hook.
import { useMemo } from 'react';
import type { MultiStreamClient, MultiStreamError } from '../index.js';
import type { ClientOptions, ClientState, SlotConfig, SlotStatus, StallCause } from '../types.js';
import type { SwitchedStatus } from '../video/timing.js';
import type { Store } from './store.js';
import { useSelected, useStore } from './use-store.js';
import { lastError, type Reconnecting } from './view.js';

/**
 * What {@link useMultiStream} returns.
 *
 * @example
 * ```tsx
 * const { tracks, statuses, state }: MultiStream = useMultiStream(url, slots);
 * ```
 */
export interface MultiStream {
  /** The client, for everything the hook does not name. `null` before the first effect. */
  client: MultiStreamClient | null;
  /** The current track of each slot. */
  tracks: ReadonlyMap<number, MediaStreamTrack>;
  /** The last status of each slot. */
  statuses: ReadonlyMap<number, SlotStatus>;
  /** The slots whose picture stands still, and why. */
  stalled: ReadonlyMap<number, StallCause>;
  /** The state of the connection. */
  state: ClientState;
  /**
   * The last error; `null` again after the next success: a connection, a switch of the slot that it is about, or that slot's
   * picture. A refused switch (`kept`) is told here alone: the slot's status stays that of what it still shows.
   */
  error: MultiStreamError | null;
  /** The next attempt, and why the last one failed or the connection was lost; `null` once there is a connection. */
  reconnecting: Reconnecting | null;
  /**
   * Keeps a slot's picture in a video: `<video ref={videoRef(0)} />`. For one video per slot; `client.attach` takes more.
   */
  videoRef: (slot: number) => (video: HTMLVideoElement | null) => void;
  /**
   * Shows another camera in a slot, as {@link MultiStreamClient.switchStream}. It holds until the slot's entry in `slots` changes.
   */
  switchStream: (slot: number, stream: string, quality?: string) => Promise<SwitchedStatus>;
}

/**
 * A connection that lasts as long as the component. It is replaced when `url`, the token or the slots' indices
 * change; other streams or qualities in `slots` are switched on the same connection. A slot's entry counts when it changes: what
 * `switchStream` shows holds until then, also where other slots come and go. Unlike the client itself it also
 * retries the first connection until the server answers, pauses tiles that are out of sight, and fits qualities to tiles
 * (`retryConnect`, `pauseHidden` and `autoQuality`; `false` turns each of them off).
 *
 * @example
 * ```tsx
 * function Wall() {
 *   const { videoRef, statuses } = useMultiStream('https://device.example.com', [
 *     { slot: 0, stream: 'camera1' },
 *     { slot: 1, stream: 'camera2', quality: '720p' },
 *   ]);
 *   return [0, 1].map((slot) => (
 *     <figure key={slot}>
 *       <video ref={videoRef(slot)} />
 *       <figcaption>{statuses.get(slot)?.status ?? 'connecting'}</figcaption>
 *     </figure>
 *   ));
 * }
 * ```
 */
export function useMultiStream(
  url: string,
  slots: readonly SlotConfig[],
  options: ClientOptions = {},
): MultiStream {
  const store = useStore(url, slots, options);
  const view = useSelected(store, (view) => view);
  const videoRef = useMemo(() => refsOf(store), [store]);
  return useMemo(() => {
    const { client, tracks, statuses, stalled, state, reconnecting } = view;
    const { switchStream } = store;
    const error = lastError(view);
    return { client, tracks, statuses, stalled, state, reconnecting, error, videoRef, switchStream };
  }, [store, view, videoRef]);
}

/** One ref callback per slot, the same at every render: React calls the old and the new one whenever it changes. */
function refsOf(store: Store): MultiStream['videoRef'] {
  const refs = new Map<number, ReturnType<MultiStream['videoRef']>>();
  const make = (slot: number) => {
    let detach: (() => void) | undefined;
    return (video: HTMLVideoElement | null) => {
      detach?.();
      detach = video ? store.attach(slot, video) : undefined;
    };
  };
  return (slot) => {
    const ref = refs.get(slot) ?? make(slot);
    refs.set(slot, ref);
    return ref;
  };
}
