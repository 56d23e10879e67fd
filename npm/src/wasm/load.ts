// Where the WebAssembly module comes from, and that it is loaded once, when it is first needed.
import { MultiStreamError } from '../errors.js';
import type * as Glue from './glue.js';
import init, * as glue from './glue.js';

type Source = () => URL | Uint8Array;

let url: Source | undefined;
let inline: Source | undefined;
let loading: Promise<typeof Glue> | undefined;

/** Registered by the package's entries. The inline module wins, whichever entry is imported first. */
export function provideUrl(source: Source): void {
  url = source;
}

export function provideInline(source: Source): void {
  inline = source;
}

/** The exports of the module. A failed load is tried again by the next call. */
export function loadWasm(): Promise<typeof Glue> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const hint =
      'Is client.wasm served beside the script? The entry multistream-client/inline needs no such file.';
    throw new MultiStreamError(
      'wasm-failed',
      `The WebAssembly module could not be loaded: ${detail}. ${hint}`,
    );
  });
  return loading;
}

async function load(): Promise<typeof Glue> {
  const source = inline ?? url;
  if (source === undefined) throw new Error('no entry of the package was imported');
  const module = source();
  await init({ module_or_path: module instanceof URL ? whereItIs(module) : module });
  return glue;
}

/**
 * The development server of Vite 7 and before moves our script into a cache, and not the module beside it. Its server has
 * the module where npm put it.
 */
function whereItIs(url: URL): URL {
  const [server, moved] = url.href.split('/.vite/deps/');
  return moved === undefined ? url : new URL(`${server}/multistream-client/dist/client.wasm`);
}
