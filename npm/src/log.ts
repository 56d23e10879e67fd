// What the client tells whoever develops with it.
import type { ClientEvent } from './events.js';

/**
 * How much is logged. Each level has what those after it have:
 * - `debug`: every event: each status, track and switch.
 * - `info`: the life of the connection, cameras that fail, pictures that stand and move again.
 * - `warn`, the default: a call that was refused, and nobody caught its rejection.
 * - `error`: code of the app that threw: a handler, a callback, its `token` function.
 * - `off`: nothing.
 *
 * @example
 * ```ts
 * const level: LogLevel = import.meta.env.DEV ? 'info' : 'error';
 * ```
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off';

/** Where lines go. `console` is one. @example `const logger: Logger = console;` */
export type Logger = Record<Exclude<LogLevel, 'off'>, (message: string, ...details: unknown[]) => void>;

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'off'];
let level: LogLevel = 'warn';
let logger: Logger | undefined;

/**
 * Says how much all clients of the page log.
 *
 * @example
 * ```ts
 * setLogLevel('info');
 * ```
 */
export function setLogLevel(to: LogLevel): void {
  level = to;
}

/**
 * Says where all clients of the page log: the console, if it is not called.
 *
 * @example
 * ```ts
 * setLogger({ ...console, error: (message, ...details) => console.trace(message, ...details) });
 * ```
 */
export function setLogger(to: Logger): void {
  logger = to;
}

export function log(at: Exclude<LogLevel, 'off'>, message: string, ...details: unknown[]): void {
  if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return;
  try {
    (logger ?? console)[at](`multistream: ${message}`, ...details);
  } catch {
    // The app's own. There is nowhere to say so.
  }
}

/** Logs an event that an app can handle too. */
export function logEvent(event: ClientEvent): void {
  const { type } = event;
  const fails = type === 'status' && ['offline', 'error'].includes(event.status.status);
  const isRoutine = ['status', 'stalled', 'switched', 'track'].includes(type) && !fails;
  log(isRoutine ? 'debug' : 'info', type, event);
}
