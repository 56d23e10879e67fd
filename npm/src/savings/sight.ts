// Observes the <video> elements of the slots: whether one is visible, and how many device pixels it has.
import { playOutside } from '../video/removed.js';
import type { Tile } from './choose.js';

/** The callbacks for changes; the new values are read by `isSeen` and `tile`. */
export interface Changes {
  seen(slot: number): void;
  size(slot: number): void;
}

interface Watched {
  slot: number;
  video: HTMLVideoElement;
  /** Whether the video is laid out and inside the viewport; `true` until the observer's first report. */
  intersects: boolean;
  /** The video was in the document while it was watched. One that never was is drawn on a canvas, and seen there. */
  wasInside: boolean;
}

/** Knows of each slot whether one of its videos is visible, and how large they are. */
export class Sight {
  readonly #changes: Changes;
  readonly #watched = new Set<Watched>();
  /** The slots that have, or once had, a video. */
  readonly #slots = new Set<number>();
  #intersections: IntersectionObserver | undefined;
  #sizes: ResizeObserver | undefined;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** Observes a video that shows the slot. Returns a function that stops it. */
  watch(slot: number, video: HTMLVideoElement): () => void {
    const watched = { slot, video, intersects: true, wasInside: video.isConnected };
    this.#open();
    this.#watched.add(watched);
    this.#slots.add(slot);
    this.#intersections?.observe(video);
    this.#sizes?.observe(video);
    const stopPlaying = playOutside(video);
    const onPicture = () => this.#changes.seen(slot);
    video.addEventListener('enterpictureinpicture', onPicture);
    video.addEventListener('leavepictureinpicture', onPicture);
    this.#changes.seen(slot);
    this.#changes.size(slot);
    return () => {
      if (!this.#watched.delete(watched)) return;
      stopPlaying();
      video.removeEventListener('enterpictureinpicture', onPicture);
      video.removeEventListener('leavepictureinpicture', onPicture);
      if (![...this.#watched].some((other) => other.video === video)) {
        this.#intersections?.unobserve(video);
        this.#sizes?.unobserve(video);
      }
      this.#changes.seen(slot);
    };
  }

  /** Whether one of the slot's videos is visible; `undefined` for a slot that never had one. */
  isSeen(slot: number): boolean | undefined {
    return this.#slots.has(slot) ? this.#of(slot).some(isSeen) : undefined;
  }

  /** The tile of the slot's largest video; without a slot, that of the largest video of all slots. */
  tile(slot?: number): Tile | undefined {
    const videos = slot === undefined ? [...this.#watched] : this.#of(slot);
    const [largest] = videos.map(({ video }) => tileOf(video)).sort((a, b) => b.height - a.height);
    return largest;
  }

  #of(slot: number): Watched[] {
    return [...this.#watched].filter((watched) => watched.slot === slot);
  }

  /** Starts the observers. Where the environment has none, every video counts as visible. */
  #open(): void {
    this.#intersections ??=
      globalThis.IntersectionObserver && new IntersectionObserver(this.#onIntersections);
    this.#sizes ??=
      globalThis.ResizeObserver &&
      new ResizeObserver((entries) => {
        for (const { target } of entries) this.#tell('size', target);
      });
  }

  /**
   * Listens to the page, which keeps this and its videos: so only while there is a connection, since an app may let go of a
   * client without detaching its videos.
   */
  listen(): void {
    // Tests have no page.
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
    // Zooming changes a tile's device pixels, but not its size in CSS pixels.
    globalThis.window?.addEventListener('resize', this.#onZoom);
  }

  /** Undoes `listen`. */
  ignore(): void {
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
    globalThis.window?.removeEventListener('resize', this.#onZoom);
  }

  readonly #onIntersections = (entries: IntersectionObserverEntry[]): void => {
    for (const { target, isIntersecting } of entries) {
      for (const watched of this.#watched) {
        if (watched.video !== target) continue;
        watched.wasInside ||= target.isConnected;
        watched.intersects = isIntersecting || !watched.wasInside;
      }
      this.#tell('seen', target);
    }
  };

  readonly #onVisibility = (): void => this.#tell('seen');
  readonly #onZoom = (): void => this.#tell('size');

  /** Reports a change of this video's slots, or of all slots. */
  #tell(what: keyof Changes, video?: Element): void {
    const concerned = [...this.#watched].filter((watched) => video === undefined || watched.video === video);
    for (const slot of new Set(concerned.map(({ slot }) => slot))) this.#changes[what](slot);
  }
}

/** A video in a picture-in-picture window is visible even if its page is not. */
function isSeen({ video, intersects }: Watched): boolean {
  const page = video.ownerDocument;
  return page.pictureInPictureElement === video || (intersects && page.visibilityState !== 'hidden');
}

function tileOf(video: HTMLVideoElement): Tile {
  const ratio = window.devicePixelRatio;
  const cover = getComputedStyle(video).objectFit === 'cover';
  return { width: video.clientWidth * ratio, height: video.clientHeight * ratio, cover };
}
