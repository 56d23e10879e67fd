// Checks what an app passes to the client, which in JavaScript may be anything: what is wrong is an error that says what was
// expected, where the code behind would otherwise throw whatever it stumbles over.
import { type ErrorCode, MultiStreamError } from './errors.js';
import type { ClientOptions, ConnectOptions } from './types.js';

/** The server's address, an `http(s)` or `ws(s)` URL. Throws where it is none. */
export function address(url: unknown): URL {
  const text = String(url ?? '');
  try {
    const parsed = new URL(text);
    if (/^(http|ws)s?:$/.test(parsed.protocol)) return parsed;
  } catch {}
  // A password, or a token in the query, stays out of it.
  const shown = text.replace(/^.*@|[?#].*/gs, '');
  throw wrong(
    "The server's address is a URL with its scheme, like https://device.example.com",
    shown,
    'invalid-url',
  );
}

/** What a client is made with, and where. */
export function connection(url: unknown, given: unknown): void {
  if (typeof RTCPeerConnection === 'undefined') {
    throw new MultiStreamError('no-webrtc', 'There is no WebRTC here: connect() works in browsers only.');
  }
  address(url);
  options(given);
  const { connectionTimeout: timeout = 1, token = '', reconnect } = given as ClientOptions;
  expect(
    typeof timeout === 'number' && timeout > 0,
    '`connectionTimeout` is a number of milliseconds',
    timeout,
  );
  // Its type alone is said: it may be a secret.
  expect(typeof token === 'string' || isFunction(token), '`token` is a string or a function', typeof token);
  expect(!reconnect || isFunction(reconnect), '`reconnect` is a function or false', reconnect);
}

/** What `connect` is called with. */
export function connect(given: unknown, onStatus: unknown, connectOptions: unknown): void {
  slots(given);
  if (onStatus != null) callable(onStatus);
  options(connectOptions);
  const { signal } = connectOptions as ConnectOptions;
  expect(signal == null || isFunction(signal.addEventListener), '`signal` is an AbortSignal', signal);
}

export function options(given: unknown): void {
  expect(typeof given === 'object' && given !== null, 'The options are an object', given);
}

export function slot(given: unknown): void {
  expect(isInteger(given) && given >= 0, 'A slot is an integer, 0 or more', given, 'unknown-slot');
}

/** What else an element has to be, the core says. */
export function slots(given: unknown): void {
  const isArray = Array.isArray(given) && given.every((element) => typeof element?.stream === 'string');
  expect(isArray, 'The slots are an array of { slot, stream, quality? }', given, 'invalid-slots');
}

export function stream(given: unknown, quality: unknown): void {
  expect(typeof given === 'string', 'A stream is a name', given);
  expect(quality == null || typeof quality === 'string', 'A quality is a name', quality);
}

export function priority(given: unknown): void {
  expect(isInteger(given), 'A priority is an integer', given);
}

export function callable(given: unknown): void {
  expect(isFunction(given), 'A handler is a function', given);
}

export function video(given: HTMLVideoElement | undefined): void {
  expect(isFunction(given?.play), 'What shows a slot is a <video>', given);
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** One that the core can take. */
function isInteger(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function expect(isRight: boolean, expected: string, given: unknown, code?: ErrorCode): void {
  if (!isRight) throw wrong(expected, given, code);
}

function wrong(expected: string, given: unknown, code: ErrorCode = 'invalid-argument'): MultiStreamError {
  // JSON knows no `undefined`, no functions and no circles; `String` does, but not every object.
  const shown =
    typeof given === 'object' && given ? 'such an object' : (JSON.stringify(given) ?? typeof given);
  return new MultiStreamError(code, `${expected}, and not ${shown}.`, undefined, true);
}
