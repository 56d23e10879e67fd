// The one error class of the package, and its codes.
import type { ServerErrorCode } from './generated/protocol.js';

/** The codes the client makes itself, beside those of the server. */
export type ClientErrorCode =
  /** The server's address is missing, or not an `http(s)` or `ws(s)` URL with its scheme. */
  | 'invalid-url'
  /** The slots are empty, repeated, negative, or lack a stream. */
  | 'invalid-slots'
  /** Something else that was passed to a call is not what the call takes. */
  | 'invalid-argument'
  /** `connect` was called twice. */
  | 'already-connected'
  /** The call needs a connection: call `connect` first. */
  | 'not-connected'
  /** The connection has no such slot. */
  | 'unknown-slot'
  /** A later call for the same slot overrode this one. */
  | 'superseded'
  /** `disconnect()` or an `AbortSignal` ended the call. */
  | 'aborted'
  /** The server wants a token or password, or does not know the one that was given. */
  | 'unauthorized'
  /** The server lets no page of this origin in: its `api.origin` does not name it. */
  | 'origin-refused'
  /** Nothing answers at the server's address, or what answers is no such server. */
  | 'unreachable'
  /** The page came by https and the server's address is http: the browser refuses that. */
  | 'mixed-content'
  /** The page's own Content-Security-Policy forbids the server's address, or WebAssembly. */
  | 'csp-blocked'
  /** The WebSocket was closed during the handshake, or did not open for a cause that could not be found out. */
  | 'websocket-failed'
  /** The handshake took longer than `connectionTimeout`. */
  | 'connection-timeout'
  /** The connection broke while the call was waiting. */
  | 'connection-lost'
  /** The `RTCPeerConnection` refused the session. */
  | 'peer-failed'
  /** The server answers, but no path for its pictures was found: a firewall, or its addresses are wrong (`webrtc.candidates`). */
  | 'media-unreachable'
  /** The server sent something that is not part of the protocol. */
  | 'bad-message'
  /** The server did not answer in time. */
  | 'timeout'
  /** The list of streams could not be had: the server is not there, wants its token, or does not let this page in. */
  | 'list-failed'
  /** The stream's source is down; the slot turns `active` by itself when it is back. */
  | 'source-offline'
  /** This environment has no WebRTC: Node, a very old browser, or one in which it is switched off. */
  | 'no-webrtc'
  /** This environment has no WebAssembly: a very old browser, or one in which it is switched off. */
  | 'no-wasm'
  /** The WebAssembly module could not be loaded. */
  | 'wasm-failed'
  /** The WebAssembly of the package crashed, a fault of this package. The next `connect` starts it anew. */
  | 'client-crashed';

/**
 * Every code of a {@link MultiStreamError}.
 *
 * @example
 * ```ts
 * const ignorable: ErrorCode[] = ['superseded', 'aborted'];
 * ```
 */
export type ErrorCode = ClientErrorCode | ServerErrorCode;

/** The codes of what may pass without anyone changing anything. */
const PASSING: readonly ErrorCode[] = [
  'superseded',
  'aborted',
  'not-connected',
  'unreachable',
  'websocket-failed',
  'connection-timeout',
  'connection-lost',
  'peer-failed',
  'media-unreachable',
  'timeout',
  'source-offline',
  'switch-timeout',
  'limit-reached',
  'bandwidth',
  'wasm-failed',
  'client-crashed',
];

/**
 * What every promise of the package is rejected with.
 *
 * @example
 * ```ts
 * try {
 *   await client.switchStream(0, 'camera7');
 * } catch (error) {
 *   if (error instanceof MultiStreamError && error.code === 'superseded') return; // the user clicked again
 *   throw error;
 * }
 * ```
 */
export class MultiStreamError extends Error {
  override readonly name = 'MultiStreamError';
  /** A stable code for programs; `message` is the sentence for people. */
  readonly code: ErrorCode;
  /** The slot that the error is about; `undefined` if it is about the whole call. */
  readonly slot: number | undefined;
  /** The call was refused and changed nothing: every slot goes on as it was before it. */
  readonly kept: boolean;
  /** The server's address, without what may be a secret in it. */
  readonly url: string | undefined;
  /**
   * The same call fails again until somebody changes something: the address, the token, the page, the server's configuration or the
   * program. Nothing fatal is retried. It says nothing of a connection that there is: after a call that was refused that goes on.
   */
  readonly fatal: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    slot?: number,
    kept = false,
    { url, cause }: { url?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.url = url;
    this.fatal = !PASSING.includes(code);
    this.slot = slot;
    this.kept = kept;
  }
}
