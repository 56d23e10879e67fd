// The public API that every entry of the package exports, and that is the same in each.
export { type ClientErrorCode, type ErrorCode, MultiStreamError } from './errors.js';
export type { ClientEvent, ClientEventOf, ClientEventType } from './events.js';
export type { ServerErrorCode, StreamState, Variant } from './generated/protocol.js';
export { type Logger, type LogLevel, setLogger, setLogLevel } from './log.js';
export type { Camera } from './streams.js';
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
  StallCause,
  StatusCallback,
  SwitchManyOptions,
  TokenSource,
  WebSocketState,
} from './types.js';
export type { ConnectionPath } from './video/path.js';
export type { SlotStats } from './video/stats.js';
export type { SwitchedStatus, SwitchTiming } from './video/timing.js';
