// The variants of each stream, from `GET /api/streams`. The answer is kept for a minute.
import type { Stream, Streams } from '../generated/protocol.js';
import { type Camera, camerasOf } from '../streams.js';
import type { Variant } from './choose.js';

const FRESH_MS = 60_000;

/** Requests `GET /api/streams`; `undefined` when the server does not answer. */
export type AskStreams = () => Promise<Streams | undefined>;

export class Catalogue {
  readonly #askStreams: AskStreams;
  #streams = new Map<string, Variant[]>();
  #asking: Promise<void> | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(askStreams: AskStreams) {
    this.#askStreams = askStreams;
  }

  /** The variants of a stream; empty until the server has answered. */
  variants(stream: string): readonly Variant[] {
    return this.#streams.get(stream) ?? [];
  }

  /** Requests the list, for who wants to show it: it rejects when there is no answer. */
  async list(): Promise<Camera[]> {
    return camerasOf(await this.#askStreams());
  }

  get isFresh(): boolean {
    return performance.now() - this.#answeredAt < FRESH_MS;
  }

  /** Requests the list again. Never rejects: without an answer the last list is kept. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask()
      .catch(() => {})
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const streams = await this.#askStreams();
    if (streams === undefined) return;
    const variants = ([name, stream]: [string, Stream]): [string, Variant[]] => [
      name,
      stream.variants.map(({ quality, stream, width, height }) => ({
        quality,
        width,
        height,
        offline: streams[stream]?.state === 'offline',
      })),
    ];
    this.#streams = new Map(Object.entries(streams).map(variants));
    this.#answeredAt = performance.now();
  }
}
