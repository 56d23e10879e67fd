// Asks a server that is away whether it listens again, so that nobody sits out the pause before the client's next try.
import { httpUrl } from './http-url.js';

const EVERY_MS = 1_000;
const TIMEOUT_MS = 2_000;

export class Knock {
  readonly #url: string;
  readonly #onBack: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onBack`: the server answers after it did not. */
  constructor(serverUrl: string, onBack: () => void) {
    this.#url = httpUrl(serverUrl, '/healthz');
    this.#onBack = onBack;
  }

  start(): void {
    this.stop();
    this.#next(false);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next(wasAway: boolean): void {
    const timer = setTimeout(async () => {
      const answers = await this.#answers();
      // Stopped, or started anew, while it was asked.
      if (this.#timer !== timer) return;
      // A server that answers all the time and refuses the session is no reason to hurry.
      if (answers && wasAway) this.#onBack();
      if (this.#timer === timer) this.#next(!answers);
    }, EVERY_MS);
    this.#timer = timer;
  }

  /** `no-cors`: that there is an answer is all there is to know, so nobody has to allow that it is read. */
  async #answers(): Promise<boolean> {
    try {
      await fetch(this.#url, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
      return true;
    } catch {
      return false;
    }
  }
}
