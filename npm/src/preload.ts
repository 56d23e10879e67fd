// Loads the WebAssembly module early, for apps that know that they will connect.
import { loadWasm } from './wasm/load.js';

/**
 * Loads the WebAssembly module before the first `connect` needs it, so that it downloads along with the rest of the page. Never
 * rejects: `connect` reports what is wrong.
 *
 * @example
 * ```ts
 * preload(); // as early as the page's script runs
 * ```
 */
export async function preload(): Promise<void> {
  await loadWasm().catch(() => undefined);
}
