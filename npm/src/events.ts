// The events of a client, as one discriminated union.
import type { MultiStreamError } from './errors.js';
import type { ClientState, SlotStatus, StallCause } from './types.js';
import type { SwitchedStatus } from './video/timing.js';

/**
 * Every event of a client. `type` says which one it is.
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
  /** A slot's status changed, or its picture began or ceased to be live. */
  | { type: 'status'; slot: number; status: SlotStatus }
  /** A slot's picture stands still, for this reason; `null`: it moves again, or need not. */
  | { type: 'stalled'; slot: number; cause: StallCause | null }
  /**
   * The picture that an attached video shows stands although it should move, and is `sinceMs` old. The cause is `null` while it is
   * not known; the event comes again when it is.
   */
  | { type: 'frozen'; slot: number; sinceMs: number; cause: StallCause | null }
  /** A frozen picture moves again, is gone, or need not move; it stood for `sinceMs` milliseconds. */
  | { type: 'thawed'; slot: number; sinceMs: number; cause: StallCause | null }
  /** A switch that the app asked for is done, and took this long. */
  | { type: 'switched'; slot: number; status: SwitchedStatus }
  /** A slot has this track from now on: after the first connection, and after a reconnect. */
  | { type: 'track'; slot: number; track: MediaStreamTrack }
  /**
   * The connection is lost, or the first one could not be made (`retryConnect`); the next attempt starts after `delayMs`.
   * `reason` is the message of `error`.
   */
  | { type: 'reconnecting'; retry: number; delayMs: number; reason: string; error: MultiStreamError }
  /** The connection is back, with the same slots. */
  | { type: 'reconnected'; tracks: Map<number, MediaStreamTrack> }
  /** The connection has ended, and no further attempt will be made. */
  | { type: 'disconnected'; reason: string }
  /** Something went wrong that no call was waiting for. */
  | { type: 'error'; error: MultiStreamError };

/** The name of an event. @example `const type: ClientEventType = 'status';` */
export type ClientEventType = ClientEvent['type'];

/** The event of this name. @example `function onTrack(event: ClientEventOf<'track'>) { … }` */
export type ClientEventOf<T extends ClientEventType> = Extract<ClientEvent, { type: T }>;
