// Stands between JavaScript and one instance of the WebAssembly module, and notices when it crashes. An exception that leaves
// the module, a Rust panic or one that a browser's API threw, has skipped all code in between: what was borrowed there stays
// borrowed, so the instance must not run again.
import { MultiStreamError } from '../errors.js';

type Exports = Record<string, unknown>;
type Imports = Record<string, Record<string, (...parameters: unknown[]) => unknown>>;
type Openable = WebSocket | RTCPeerConnection;

/** A result of a call that does nothing. The glue takes several values, such as an error beside a value, out of a list. */
const NOTHING: readonly number[] = [0, 0, 0, 0];

export class Guard {
  #crash: MultiStreamError | undefined;
  /** Weakly: what was closed long ago is not kept. */
  #opened: WeakRef<Openable>[] = [];
  readonly #waiting = new Set<(error: MultiStreamError) => void>();
  readonly #listeners = new Set<(error: MultiStreamError) => void>();

  /** How it crashed, if it did. */
  get crash(): MultiStreamError | undefined {
    return this.#crash;
  }

  /** Calls `listener` when the instance crashes, before anything else is called. Returns how to stop. */
  onCrash(listener: (error: MultiStreamError) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A promise of the instance; it rejects when the instance crashes, which cannot settle it any more. */
  settled<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  /** The exports of the instance. Once it crashed they do nothing: timers and callbacks of the browser still call them. */
  exports(exports: Exports): Exports {
    return mapValues(exports, (value) => {
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]) => {
        if (this.#crash !== undefined) return NOTHING;
        try {
          return value(...parameters);
        } catch (cause) {
          throw this.#crashed(cause);
        }
      };
    });
  }

  /** The functions that the instance calls. Once it crashed they throw, so that a call that is still under way ends there. */
  imports(imports: Imports): Imports {
    return mapValues(imports, (functions) =>
      mapValues(functions, (call) => (...parameters: unknown[]) => {
        if (this.#crash !== undefined) throw this.#crash;
        const result = call(...parameters);
        if (isOpenable(result)) this.#remember(result);
        return result;
      }),
    );
  }

  #remember(opened: Openable): void {
    if (this.#opened.some((known) => known.deref() === opened)) return;
    this.#opened = this.#opened.filter((known) => known.deref() !== undefined);
    this.#opened.push(new WeakRef(opened));
  }

  #crashed(cause: unknown): MultiStreamError {
    if (this.#crash !== undefined) return this.#crash;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const message = `The client crashed (${detail}), which ends its connections. The next connect() starts it anew.`;
    const error = new MultiStreamError('client-crashed', message);
    this.#crash = error;
    for (const opened of this.#opened) close(opened.deref());
    for (const reject of this.#waiting) reject(error);
    for (const listener of this.#listeners) listener(error);
    return error;
  }
}

function isOpenable(value: unknown): value is Openable {
  return (
    (typeof WebSocket !== 'undefined' && value instanceof WebSocket) ||
    (typeof RTCPeerConnection !== 'undefined' && value instanceof RTCPeerConnection)
  );
}

function close(opened: Openable | undefined): void {
  if (opened instanceof WebSocket) {
    // Nobody will resume the session, and a server ends one whose socket was closed by this code.
    opened.close(1000);
  } else {
    opened?.close();
  }
}

function mapValues<A, B>(object: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
