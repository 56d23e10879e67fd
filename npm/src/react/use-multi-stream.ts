// A connection as a React hook.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Call } from '../call.js';
import { type ClientOptions, type ClientState, MultiStreamClient, MultiStreamError } from '../index.js';
import type { SlotConfig, SlotStatus, StallCause, TokenSource } from '../types.js';
import type { SwitchedStatus } from '../video/timing.js';

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
  reconnecting: { retry: number; delayMs: number; reason: string } | null;
  /**
   * Keeps a slot's picture in a video: `<video ref={videoRef(0)} />`. For one video per slot; `client.attach` takes more.
   */
  videoRef: (slot: number) => (video: HTMLVideoElement | null) => void;
  /** Shows another camera in a slot, as {@link MultiStreamClient.switchStream}. */
  switchStream: (slot: number, stream: string, quality?: string) => Promise<SwitchedStatus>;
}

interface View {
  client: MultiStreamClient | null;
  tracks: ReadonlyMap<number, MediaStreamTrack>;
  statuses: ReadonlyMap<number, SlotStatus>;
  stalled: ReadonlyMap<number, StallCause>;
  state: ClientState;
  error: MultiStreamError | null;
  reconnecting: MultiStream['reconnecting'];
}

const NOTHING: View = {
  client: null,
  tracks: new Map(),
  statuses: new Map(),
  stalled: new Map(),
  state: 'idle',
  error: null,
  reconnecting: null,
};

/** The pause before a new connection after a crash of the client, so that one that crashes each time does no harm. */
const CRASHED_MS = 2_000;

/**
 * A connection that lasts as long as the component. It is replaced when `url`, the token or the slots' indices
 * change; other streams or qualities in `slots` are switched on the same connection. Unlike the client itself it also
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
  const [view, setView] = useState(NOTHING);
  const latest = useRef({ slots, options });
  latest.current = { slots, options };
  /** The slots that were last sent to the client. */
  const shown = useRef<readonly SlotConfig[]>([]);

  const indices = slots
    .map(({ slot }) => slot)
    .sort((a, b) => a - b)
    .join();
  const asks = typeof options.token === 'function';
  const token = asks ? undefined : options.token;
  useEffect(() => {
    if (indices === '') return;
    const options = withDefaults(latest.current.options);
    // The function of the latest render: another one each time is no other token.
    if (asks) options.token = () => (latest.current.options.token as TokenSource)();
    const client = new MultiStreamClient(url, options);
    let mounted = true;
    let restart: ReturnType<typeof setTimeout> | undefined;
    const update = (change: (view: View) => Partial<View>) => {
      if (mounted) setView((view) => ({ ...view, ...change(view) }));
    };
    client.on('state', ({ state }) =>
      update(() => (state === 'connected' ? { state, error: null, reconnecting: null } : { state })),
    );
    client.on('status', ({ slot, status }) => {
      // A refusal says nothing of what the slot goes on to show.
      if (status.kept) return;
      update(({ statuses, error }) => ({
        statuses: new Map(statuses).set(slot, status),
        error: status.status === 'active' && error?.slot === slot && !error.kept ? null : error,
      }));
    });
    client.on('switched', ({ slot }) =>
      update(({ error }) => ({ error: (error?.slot ?? slot) === slot ? null : error })),
    );
    client.on('stalled', () => update(() => ({ stalled: new Map(client.stalled) })));
    client.on('track', ({ slot, track }) =>
      update(({ tracks }) => ({ tracks: new Map(tracks).set(slot, track) })),
    );
    client.on('reconnecting', ({ retry, delayMs, reason }) =>
      update(() => ({ reconnecting: { retry, delayMs, reason } })),
    );
    const connect = () => {
      const { slots } = latest.current;
      shown.current = slots;
      client
        .connect(slots)
        .catch((error: unknown) => update(() => ({ error: asError(error), state: 'disconnected' })));
    };
    client.on('error', ({ error }) => {
      update(() => ({ error }));
      // After any other error the client reconnects by itself.
      if (error.code === 'client-crashed' && options.retryConnect) restart = setTimeout(connect, CRASHED_MS);
    });
    setView({ ...NOTHING, client, state: 'connecting' });
    connect();
    return () => {
      mounted = false;
      clearTimeout(restart);
      client.disconnect();
      setView(NOTHING);
    };
  }, [url, indices, asks, token]);

  const { client, state } = view;
  useEffect(() => {
    if (client === null || (state !== 'connected' && state !== 'reconnecting')) return;
    const changed = slots.filter((wish) => !shown.current.some((old) => sameWish(old, wish)));
    shown.current = slots;
    if (changed.length === 0) return;
    client.switchMany(changed).catch((error: unknown) => {
      const { code } = asError(error);
      // `superseded` by a later change, or `aborted` since the connection has ended: the app need not be told.
      if (code !== 'superseded' && code !== 'aborted')
        setView((view) => ({ ...view, error: asError(error) }));
    });
  });

  const switchStream = useCallback(
    (slot: number, stream: string, quality?: string) =>
      client?.switchStream(slot, stream, quality) ??
      Call.of<SwitchedStatus>(
        Promise.reject(new MultiStreamError('not-connected', 'The connection is not there yet.', slot, true)),
      ),
    [client],
  );
  const videoRef = useMemo(() => refsOf(client), [client]);
  return useMemo(() => ({ ...view, videoRef, switchStream }), [view, videoRef, switchStream]);
}

/** One ref callback per slot, the same at every render: React calls the old and the new one whenever it changes. */
function refsOf(client: MultiStreamClient | null): MultiStream['videoRef'] {
  const refs = new Map<number, ReturnType<MultiStream['videoRef']>>();
  const make = (slot: number) => {
    let detach: (() => void) | undefined;
    return (video: HTMLVideoElement | null) => {
      detach?.();
      detach = video && client ? client.attach(slot, video) : undefined;
    };
  };
  return (slot) => {
    const ref = refs.get(slot) ?? make(slot);
    refs.set(slot, ref);
    return ref;
  };
}

/** The options' defaults in the hook, where they differ from those of the client. */
function withDefaults(options: ClientOptions): ClientOptions {
  const { retryConnect = true, pauseHidden = true, autoQuality = true } = options;
  return { ...options, retryConnect, pauseHidden, autoQuality };
}

function sameWish(a: SlotConfig, b: SlotConfig): boolean {
  return a.slot === b.slot && a.stream === b.stream && a.quality === b.quality;
}

function asError(error: unknown): MultiStreamError {
  return error instanceof MultiStreamError ? error : new MultiStreamError('client-crashed', String(error));
}
