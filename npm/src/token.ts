// The access token of a connection: a fixed one, or one that the app is asked for whenever it is needed.
import { log } from './log.js';
import type { TokenSource } from './types.js';

/** A token is renewed when this part of its time is over … */
const RENEW_AFTER = 0.8;
/** … but not more often than this: a token may have expired when it came. */
const AT_MOST_EVERY_MS = 1_000;
/** It is asked for again after this time when the app could not get one, or the server did not know it. */
const AGAIN_MS = 5_000;
/** `setTimeout` takes 31 bits. */
const LONGEST_MS = 2 ** 31 - 1;

export class Tokens {
  readonly #option: string | TokenSource | undefined;
  readonly #renewed: (token: string) => void;
  #token: string | undefined;
  /** When the token is to be renewed; unknown of one that is no JSON Web Token. */
  #renewAt = Number.POSITIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(option: string | TokenSource | undefined, renewed: (token: string) => void) {
    this.#option = option;
    this.#renewed = renewed;
  }

  /** The token for a connection that is made now. */
  async get(): Promise<string | undefined> {
    if (typeof this.#option !== 'function') return this.#option;
    if (this.#token === undefined || Date.now() >= this.#renewAt) await this.#ask(this.#option);
    this.#arm();
    return this.#token;
  }

  /** The server did not take the socket, perhaps since it does not know the token any more. */
  async refuse(): Promise<void> {
    if (Date.now() - this.#askedAt >= AGAIN_MS) await this.#renew();
  }

  /** There is no connection any more that would need one. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #ask(source: TokenSource): Promise<void> {
    this.#askedAt = Date.now();
    this.#token = await source();
    this.#renewAt = Date.now() + (expiry(this.#token) - Date.now()) * RENEW_AFTER;
  }

  #arm(): void {
    this.stop();
    if (this.#renewAt === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(this.#renewAt - Date.now(), AT_MOST_EVERY_MS), LONGEST_MS);
    this.#timer = setTimeout(() => this.#renew(), waitMs);
  }

  async #renew(): Promise<void> {
    if (typeof this.#option !== 'function') return;
    try {
      await this.#ask(this.#option);
      this.#renewed(this.#token as string);
    } catch (error) {
      log('error', 'the app could not get a token', error);
      this.#renewAt = Date.now() + AGAIN_MS;
    }
    if (this.#timer !== undefined) this.#arm();
  }
}

/** The end of a JSON Web Token's time (`exp`, RFC 7519 §4.1.4), in milliseconds since 1970; of another token, none. */
function expiry(token: string): number {
  try {
    const claims = (token.split('.')[1] as string).replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(atob(claims)).exp * 1000 || Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
