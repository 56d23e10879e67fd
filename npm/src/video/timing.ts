// Measures when the first picture of a new stream is displayed. Its RTP timestamp tells it from a late picture of the old one.
import type { SlotStatus } from '../types.js';

/**
 * How long a switch took.
 *
 * @example
 * ```ts
 * const { timing } = await client.switchStream(0, 'camera7');
 * console.log(`on the screen after ${timing.firstFrame?.toFixed(0)} ms`);
 * ```
 */
export interface SwitchTiming {
  /** When the switch was requested, on the clock of `performance.now()`, in milliseconds. */
  requested: number;
  /** Milliseconds from `requested` until the client knew that the key frame was sent. */
  active: number;
  /**
   * Milliseconds from `requested` until the display refresh that shows the first picture of the new stream, as
   * `requestVideoFrameCallback` reports it. `undefined` if the slot has no `attach`ed video, the page is hidden, or no picture
   * was shown within a second.
   */
  firstFrame?: number;
}

/**
 * What a switch resolves to.
 *
 * @example
 * ```ts
 * const shown: SwitchedStatus = await client.switchStream(0, 'camera7');
 * ```
 */
export type SwitchedStatus = SlotStatus & { timing: SwitchTiming };

/** How long after the server's answer the first picture may be displayed; later ones are not timed. */
const PATIENCE_MS = 1_000;

/** Times switches by the videos that show each slot. */
export class FirstPictures {
  readonly #videos = new Map<number, Set<HTMLVideoElement>>();

  /** Adds a video that shows the slot. Returns a function that removes it. */
  watch(slot: number, video: HTMLVideoElement): () => void {
    const videos = this.#videos.get(slot) ?? new Set();
    this.#videos.set(slot, videos.add(video));
    return () => videos.delete(video);
  }

  /** Times a switch of these slots, which `perform` starts. */
  async time<T extends readonly SlotStatus[]>(
    slots: readonly number[],
    perform: () => Promise<T>,
  ): Promise<SwitchedStatus[]> {
    const requested = performance.now();
    const pictures = new Map(slots.map((slot) => [slot, this.#record(slot)]));
    try {
      const statuses = await perform();
      const active = performance.now() - requested;
      return await Promise.all(
        statuses.map(async (status) => {
          const shown = await pictures.get(status.slot)?.first(status);
          const timing = { requested, active };
          return {
            ...status,
            timing: shown === undefined ? timing : { ...timing, firstFrame: shown - requested },
          };
        }),
      );
    } finally {
      for (const recording of pictures.values()) recording?.stop();
    }
  }

  #record(slot: number): Recording | undefined {
    const [video] = this.#videos.get(slot) ?? [];
    const tellsPictures = video !== undefined && 'requestVideoFrameCallback' in video;
    return tellsPictures && document.visibilityState === 'visible' ? new Recording(video) : undefined;
  }
}

/** Records the pictures that one video displays from now on. */
class Recording {
  readonly #video: HTMLVideoElement;
  readonly #pictures: { at: number; rtpTimestamp: number | undefined }[] = [];
  #handle = 0;
  #look: (() => void) | undefined;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    this.#next();
  }

  /** When the first picture of the stream that `status` names was displayed. */
  async first({ status, rtpTimestamp }: SlotStatus): Promise<number | undefined> {
    if (status !== 'active') return undefined;
    const told = performance.now();
    const isNew = (picture: { at: number; rtpTimestamp: number | undefined }) =>
      rtpTimestamp === undefined || picture.rtpTimestamp === undefined
        ? picture.at >= told
        : (picture.rtpTimestamp - rtpTimestamp) >>> 0 < 2 ** 31; // the numbers wrap (RFC 3550 §5.1)
    return new Promise((resolve) => {
      const timeout = setTimeout(() => resolve(undefined), PATIENCE_MS);
      this.#look = () => {
        const picture = this.#pictures.find(isNew);
        if (picture === undefined) return;
        clearTimeout(timeout);
        resolve(picture.at);
      };
      this.#look();
    });
  }

  stop(): void {
    this.#video.cancelVideoFrameCallback(this.#handle);
    this.#look = undefined;
  }

  #next(): void {
    this.#handle = this.#video.requestVideoFrameCallback((now, { rtpTimestamp }) => {
      this.#pictures.push({ at: now, rtpTimestamp });
      this.#look?.();
      this.#next();
    });
  }
}
