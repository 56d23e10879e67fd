// The slots' tracks in their videos, and what is shown there: which camera's picture is on the screen, and whether it moves.
import type { ClientEvent } from '../events.js';
import type { SlotStatus, StallCause } from '../types.js';
import { blank, hide, show } from './attach.js';
import { judge, type Picture } from './live.js';

/** How often it is looked whether a picture stands. */
const CHECK_MS = 250;
/** A check that is this late says that the page itself stood, and nothing of the pictures. */
const ASLEEP_MS = 1_000;
/** For how long a picture of the camera before may still come. */
const LATE_MS = 1_000;
/** How many gaps between two pictures are known. One long one does not change their median. */
const GAPS = 5;

interface View {
  video: HTMLVideoElement;
  /** Stops watching what the video shows; `undefined` while there is no track to watch. */
  stop?: () => void;
}

interface Screen {
  slot: number;
  views: Set<View>;
  status?: SlotStatus;
  /** When the status came. */
  toldAt: number;
  /** When the pictures last had to begin. */
  freshAt: number;
  /** When the last picture was shown and its RTP timestamp, whatever camera it is of; `undefined` where browsers do not tell. */
  seenAt: number;
  rtp: number | undefined;
  /** The camera whose picture is on the screen, when it was shown, and the gaps before it. */
  camera: string | undefined;
  shownAt: number;
  gaps: number[];
  /** How many pictures were decoded, for browsers that do not tell which ones are shown. */
  decoded: number;
  picture: Picture;
  /** Since when the picture stands, and why. */
  frozen: { at: number; cause: StallCause | null };
}

export class Pictures {
  readonly tracks = new Map<number, MediaStreamTrack>();
  readonly stalled = new Map<number, StallCause>();
  readonly #screens = new Map<number, Screen>();
  readonly #isSeen: (slot: number) => boolean | undefined;
  readonly #tell: (event: ClientEvent) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #checkedAt = 0;

  constructor(isSeen: (slot: number) => boolean | undefined, tell: (event: ClientEvent) => void) {
    this.#isSeen = isSeen;
    this.#tell = tell;
  }

  /** Keeps a slot's picture in a video, and watches it there. Returns a function that ends it. */
  watch(slot: number, video: HTMLVideoElement): () => void {
    const screen = this.#screen(slot);
    show(video, this.tracks.get(slot));
    const view: View = { video };
    screen.views.add(view);
    screen.freshAt = performance.now();
    video.dataset.picture = screen.picture;
    this.#keepWatch();
    return () => {
      view.stop?.();
      screen.views.delete(view);
      hide(video, this.tracks.get(slot));
      delete video.dataset.picture;
      if (screen.views.size === 0) this.#clear(screen);
      this.#keepWatch();
    };
  }

  /** Timers and callbacks keep this and its videos: so there are some only while there is something to see. */
  #keepWatch(): void {
    for (const screen of this.#screens.values()) {
      for (const view of screen.views) {
        const { video } = view;
        if (this.tracks.has(screen.slot))
          view.stop ??= watch(video, (rtp) => this.#shown(screen, video, rtp));
        else {
          view.stop?.();
          delete view.stop;
        }
      }
    }
    const isNeeded = this.tracks.size > 0 && [...this.#screens.values()].some(({ views }) => views.size > 0);
    if (isNeeded && this.#timer === undefined) {
      this.#checkedAt = performance.now();
      this.#timer = setInterval(() => this.#check(), CHECK_MS);
    }
    if (!isNeeded) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  isLive(slot: number): boolean {
    return this.#screens.get(slot)?.picture === 'live';
  }

  /** Handles an event of the core, and completes a status. */
  handle(event: ClientEvent): void {
    if (event.type === 'track') this.#begin(event.slot, event.track);
    if (event.type === 'stalled') this.#stall(event.slot, event.cause);
    if (event.type === 'status') {
      const screen = this.#screen(event.slot);
      if (!event.status.kept) this.#change(screen, event.status);
      event.status.live = screen.picture === 'live';
    }
    if (event.type === 'disconnected') {
      this.tracks.clear();
      this.stalled.clear();
      for (const screen of this.#screens.values()) {
        this.#clear(screen);
        // Nobody will pause it, and a browser keeps a video that plays.
        for (const { video } of screen.views) if (!video.isConnected) video.pause();
      }
      this.#keepWatch();
    }
  }

  /** What has arrived: for browsers that do not tell what is shown, a decoded picture is a shown one. */
  arrived(numbers: Float64Array): void {
    for (let at = 2; at < numbers.length; at += 3) {
      const screen = this.#screens.get(numbers[at] as number);
      const decoded = numbers[at + 2] as number;
      if (screen === undefined) continue;
      const isMore = decoded > screen.decoded;
      screen.decoded = decoded;
      if (!isMore) continue;
      for (const { video } of screen.views) {
        if (!('requestVideoFrameCallback' in video)) this.#shown(screen, video, undefined);
      }
    }
  }

  #screen(slot: number): Screen {
    const screen = this.#screens.get(slot) ?? {
      slot,
      views: new Set(),
      toldAt: 0,
      freshAt: 0,
      seenAt: 0,
      rtp: undefined,
      camera: undefined,
      shownAt: 0,
      gaps: [],
      decoded: 0,
      picture: 'waiting',
      frozen: { at: 0, cause: null },
    };
    this.#screens.set(slot, screen);
    return screen;
  }

  /** Another track's pictures have another clock, and there is none of them yet. */
  #begin(slot: number, track: MediaStreamTrack): void {
    const screen = this.#screen(slot);
    if (this.tracks.get(slot) !== track) screen.rtp = undefined;
    this.tracks.set(slot, track);
    const changed = [...screen.views].map(({ video }) => show(video, track));
    if (changed.includes(true)) this.#clear(screen);
    this.#keepWatch();
  }

  #change(screen: Screen, status: SlotStatus): void {
    const now = performance.now();
    const was = screen.status?.status;
    // A resumed slot is `buffering` first, and its picture is as old as the pause.
    if (was === 'paused' || (status.status === 'active' && was !== 'active')) screen.freshAt = now;
    screen.status = status;
    screen.toldAt = now;
    // A picture may be faster than the status that tells of it.
    const isKnown = screen.rtp !== undefined && status.rtpTimestamp !== undefined;
    if (isKnown && screen.camera !== status.camera && isNew(screen, status)) this.#count(screen);
    if (isForeign(screen) && screen.camera !== undefined) {
      for (const { video } of screen.views) blank(video);
      screen.camera = undefined;
    }
    this.#judge(screen, now);
  }

  #stall(slot: number, cause: StallCause | null): void {
    this.stalled.delete(slot);
    if (cause === null) return;
    this.stalled.set(slot, cause);
    const screen = this.#screen(slot);
    if (screen.picture !== 'frozen') return;
    screen.frozen.cause = cause;
    this.#say('frozen', screen);
  }

  #shown(screen: Screen, video: HTMLVideoElement, rtp: number | undefined): void {
    const now = performance.now();
    const gap =
      rtp === undefined || screen.rtp === undefined ? now - screen.seenAt : ahead(rtp, screen.rtp) / 90;
    screen.rtp = rtp;
    screen.seenAt = now;
    if (screen.status === undefined) return;
    const isOwn = screen.camera === screen.status.camera;
    if (isOwn && gap > 0) screen.gaps = [gap, ...screen.gaps].slice(0, GAPS);
    if (isOwn || isNew(screen, screen.status)) this.#count(screen);
    else if (isForeign(screen) && now - screen.toldAt < LATE_MS) blank(video);
    this.#review(screen, now);
  }

  /** The picture on the screen is one of what the slot shows. */
  #count(screen: Screen): void {
    if (screen.camera !== screen.status?.camera) screen.gaps = [];
    screen.camera = screen.status?.camera;
    screen.shownAt = screen.seenAt;
  }

  /** There is no picture on the screen. */
  #clear(screen: Screen): void {
    screen.camera = undefined;
    // Without a picture nothing depends on the time.
    this.#review(screen, 0);
  }

  #check(): void {
    const now = performance.now();
    const slept = now - this.#checkedAt > ASLEEP_MS;
    this.#checkedAt = now;
    for (const screen of this.#screens.values()) {
      if (slept || this.#isSeen(screen.slot) === false) screen.freshAt = now;
      this.#review(screen, now);
    }
  }

  /** Tells of a picture that began or ceased to be live, which no other event tells. */
  #review(screen: Screen, now: number): void {
    const was = screen.picture;
    this.#judge(screen, now);
    const live = screen.picture === 'live';
    if (screen.status === undefined || live === (was === 'live')) return;
    screen.status = { ...screen.status, live };
    this.#tell({ type: 'status', slot: screen.slot, status: screen.status });
  }

  #judge(screen: Screen, now: number): void {
    const { status, camera, gaps, shownAt, freshAt, picture: was } = screen;
    const gapMs = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
    const picture = judge({ status, camera, ageMs: now - shownAt, gapMs, freshMs: now - freshAt, was });
    if (picture === was) return;
    screen.picture = picture;
    for (const { video } of screen.views) video.dataset.picture = picture;
    if (picture === 'frozen') {
      screen.frozen = { at: shownAt, cause: this.stalled.get(screen.slot) ?? null };
      this.#say('frozen', screen);
    }
    if (was === 'frozen') this.#say('thawed', screen);
  }

  #say(type: 'frozen' | 'thawed', { slot, frozen: { at, cause } }: Screen): void {
    this.#tell({ type, slot, sinceMs: performance.now() - at, cause });
  }
}

/** Whether the last picture is one of the stream that `status` is about. */
function isNew({ rtp }: Screen, { status, rtpTimestamp }: SlotStatus): boolean {
  if (status !== 'active') return false;
  return rtp === undefined || rtpTimestamp === undefined || ahead(rtp, rtpTimestamp) < 2 ** 31;
}

/** Whether a picture on the screen would be that of another camera than the one that is said to fail. */
function isForeign({ camera, status }: Screen): boolean {
  return (status?.status === 'offline' || status?.status === 'error') && camera !== status.camera;
}

/** How far one RTP timestamp is ahead of another: the numbers wrap (RFC 3550 §5.1). */
function ahead(later: number, earlier: number): number {
  return (later - earlier) >>> 0;
}

/** Calls `onShown` for each picture that a video shows. Returns a function that ends it. */
function watch(video: HTMLVideoElement, onShown: (rtp: number | undefined) => void): () => void {
  if (!('requestVideoFrameCallback' in video)) return () => {};
  const next = () =>
    video.requestVideoFrameCallback((_, { rtpTimestamp }) => {
      handle = next();
      onShown(rtpTimestamp);
    });
  let handle = next();
  return () => video.cancelVideoFrameCallback(handle);
}
