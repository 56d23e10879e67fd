// Looks at the <video> elements of the slots: whether anybody can see one, and how many pixels of the screen it has.
import type { Tile } from './choose.js';

/** What is told when it changes; what it is now can be asked. */
export interface Changes {
  seen(slot: number): void;
  size(slot: number): void;
}

interface Watched {
  slot: number;
  video: HTMLVideoElement;
  /** Inside the viewport and laid out. Until the observer has looked: yes. */
  intersects: boolean;
}

export class Sight {
  readonly #changes: Changes;
  readonly #watched = new Set<Watched>();
  /** Slots that ever had a video. */
  readonly #slots = new Set<number>();
  #intersections: IntersectionObserver | undefined;
  #sizes: ResizeObserver | undefined;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** Returns how to stop. */
  watch(slot: number, video: HTMLVideoElement): () => void {
    const watched = { slot, video, intersects: true };
    if (this.#watched.size === 0) this.#open();
    this.#watched.add(watched);
    this.#slots.add(slot);
    this.#intersections?.observe(video);
    this.#sizes?.observe(video);
    const onPicture = () => this.#changes.seen(slot);
    video.addEventListener('enterpictureinpicture', onPicture);
    video.addEventListener('leavepictureinpicture', onPicture);
    this.#changes.seen(slot);
    this.#changes.size(slot);
    return () => {
      if (!this.#watched.delete(watched)) return;
      video.removeEventListener('enterpictureinpicture', onPicture);
      video.removeEventListener('leavepictureinpicture', onPicture);
      if (![...this.#watched].some((other) => other.video === video)) {
        this.#intersections?.unobserve(video);
        this.#sizes?.unobserve(video);
      }
      if (this.#watched.size === 0) this.#close();
      this.#changes.seen(slot);
    };
  }

  /** Whether one of the slot's videos can be seen; `undefined` for a slot that never had one. */
  isSeen(slot: number): boolean | undefined {
    return this.#slots.has(slot) ? this.#of(slot).some(isSeen) : undefined;
  }

  /** The largest of the slot's videos; of any slot's, where none is named. */
  tile(slot?: number): Tile | undefined {
    const videos = slot === undefined ? [...this.#watched] : this.#of(slot);
    const [largest] = videos.map(({ video }) => tileOf(video)).sort((a, b) => b.height - a.height);
    return largest;
  }

  #of(slot: number): Watched[] {
    return [...this.#watched].filter((watched) => watched.slot === slot);
  }

  /** Also where there is no such observer: then every video counts as seen. */
  #open(): void {
    this.#intersections ??=
      globalThis.IntersectionObserver && new IntersectionObserver(this.#onIntersections);
    this.#sizes ??=
      globalThis.ResizeObserver &&
      new ResizeObserver((entries) => {
        for (const { target } of entries) this.#tell('size', target);
      });
    document.addEventListener('visibilitychange', this.#onVisibility);
    // Zooming changes the pixels of a tile, not its size.
    window.addEventListener('resize', this.#onZoom);
  }

  #close(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('resize', this.#onZoom);
  }

  readonly #onIntersections = (entries: IntersectionObserverEntry[]): void => {
    for (const { target, isIntersecting } of entries) {
      for (const watched of this.#watched) if (watched.video === target) watched.intersects = isIntersecting;
      this.#tell('seen', target);
    }
  };

  readonly #onVisibility = (): void => this.#tell('seen');
  readonly #onZoom = (): void => this.#tell('size');

  /** Of this video, or of all. */
  #tell(what: keyof Changes, video?: Element): void {
    const concerned = [...this.#watched].filter((watched) => video === undefined || watched.video === video);
    for (const slot of new Set(concerned.map(({ slot }) => slot))) this.#changes[what](slot);
  }
}

/** A video in its own small window is seen wherever its page is. */
function isSeen({ video, intersects }: Watched): boolean {
  const page = video.ownerDocument;
  return page.pictureInPictureElement === video || (intersects && page.visibilityState !== 'hidden');
}

function tileOf(video: HTMLVideoElement): Tile {
  const ratio = window.devicePixelRatio;
  const cover = getComputedStyle(video).objectFit === 'cover';
  return { width: video.clientWidth * ratio, height: video.clientHeight * ratio, cover };
}
