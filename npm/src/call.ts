// The promise that a call of the client returns. Whoever listens gets the rejection as of any promise. Where nobody
// listens, it is a warning in the console and not an unhandled rejection, which ends up in an app's error reports.
import { type ErrorCode, MultiStreamError } from './errors.js';

/** What the app did itself: it disconnected, or asked for something else in the meantime. */
const SILENT: readonly ErrorCode[] = ['aborted', 'superseded'];

export class Call<T> extends Promise<T> {
  #hasListener = false;

  /** The same outcome as `promise`. */
  static of<T>(promise: Promise<T>): Call<T> {
    return watched(new Call<T>((resolve, reject) => void promise.then(resolve, reject)));
  }

  /** Also `catch`, `finally` and `await` come here. What is derived is a call again, by `Symbol.species`. */
  // biome-ignore lint/suspicious/noThenProperty: a promise has one.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#hasListener = true;
    return watched(super.then(onFulfilled, onRejected) as Call<A | B>);
  }

  /** Whether anything was derived from it, which then answers for the rejection. */
  get hasListener(): boolean {
    return this.#hasListener;
  }
}

function watched<T>(call: Call<T>): Call<T> {
  // Not `call.then`: it would count as a listener of the app's.
  Promise.prototype.then.call(call, undefined, (reason: unknown) => {
    // A task later, as an `await` may follow some microtasks after the call.
    setTimeout(() => {
      if (!call.hasListener) report(reason);
    });
  });
  return call;
}

function report(reason: unknown): void {
  if (!(reason instanceof MultiStreamError)) {
    // Thrown by a callback of the app's: reported as it would be of any promise.
    void Promise.reject(reason);
  } else if (!SILENT.includes(reason.code)) {
    console.warn(`multistream: ${reason.message} (${reason.code})`);
  }
}
