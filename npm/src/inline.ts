// The entry for tools that cannot ship a .wasm file: the module is inside the script (a third larger).
import { Client } from './client.js';
import type { ClientOptions } from './types.js';
import { wasmBase64 } from './wasm/bytes.js';
import { loadWasm, provideInline } from './wasm/load.js';

export * from './api.js';

const inThis = () => Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));

// For an app that imports this file for the React entry's sake only.
provideInline(inThis);

/** The same as `MultiStreamClient` of the main entry. */
export class MultiStreamClient extends Client {
  /** @param serverUrl The device's address, e.g. `https://device.example.com` or `https://example.com/base`. */
  constructor(serverUrl: string | URL, options?: ClientOptions) {
    provideInline(inThis);
    super(serverUrl, options);
  }
}

/** The same as `preload` of the main entry. */
export async function preload(): Promise<void> {
  provideInline(inThis);
  await loadWasm().catch(() => undefined);
}
