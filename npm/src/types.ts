// The types of what an app passes to the client and gets from it.
import type { KeyframeStatus, SlotState } from './generated/protocol.js';

export type { KeyframeStatus, SlotState };

/**
 * What a slot shall show.
 *
 * @example
 * ```ts
 * const slots: SlotConfig[] = [
 *   { slot: 0, stream: 'camera1' },
 *   { slot: 1, stream: 'camera2', quality: '720p' },
 * ];
 * ```
 */
export interface SlotConfig {
  /** Index of the slot, 0 or more. Each slot has its own track. */
  slot: number;
  /** Name of a stream in the server's configuration. */
  stream: string;
  /**
   * One of the stream's qualities, e.g. `'720p'`. `'native'`: the stream as it is. `'auto'`: the one that fits the pixels
   * of the attached video. Left out: `'auto'` with {@link ClientOptions.autoQuality}, else `'native'`.
   */
  quality?: string | undefined;
}

/**
 * What a slot shows: what the server reports, and that the picture was lost where the server cannot be heard.
 *
 * @example
 * ```ts
 * client.on('status', ({ slot, status }) => {
 *   if (status.status === 'offline') console.log(`slot ${slot}: ${status.stream} is offline`);
 * });
 * ```
 */
export interface SlotStatus {
  /** Index of the slot. */
  slot: number;
  /** The camera, as it was asked for: the caption of what is shown. */
  camera: string;
  /** The resolved stream name, e.g. `camera4-720p`. */
  stream: string;
  /** The quality as it was asked for; `'auto'` where the client chooses. */
  quality?: string;
  /** The quality being sent, once it is known. */
  actualQuality?: string;
  /** `active` means that the first key frame of this stream was sent, not merely that it was chosen. */
  status: SlotState;
  /**
   * Pictures of this camera are being shown: the status is `active`, and an `attach`ed video shows them as often as they should
   * come. `false` for a slot without an attached video. A `status` event tells when it changes.
   */
  live: boolean;
  /** A sentence for people. */
  error?: string;
  /**
   * A stable code for programs. `'bandwidth'`: the link is too slow for what was asked for, and `actualQuality`, or fewer
   * pictures, are sent instead. `'hidden'` for a pause that {@link ClientOptions.pauseHidden} made. `'connection-lost'` and
   * `'media-lost'`, by the client itself: the picture stands, since the server or its pictures cannot be reached.
   */
  reason?: string;
  /** Of an `error` that answers a request: the request was refused, and the slot goes on as it was before it. */
  kept?: boolean;
  /** `h264`, `h265`, `vp8`, `vp9` or `av1`. */
  codec?: string;
  /** Only key frames are sent, because the link is slow: about one in this many milliseconds. */
  pictureEveryMs?: number;
  /** Width of the picture in pixels. */
  width?: number;
  /** Height of the picture in pixels. */
  height?: number;
  /** Width to show the picture in, where its samples are not square: the browser shows it as if they were. */
  displayWidth?: number;
  /** Height to show the picture in, where its samples are not square. */
  displayHeight?: number;
  /** RTP timestamp of the stream's first key frame on this slot; `requestVideoFrameCallback` reports that of each picture. */
  rtpTimestamp?: number;
}

/**
 * Why a slot's picture stands still, by what the browser has received. `network`: nothing arrives on the whole connection.
 * `decoder`: the slot's packets arrive, but no pictures come of them. `source`: the server says that the camera fails, or sends
 * nothing for this slot on a connection that works.
 *
 * @example
 * ```ts
 * client.on('stalled', ({ slot, cause }) => console.log(slot, cause ?? 'moves again'));
 * ```
 */
export type StallCause = 'network' | 'decoder' | 'source';

/**
 * Called whenever a slot's status changes.
 *
 * @example
 * ```ts
 * const onStatus: StatusCallback = (slot, status) => console.log(slot, status.status);
 * ```
 */
export type StatusCallback = (slot: number, status: SlotStatus) => void;

/**
 * The state of a connection. It goes from `connected` to `reconnecting` and back by itself.
 *
 * @example
 * ```ts
 * client.on('state', ({ state }) => { banner.hidden = state === 'connected'; });
 * ```
 */
export type ClientState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/** The state of the control connection. @example `if (client.wsState === 'open') …` */
export type WebSocketState = 'connecting' | 'open' | 'closing' | 'closed';

/** The state of the media connection. @example `if (client.pcState === 'connected') …` */
export type PeerConnectionState = RTCPeerConnectionState;

/**
 * The delay before the next attempt after the connection was lost: milliseconds, or `null` to give up.
 *
 * @example
 * ```ts
 * const reconnect: ReconnectPolicy = ({ retry, defaultDelayMs }) => (retry < 20 ? defaultDelayMs : null);
 * ```
 */
export type ReconnectPolicy = (context: {
  /** How many attempts were made since the connection was lost. */
  retry: number;
  /** Why the connection was lost, for people. */
  reason: string;
  /** The client's own policy: 0, then twelve times 300 ms with up to 200 ms of jitter, then 1200, 2700, 4800
   * and 7000 ms with up to 1 s of it. */
  defaultDelayMs: number;
}) => number | null;

/**
 * Asks for an access token, such as a server of yours that knows its users and signs one for them.
 *
 * @example
 * ```ts
 * const token: TokenSource = async () => (await fetch('/camera-token', { method: 'POST' })).text();
 * ```
 */
export type TokenSource = () => Promise<string>;

/**
 * Options of a client. All are optional.
 *
 * @example
 * ```ts
 * const options: ClientOptions = { connectionTimeout: 5_000, token: 'secret' };
 * ```
 */
export interface ClientOptions {
  /** The configuration of the `RTCPeerConnection`. The server's ICE servers are added to yours. */
  pcConfig?: RTCConfiguration | undefined;
  /** How long a handshake, and the answer to a call, may take, in milliseconds. Default 10 000. */
  connectionTimeout?: number | undefined;
  /**
   * The server's access token. A function is asked for one when it is needed: before the first connection, before a signed
   * token (a JSON Web Token) expires, and when the server refuses the one before. The connection goes on meanwhile.
   */
  token?: string | TokenSource | undefined;
  /** The delays between attempts after a loss; `false`: no attempts. Default: attempts without end, at growing delays. */
  reconnect?: ReconnectPolicy | false | undefined;
  /** Retry the very first connection too, by the same policy. Default `false`: `connect` rejects. */
  retryConnect?: boolean | undefined;
  /**
   * Pause a slot when its attached video was out of sight for 2 s, and resume it as soon as it is visible. A pause of your own
   * is never ended. Slots that never had a video attached are not paused, nor those of a video that never was in the page.
   * Default `false`; in the React hook `true`.
   */
  pauseHidden?: boolean | undefined;
  /**
   * Treat slots without a quality as `'auto'`: each is shown in the smallest of its stream's qualities that fills the
   * attached video, and in another when the video's size changes. Default `false`; in the React hook `true`.
   */
  autoQuality?: boolean | undefined;
  /** Log every message's type to the console. */
  debug?: boolean | undefined;
}

/**
 * Options of one `switchMany`.
 *
 * @example
 * ```ts
 * await client.switchMany(nextPage, { atomic: true });
 * ```
 */
export interface SwitchManyOptions {
  /**
   * All slots change at the same moment, once a key frame of every stream is there; if one of them cannot be shown, none
   * changes and the call rejects. Default `false`: each slot changes as soon as it can, and one that cannot be shown
   * leaves the others alone.
   */
  atomic?: boolean | undefined;
}

/**
 * Options of one `connect`.
 *
 * @example
 * ```ts
 * const abort = new AbortController();
 * await client.connect(slots, undefined, { signal: abort.signal });
 * ```
 */
export interface ConnectOptions {
  /** Ends the connection, also while the handshake is under way. */
  signal?: AbortSignal | undefined;
}
