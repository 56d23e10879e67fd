// Which variants each stream has: `GET /api/streams`, kept, and asked for again when the answer has become old.
import { httpUrl } from '../http-url.js';
import type { Variant } from './choose.js';

const TIMEOUT_MS = 2_000;
const FRESH_MS = 60_000;

/** The server's answer, as far as it is needed here. */
type StreamList = Record<
  string,
  {
    state?: string;
    variants?: { quality: string; stream: string; width: number | null; height: number | null }[];
  } | null
>;

export class Catalogue {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #streams = new Map<string, Variant[]>();
  #asking: Promise<void> | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(serverUrl: string, token: string | undefined) {
    this.#url = httpUrl(serverUrl, '/api/streams');
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** Empty as long as nothing is known. */
  variants(stream: string): readonly Variant[] {
    return this.#streams.get(stream) ?? [];
  }

  get isFresh(): boolean {
    return performance.now() - this.#answeredAt < FRESH_MS;
  }

  /** Never rejects: without an answer the last one stays, and the pictures are native where there was none. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask()
      .catch(() => {})
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const response = await fetch(this.#url, {
      headers: this.#headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return;
    const list = (await response.json()) as StreamList;
    const variants = ([name, stream]: [string, StreamList[string]]): [string, Variant[]] => [
      name,
      (stream?.variants ?? []).map(({ quality, stream, width, height }) => ({
        quality,
        width,
        height,
        offline: list[stream]?.state === 'offline',
      })),
    ];
    this.#streams = new Map(Object.entries(list).map(variants));
    this.#answeredAt = performance.now();
  }
}
