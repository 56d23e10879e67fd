// Where the WebAssembly module comes from, and that it is loaded once, when it is first needed, and again after a crash.
import { watchPolicy } from '../diagnosis/policy.js';
import { MultiStreamError } from '../errors.js';
import { type Glue, makeGlue } from './glue.js';
import { Guard } from './guard.js';

type Source = () => URL | Uint8Array;

/** The module as it runs: what it exports, and what stands between it and everything else. */
export interface Instance extends Pick<Glue, 'Core' | 'fetchStreams'> {
  guard: Guard;
}

let url: Source | undefined;
let inline: Source | undefined;
let loading: Promise<Instance> | undefined;
/** Where the module was last loaded from. */
let moduleUrl: string | undefined;

/** Registered by the package's entries. The inline module wins, whichever entry is imported first. */
export function provideUrl(source: Source): void {
  url = source;
}

export function provideInline(source: Source): void {
  inline = source;
}

/** The instance that all clients of a page share. After a failed load, or a crash, the next call loads anew. */
export function loadWasm(): Promise<Instance> {
  loading ??= load().catch(async (cause: unknown) => {
    loading = undefined;
    if (cause instanceof MultiStreamError) throw cause;
    const { whyNotLoaded } = await import('../diagnosis/diagnose.js');
    const found = await whyNotLoaded(cause, moduleUrl);
    throw new MultiStreamError(found.code, found.message, undefined, false, found);
  });
  return loading;
}

async function load(): Promise<Instance> {
  if (typeof WebAssembly === 'undefined') {
    throw new MultiStreamError(
      'no-wasm',
      'There is no WebAssembly here: this browser is too old, or it is switched off.',
    );
  }
  watchPolicy();
  const source = inline ?? url;
  if (source === undefined) throw new Error('no entry of the package was imported');
  const module = source();
  const guard = new Guard();
  guard.onCrash(() => {
    loading = undefined;
  });
  const { init, Core, fetchStreams } = makeGlue(guard);
  const place = module instanceof URL ? whereItIs(module) : module;
  moduleUrl = String(place instanceof URL ? place : '');
  await init({ module_or_path: place });
  return { Core, fetchStreams, guard };
}

/**
 * The development server of Vite 7 and before moves our script into a cache, and not the module beside it. Its server has
 * the module where npm put it.
 */
function whereItIs(url: URL): URL {
  const [server, moved] = url.href.split('/.vite/deps/');
  return moved === undefined ? url : new URL(`${server}/multistream-client/dist/client.wasm`);
}
