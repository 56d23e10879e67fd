// Finds out why the WebAssembly module could not be loaded.
import type { Diagnosis } from './diagnosis.js';
import { violationBy } from './violation.js';

export async function whyNotLoaded(cause: unknown, url: string | undefined): Promise<Diagnosis> {
  const detail = cause instanceof Error ? cause.message : String(cause);
  const directive = await violationBy('wasm-eval', 'eval', ...(url === undefined ? [] : [url]));
  if (directive || /Content.Security.Policy|\bCSP\b/i.test(detail)) {
    const message =
      "The Content-Security-Policy of this page forbids WebAssembly or its file: it needs `script-src 'wasm-unsafe-eval'`, and the " +
      "origin of client.wasm in `connect-src`, mostly `'self'` (docs/npm.md).";
    return { code: 'csp-blocked', message, cause };
  }
  const hint =
    'Is client.wasm served beside the script? The entry multistream-client/inline needs no such file.';
  return {
    code: 'wasm-failed',
    message: `The WebAssembly module could not be loaded: ${detail}. ${hint}`,
    cause,
  };
}
