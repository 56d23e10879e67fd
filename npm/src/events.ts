// What a client tells an app, as one discriminated union.
import type { MultiStreamError } from './errors.js';
import type { ClientState, SlotStatus } from './types.js';
import type { SwitchedStatus } from './video/timing.js';

/**
 * Everything a client tells. `type` says which.
 *
 * @example
 * ```ts
 * function log(event: ClientEvent) {
 *   if (event.type === 'reconnecting') console.log(`next try in ${event.delayMs} ms: ${event.reason}`);
 * }
 * ```
 */
export type ClientEvent =
  | { type: 'state'; state: ClientState }
  /** A slot's status changed. */
  | { type: 'status'; slot: number; status: SlotStatus }
  /** A switch that the app asked for is done, and took this long. */
  | { type: 'switched'; slot: number; status: SwitchedStatus }
  /** A slot has this track from now on: at first, and after a reconnect. */
  | { type: 'track'; slot: number; track: MediaStreamTrack }
  /** The connection is gone; the next try is `delayMs` away. */
  | { type: 'reconnecting'; retry: number; delayMs: number; reason: string }
  /** It is back, with the same slots. */
  | { type: 'reconnected'; tracks: Map<number, MediaStreamTrack> }
  /** It is over, and nothing is tried any more. */
  | { type: 'disconnected'; reason: string }
  /** Something went wrong that no call was waiting for. */
  | { type: 'error'; error: MultiStreamError };

/** The name of an event. @example `const type: ClientEventType = 'status';` */
export type ClientEventType = ClientEvent['type'];

/** The event of this name. @example `function onTrack(event: ClientEventOf<'track'>) { … }` */
export type ClientEventOf<T extends ClientEventType> = Extract<ClientEvent, { type: T }>;
