// What wasm-bindgen generates from client-wasm/src/api.rs, typed by hand: its own typings know only `any`.
import type { ClientEvent } from '../events.js';
import type { Streams } from '../generated/protocol.js';
import type {
  ClientState,
  KeyframeStatus,
  PeerConnectionState,
  SlotConfig,
  SlotStatus,
  WebSocketState,
} from '../types.js';
import type { Guard } from './guard.js';

export interface Hooks {
  event(event: ClientEvent): void;
  error(code: string, message: string, slot: number | undefined, kept: boolean): Error;
  /** Reads what the connection has received, and passes it to `Core.received`. */
  look(attempt: number, pc: RTCPeerConnection, tracks: ReadonlyMap<number, MediaStreamTrack>): void;
  /** Why a WebSocket at this address did not open: a code, a space and a sentence for people. */
  refusal(socketUrl: string): Promise<string>;
  reconnectDelay(retry: number, reason: string, defaultMs: number): number | null | undefined;
}

export interface Settings {
  serverUrl: string;
  pcConfig: RTCConfiguration | undefined;
  connectionTimeoutMs: number;
  retryConnect: boolean;
  /** Make a connection again on which nothing arrives. */
  keepsWatch: boolean;
  /** While reconnecting, ask the server whether it listens again instead of sitting out the pause. */
  knock: boolean;
  debug: boolean;
}

/** A slot as the core takes it. */
export interface ChosenSlot extends SlotConfig {
  /** The quality that the app asked for, where `quality` was chosen for it. Statuses contain it as their `quality`. */
  asked?: string | undefined;
}

/** What a slot shall show, by the last call that was not refused. */
export interface Wish extends Omit<ChosenSlot, 'slot'> {
  paused: boolean;
  /** Of a pause that was not the app's. The status `paused` contains it. */
  reason?: string;
}

export class Core {
  constructor(settings: Settings, hooks: Hooks);
  connect(slots: readonly ChosenSlot[], token: string | undefined): Promise<Map<number, MediaStreamTrack>>;
  switchStream(slot: number, stream: string, quality?: string, asked?: string): Promise<SlotStatus>;
  switchMany(slots: readonly ChosenSlot[], atomic: boolean): Promise<SlotStatus[]>;
  pause(slot: number, reason?: string): Promise<SlotStatus>;
  resume(slot: number): Promise<SlotStatus>;
  requestKeyframe(slot: number): Promise<KeyframeStatus>;
  warm(stream: string, quality?: string): Promise<string>;
  /** Goes on with another token, on this connection and on those that follow it. */
  renew(token: string): void;
  setPriority(slot: number, priority: number): void;
  /** `undefined` for a slot that connect() did not name. */
  wish(slot: number): Wish | undefined;
  disconnect(): void;
  wake(): void;
  /** What `readArrivals` has read. */
  received(attempt: number, numbers: Float64Array): void;
  receiver(slot: number): RTCRtpReceiver | undefined;
  readonly state: ClientState;
  readonly isConnected: boolean;
  readonly wsState: WebSocketState;
  readonly pcState: PeerConnectionState;
}

/** One instance of the module, with variables of its own. */
export interface Glue {
  init(options: { module_or_path: URL | Uint8Array }): Promise<unknown>;
  Core: typeof Core;
  fetchStreams: typeof fetchStreams;
}

/** `GET /api/streams` of the server; `undefined` when there is no such answer within 2 s. */
declare function fetchStreams(serverUrl: string, token: string | undefined): Promise<Streams | undefined>;

/** By scripts/build.mjs around what wasm-bindgen generates. */
export function makeGlue(guard: Guard): Glue;
