// The main entry: the WebAssembly module is the file client.wasm beside this one.
import { Client } from './client.js';
import type { ClientOptions } from './types.js';
import { loadWasm, provideUrl } from './wasm/load.js';

export * from './api.js';

// Written out in full: this is the form that Vite, webpack and plain browsers understand.
const besideThis = () => new URL('./client.wasm', import.meta.url);

/**
 * Many live cameras over one WebRTC connection. Each slot is one track that lives as long as the connection;
 * which camera it shows is switched without renegotiation.
 *
 * Every call that can be refused returns a promise that rejects with a {@link MultiStreamError}. Where nobody catches the
 * rejection it is a warning in the console, and nothing at all for `aborted` and `superseded`.
 *
 * @example
 * ```ts
 * const client = new MultiStreamClient('https://device.example.com');
 * const tracks = await client.connect(
 *   [{ slot: 0, stream: 'camera1' }, { slot: 1, stream: 'camera2', quality: '720p' }],
 *   (slot, status) => console.log(slot, status.status),
 * );
 * video.srcObject = new MediaStream([tracks.get(0)!]);
 * await client.switchStream(0, 'camera7', '1080p');
 * client.disconnect();
 * ```
 */
export class MultiStreamClient extends Client {
  /**
   * Makes a client. Nothing is loaded or opened before `connect`, so this is safe while rendering on a server.
   *
   * @param serverUrl The device's address, e.g. `https://device.example.com` or `https://example.com/base`.
   *
   * @example
   * ```ts
   * const client = new MultiStreamClient('http://127.0.0.1:1984', { connectionTimeout: 5_000, debug: true });
   * ```
   */
  constructor(serverUrl: string | URL, options?: ClientOptions) {
    // Said by what an app imports and not by this file as it is loaded: a bundler may drop whatever else a file does.
    provideUrl(besideThis);
    super(serverUrl, options);
  }
}

/**
 * Loads the WebAssembly module before the first `connect` needs it, so that it comes along with the rest of the page.
 * Never rejects: what is wrong is told by `connect`.
 *
 * @example
 * ```ts
 * preload(); // as early as the page's script runs
 * ```
 */
export async function preload(): Promise<void> {
  provideUrl(besideThis);
  await loadWasm().catch(() => undefined);
}
