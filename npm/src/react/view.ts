// What a connection shows, as one value that is never changed: React compares its parts to know what to render again.
import type { MultiStreamClient, MultiStreamError } from '../index.js';
import type { Camera } from '../streams.js';
import type { ClientState, SlotConfig, SlotStatus, StallCause } from '../types.js';

/** The next attempt, and why the last one failed or the connection was lost. */
export interface Reconnecting {
  retry: number;
  delayMs: number;
  reason: string;
}

export interface View {
  /** `null` before the first effect, and on a server. */
  client: MultiStreamClient | null;
  tracks: ReadonlyMap<number, MediaStreamTrack>;
  statuses: ReadonlyMap<number, SlotStatus>;
  stalled: ReadonlyMap<number, StallCause>;
  state: ClientState;
  /** What is not mended yet, the newest last: by slot, and under `undefined` what is about the whole connection. */
  errors: ReadonlyMap<number | undefined, MultiStreamError>;
  reconnecting: Reconnecting | null;
  /** `undefined` until the server has answered. */
  streams: readonly Camera[] | undefined;
  streamsError: MultiStreamError | null;
}

/** What is there while nothing is connected, and while rendering on a server. */
export const NOTHING: View = {
  client: null,
  tracks: new Map(),
  statuses: new Map(),
  stalled: new Map(),
  state: 'idle',
  errors: new Map(),
  reconnecting: null,
  streams: undefined,
  streamsError: null,
};

/** Whether the slot's picture moves now. */
export function isLive({ statuses }: View, slot: number): boolean {
  return statuses.get(slot)?.live ?? false;
}

/** The newest of the errors. */
export function lastError({ errors }: View): MultiStreamError | null {
  return [...errors.values()].at(-1) ?? null;
}

export function withError(view: View, error: MultiStreamError): Partial<View> {
  const errors = new Map(view.errors);
  // Taken out first, so that it becomes the newest.
  errors.delete(error.slot);
  return { errors: errors.set(error.slot, error) };
}

export function withoutError(view: View, slot: number | undefined): Partial<View> {
  if (!view.errors.has(slot)) return {};
  const errors = new Map(view.errors);
  errors.delete(slot);
  return { errors };
}

export function sameWish(a: SlotConfig | undefined, b: SlotConfig): boolean {
  return a?.slot === b.slot && a.stream === b.stream && a.quality === b.quality;
}
