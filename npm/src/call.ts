// The promise that a call of the client returns. It rejects like any promise for an app that handles the rejection. If the app
// does not, the rejection becomes a warning in the console instead of an unhandled rejection, which would end up in the app's
// error reports.
import { type ErrorCode, MultiStreamError } from './errors.js';
import { log } from './log.js';

/** Codes that are not reported: the app itself disconnected, or asked for something else in the meantime. */
const SILENT: readonly ErrorCode[] = ['aborted', 'superseded'];

export class Call<T> extends Promise<T> {
  #hasListener = false;

  /** The outcome of `perform`, also where that throws. */
  static run<T>(perform: () => Promise<T>): Call<T> {
    return Call.of(new Promise((resolve) => resolve(perform())));
  }

  /** The same outcome as `promise`. */
  static of<T>(promise: Promise<T>): Call<T> {
    return watched(new Call<T>((resolve, reject) => void promise.then(resolve, reject)));
  }

  /** `catch`, `finally` and `await` call this too. The promise that it returns is a `Call` as well, by `Symbol.species`. */
  // biome-ignore lint/suspicious/noThenProperty: a promise has one.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#hasListener = true;
    return watched(super.then(onFulfilled, onRejected) as Call<A | B>);
  }

  /** Whether a promise was derived from this one by `then`. The derived one then reports the rejection, not this one. */
  get hasListener(): boolean {
    return this.#hasListener;
  }
}

function watched<T>(call: Call<T>): Call<T> {
  // Not `call.then`, which would count as a handler of the app.
  Promise.prototype.then.call(call, undefined, (reason: unknown) => {
    // One task later, for an `await` may follow some microtasks after the call.
    setTimeout(() => {
      if (!call.hasListener) report(reason);
    });
  });
  return call;
}

function report(reason: unknown): void {
  if (!(reason instanceof MultiStreamError)) {
    // The error comes from a callback of the app, so it is an unhandled rejection as with any promise.
    void Promise.reject(reason);
  } else if (!SILENT.includes(reason.code)) {
    log('warn', `${reason.message} (${reason.code})`);
  }
}
