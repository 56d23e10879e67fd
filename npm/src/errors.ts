// The one error class of the package, and its codes.
import type { ServerErrorCode } from './generated/protocol.js';

/** The codes the client makes itself, beside those of the server. */
export type ClientErrorCode =
  /** The server's address is not an `http(s)` or `ws(s)` URL. */
  | 'invalid-url'
  /** The slots are empty, repeated, negative, or lack a stream. */
  | 'invalid-slots'
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
  /** The WebSocket could not be opened, or was closed during the handshake. */
  | 'websocket-failed'
  /** The handshake took longer than `connectionTimeout`. */
  | 'connection-timeout'
  /** The connection broke while the call was waiting. */
  | 'connection-lost'
  /** The `RTCPeerConnection` refused the session, or no media path to the server was found. */
  | 'peer-failed'
  /** The server sent something that is not part of the protocol. */
  | 'bad-message'
  /** The server did not answer in time. */
  | 'timeout'
  /** The list of streams could not be had: the server is not there, wants its token, or does not let this page in. */
  | 'list-failed'
  /** The stream's source is down; the slot turns `active` by itself when it is back. */
  | 'source-offline'
  /** This environment has no WebRTC: Node, or a very old browser. */
  | 'unsupported'
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

  constructor(code: ErrorCode, message: string, slot?: number, kept = false) {
    super(message);
    this.code = code;
    this.slot = slot;
    this.kept = kept;
  }
}
