// Tells why the first WebSocket did not open. What finds that out is a file of its own, which is loaded only then.
import type { Diagnosis } from './diagnosis/diagnosis.js';
import { type ErrorCode, MultiStreamError } from './errors.js';

/** Makes the errors of one client: each with its address, and with the cause that was found. */
export class Refusals {
  readonly #url: string;
  #last: Diagnosis | undefined;

  constructor({ protocol, host, pathname }: URL) {
    this.#url = `${protocol}//${host}${pathname}`;
  }

  /** A code, a space and a sentence. `asks`: whether the server is asked; a connection that worked is made again without that. */
  async explain(socketUrl: string, asks: boolean): Promise<string> {
    this.#last = asks ? await diagnose(socketUrl) : undefined;
    const { code, message } = this.#last ?? UNKNOWN;
    return `${code} ${message}`;
  }

  error(code: ErrorCode, message: string, slot: number | undefined, kept: boolean): MultiStreamError {
    const cause = message === this.#last?.message ? this.#last.cause : undefined;
    return new MultiStreamError(code, message, slot, kept, { url: this.#url, cause });
  }
}

const UNKNOWN: Diagnosis = { code: 'websocket-failed', message: 'The WebSocket could not be opened.' };

async function diagnose(socketUrl: string): Promise<Diagnosis> {
  try {
    const { whyRefused } = await import('./diagnosis/diagnose.js');
    return await whyRefused(socketUrl);
  } catch {
    // As where the page comes from the server that is gone.
    return UNKNOWN;
  }
}
