// Everything public, whatever the entry.
export { MultiStreamClient } from './client.js';
export { type ClientErrorCode, type ErrorCode, MultiStreamError } from './errors.js';
export type { ClientEvent, ClientEventOf, ClientEventType } from './events.js';
export type { ConnectionPath } from './path.js';
export { preload } from './preload.js';
export type { ServerErrorCode } from './protocol.js';
export type { SlotStats } from './stats.js';
export type { SwitchedStatus, SwitchTiming } from './timing.js';
export type {
  ClientOptions,
  ClientState,
  ConnectOptions,
  KeyframeStatus,
  PeerConnectionState,
  ReconnectPolicy,
  SlotConfig,
  SlotState,
  SlotStatus,
  StatusCallback,
  WebSocketState,
} from './types.js';
