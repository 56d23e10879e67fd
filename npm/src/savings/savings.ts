// Saves bandwidth and decoding where it makes no visible difference: pauses the slots that are out of sight, chooses the
// quality that fits each tile's pixels, and tells the server which tiles are the largest ones. What the app asked for, it reads
// from the core, and never undoes it.

import type { ClientEvent } from '../events.js';
import type { Camera } from '../streams.js';
import type { ClientOptions, SlotConfig, SlotStatus } from '../types.js';
import type { ChosenSlot, Core } from '../wasm/glue.js';
import { type AskStreams, Catalogue } from './catalogue.js';
import { chooseQuality, NATIVE, type Tile } from './choose.js';
import { Sight } from './sight.js';

/** The quality that lets the client choose. */
const AUTO = 'auto';
/** The `reason` in the status of a slot that was paused because it is out of sight. */
const HIDDEN = 'hidden';
/**
 * How long a slot must be out of sight before it is paused: scrolling past a tile or a short look at another tab pauses
 * nothing.
 */
const HIDDEN_MS = 2_000;
/** How long a video's size must have been at rest before another quality is chosen. */
const RESIZED_MS = 100;
/** How long `connect` waits for the list of variants before it asks for native pictures. */
const CATALOGUE_MS = 1_000;

interface Slot {
  /**
   * How many calls of the app for this slot are open. Until they end this class sends no request for it, which would supersede
   * them.
   */
  calls: number;
  /** Runs while the slot is out of sight and not paused yet. */
  hiding: ReturnType<typeof setTimeout> | undefined;
  /** Runs until the video's size has been at rest for `RESIZED_MS`. */
  resizing: ReturnType<typeof setTimeout> | undefined;
}

/** Stands between the app's calls and the core. */
export class Savings {
  readonly #pauseHidden: boolean;
  readonly #autoQuality: boolean;
  readonly #core: () => Core | undefined;
  readonly #catalogue: Catalogue;
  readonly #sight = new Sight({
    seen: (slot) => this.#review(slot),
    size: (slot) => this.#resized(slot),
  });
  #slots = new Map<number, Slot>();
  /** The priorities that the app has set. */
  readonly #priorities = new Map<number, number>();

  constructor(options: ClientOptions, askStreams: AskStreams, core: () => Core | undefined) {
    this.#pauseHidden = options.pauseHidden ?? false;
    this.#autoQuality = options.autoQuality ?? false;
    this.#core = core;
    this.#catalogue = new Catalogue(askStreams);
  }

  /** Observes a video that shows the slot. Returns a function that stops it. */
  watch(slot: number, video: HTMLVideoElement): () => void {
    return this.#sight.watch(slot, video);
  }

  /** Whether a video of the slot can be seen; `undefined` without a video. */
  isSeen(slot: number): boolean | undefined {
    return this.#sight.isSeen(slot);
  }

  /** Returns the slots to connect with, with the chosen qualities. Waits up to `CATALOGUE_MS` for the list of variants. */
  async plan(slots: readonly SlotConfig[]): Promise<readonly ChosenSlot[]> {
    // Not an array: passed on as it is, so that the core reports the error.
    if (!Array.isArray(slots)) return slots;
    if (slots.some((slot) => this.#isAuto(slot.quality))) {
      await Promise.race([this.#catalogue.refresh(), new Promise((late) => setTimeout(late, CATALOGUE_MS))]);
    }
    return slots.map((slot) => this.#chosen(slot));
  }

  /** Starts to manage the slots of a new connection. */
  begin(slots: readonly SlotConfig[]): void {
    this.end();
    if (!Array.isArray(slots)) return;
    this.#sight.listen();
    for (const { slot } of slots) this.#slots.set(slot, { calls: 0, hiding: undefined, resizing: undefined });
  }

  /** The connection has ended. */
  end(): void {
    this.#sight.ignore();
    for (const { hiding, resizing } of this.#slots.values()) {
      clearTimeout(hiding);
      clearTimeout(resizing);
    }
    this.#slots = new Map();
  }

  /** Handles an event of the core. */
  handle(event: ClientEvent): void {
    if (event.type === 'disconnected') this.end();
    if (event.type === 'state' && event.state === 'connected') this.#connected();
    if (event.type === 'status') this.#handleStatus(event.status);
  }

  switchStream(core: Core, slot: number, stream: string, quality?: string): Promise<SlotStatus> {
    const chosen = this.#chosen({ slot, stream, quality });
    return this.#show([chosen], () => core.switchStream(slot, stream, chosen.quality, chosen.asked));
  }

  async switchMany(core: Core, slots: readonly SlotConfig[], atomic: boolean): Promise<SlotStatus[]> {
    if (!Array.isArray(slots)) return core.switchMany(slots, atomic);
    const chosen = slots.map((slot) => this.#chosen(slot));
    return this.#show(chosen, () => core.switchMany(chosen, atomic));
  }

  /** Pauses a slot for the app. Only the app ends this pause. */
  pause(core: Core, slot: number): Promise<SlotStatus> {
    return this.#during([slot], () => core.pause(slot));
  }

  resume(core: Core, slot: number): Promise<SlotStatus> {
    return this.#during([slot], () => core.resume(slot));
  }

  /** Sets how important a slot is to the viewer. From then on its tile's size does not count. */
  setPriority(slot: number, priority: number): void {
    this.#priorities.set(slot, priority);
    this.#core()?.setPriority(slot, priority);
  }

  /** The server's cameras, as they are now. */
  listStreams(): Promise<Camera[]> {
    return this.#catalogue.list();
  }

  /** Keeps a stream running. It is not known which tile will show it, so the quality fits the largest one. */
  warm(core: Core, stream: string, quality?: string): Promise<string> {
    return core.warm(stream, this.#isAuto(quality) ? this.#choose(stream, this.#sight.tile()) : quality);
  }

  #isAuto(quality: string | undefined): boolean {
    return quality === AUTO || (this.#autoQuality && quality === undefined);
  }

  /** Whether the quality of what the slot shows is chosen here. */
  #hasAuto(slot: number): boolean {
    return this.#core()?.wish(slot)?.asked === AUTO;
  }

  /** The slot as the core takes it: with a quality that fits the tile in place of `'auto'`. */
  #chosen(slot: SlotConfig): ChosenSlot {
    if (!this.#isAuto(slot.quality)) return { ...slot, asked: undefined };
    const quality = named(this.#choose(slot.stream, this.#sight.tile(slot.slot)));
    return { ...slot, quality, asked: AUTO };
  }

  /** The quality of `stream` that fits `tile`. Without a tile the current quality stays. */
  #choose(stream: string, tile: Tile | undefined, current?: string): string {
    return tile ? chooseQuality(this.#catalogue.variants(stream), tile, current) : (current ?? NATIVE);
  }

  /** Reviews every slot after a connection, since the server may have another config than before. */
  #connected(): void {
    for (const index of this.#slots.keys()) this.#review(index);
    this.#rank();
    if ([...this.#slots.keys()].some((index) => this.#hasAuto(index))) this.#learnIfOld();
  }

  /** Asks for the list of variants again when a chosen variant fails, so that another one is chosen while the camera works. */
  #handleStatus({ slot, status, kept }: SlotStatus): void {
    if (status !== 'offline' && status !== 'error') return;
    const wish = this.#core()?.wish(slot);
    if (wish?.asked !== AUTO) return;
    // After a refusal the slot is as before, so a list that says the same leads to the same choice and the same refusal.
    if (kept) this.#learnIfOld();
    else if (wish.quality !== undefined) void this.#learn();
  }

  /** Performs a switch of the app by `call`. */
  async #show<T>(slots: readonly ChosenSlot[], call: () => Promise<T>): Promise<T> {
    if (slots.some(({ asked }) => asked === AUTO)) this.#learnIfOld();
    return this.#during(
      slots.map(({ slot }) => slot),
      call,
    );
  }

  /** Requests the list of variants if the last one is older than a minute. */
  #learnIfOld(): void {
    if (!this.#catalogue.isFresh) void this.#learn();
  }

  /** Requests the list of variants, then reviews every slot. */
  async #learn(): Promise<void> {
    await this.#catalogue.refresh();
    for (const index of this.#slots.keys()) this.#review(index);
  }

  #resized(index: number): void {
    const slot = this.#slots.get(index);
    if (slot === undefined) return;
    clearTimeout(slot.resizing);
    slot.resizing = setTimeout(() => {
      this.#review(index);
      this.#rank();
      if (this.#hasAuto(index)) this.#learnIfOld();
    }, RESIZED_MS);
  }

  /** Pauses, resumes or switches a slot if its visibility or its size calls for it. */
  #review(index: number): void {
    const slot = this.#slots.get(index);
    const core = this.#core();
    const isLive = core?.state === 'connected' || core?.state === 'reconnecting';
    if (slot === undefined || core === undefined || !isLive) return;
    if (this.#sight.isSeen(index) === false) {
      if (this.#pauseHidden) slot.hiding ??= setTimeout(() => this.#hide(index, slot), HIDDEN_MS);
      return;
    }
    clearTimeout(slot.hiding);
    slot.hiding = undefined;
    const wish = core.wish(index);
    if (slot.calls > 0 || wish === undefined || (wish.paused && wish.reason !== HIDDEN)) return;
    const { stream, asked } = wish;
    const chosen = () => named(this.#choose(stream, this.#sight.tile(index), wish.quality ?? NATIVE));
    const quality = asked === AUTO ? chosen() : wish.quality;
    // If the server refuses, the core takes the wish back. If the camera fails, the slot's status reports it.
    if (quality !== wish.quality) core.switchStream(index, stream, quality, asked).catch(() => {});
    else if (wish.paused) core.resume(index).catch(() => {});
  }

  /** Gives each slot the rank of its tile's size as priority, unless the app has set one: 0 to the smallest tiles. */
  #rank(): void {
    const core = this.#core();
    if (core === undefined) return;
    // Sizes that differ by a few pixels count as one.
    const sizeOf = (slot: number) => {
      const tile = this.#sight.tile(slot);
      return tile ? Math.round(2 * Math.log2(1 + tile.width * tile.height)) : 0;
    };
    const slots = [...this.#slots.keys()];
    const sizes = [...new Set(slots.map(sizeOf))].sort((a, b) => a - b);
    for (const slot of slots) {
      core.setPriority(slot, this.#priorities.get(slot) ?? sizes.indexOf(sizeOf(slot)));
    }
  }

  /** Pauses a slot that was out of sight for `HIDDEN_MS`. */
  #hide(index: number, slot: Slot): void {
    slot.hiding = undefined;
    const core = this.#core();
    // If a call of the app waits, the slot is reviewed again when the call ends.
    if (slot.calls > 0 || core?.wish(index)?.paused !== false) return;
    core.pause(index, HIDDEN).catch(() => {});
  }

  /** Performs a call of the app for these slots. While it is open nothing else is requested for them; then they are reviewed. */
  async #during<T>(indices: readonly number[], call: () => Promise<T>): Promise<T> {
    const slots = indices.flatMap((index) => this.#slots.get(index) ?? []);
    for (const slot of slots) slot.calls += 1;
    try {
      return await call();
    } finally {
      for (const slot of slots) slot.calls -= 1;
      for (const index of indices) this.#review(index);
    }
  }
}

/** A chosen quality as the server is asked for it: `native` by name would say that the app insists on it. */
function named(quality: string): string | undefined {
  return quality === NATIVE ? undefined : quality;
}
