// For apps that know early that they will connect.
import { loadWasm } from './wasm/load.js';

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
  await loadWasm().catch(() => undefined);
}
