// The core's settings, from the app's options.
import type { ClientOptions } from '../types.js';
import type { Settings } from './glue.js';

const DEFAULT_TIMEOUT_MS = 10_000;

export function settingsOf(serverUrl: URL, options: ClientOptions): Settings {
  const { pcConfig, reconnect } = options;
  const { connectionTimeout = DEFAULT_TIMEOUT_MS, retryConnect = false, debug = false } = options;
  return {
    serverUrl: serverUrl.href,
    pcConfig,
    connectionTimeoutMs: connectionTimeout,
    retryConnect,
    keepsWatch: reconnect !== false,
    // A policy of the app's own is kept to.
    knock: reconnect === undefined,
    debug,
  };
}
