// The core's settings, from the app's options.
import type { ClientOptions } from '../types.js';
import type { Settings } from './glue.js';

const DEFAULT_TIMEOUT_MS = 10_000;

export function settingsOf(serverUrl: string, options: ClientOptions): Settings {
  const { pcConfig, reconnect } = options;
  const { connectionTimeout = DEFAULT_TIMEOUT_MS, retryConnect = false, debug = false } = options;
  return {
    serverUrl: absolute(serverUrl),
    pcConfig,
    connectionTimeoutMs: connectionTimeout,
    retryConnect,
    keepsWatch: reconnect !== false,
    // A policy of the app's own is kept to.
    knock: reconnect === undefined,
    debug,
  };
}

/** The server's address may be relative to the page. What is no address is refused by the core. */
export function absolute(url: string): string {
  try {
    return new URL(url, globalThis.location?.href).href;
  } catch {
    return url;
  }
}
