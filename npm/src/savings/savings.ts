// Saves bandwidth and decoding where it makes no visible difference: pauses the slots that are out of sight, and chooses the
// quality that fits each tile's pixels. It keeps what the app asked for and never undoes it.

import { MultiStreamError } from '../errors.js';
import type { ClientEvent } from '../events.js';
import type { ClientOptions, SlotConfig, SlotStatus } from '../types.js';
import type { Core } from '../wasm/glue.js';
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

/** What the app asked one slot to show. */
interface Wish {
  readonly stream: string;
  /** The quality that the app asked for. */
  readonly quality: string | undefined;
  /** The quality that the server was sent, after `'auto'` was resolved. */
  readonly told: string | undefined;
}

interface Slot {
  readonly index: number;
  wish: Wish;
  /**
   * How many calls of the app for this slot are open. Until they end this class sends no request for it, which would supersede
   * them.
   */
  calls: number;
  pausedByApp: boolean;
  /** Paused because it is out of sight. */
  pausedHere: boolean;
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

  /** Returns the slots to connect with, with the chosen qualities. Waits up to `CATALOGUE_MS` for the list of variants. */
  async plan(slots: readonly SlotConfig[]): Promise<readonly SlotConfig[]> {
    // Not an array: passed on as it is, so that the core reports the error.
    if (!Array.isArray(slots)) return slots;
    if (slots.some((slot) => this.#isAuto(slot.quality))) {
      await Promise.race([this.#catalogue.refresh(), new Promise((late) => setTimeout(late, CATALOGUE_MS))]);
    }
    return slots.map((slot) => this.#told(slot));
  }

  /** Starts to manage the slots of a new connection: `asked` by the app, `planned` by {@link plan}. */
  begin(asked: readonly SlotConfig[], planned: readonly SlotConfig[]): void {
    this.end();
    if (!Array.isArray(asked)) return;
    asked.forEach(({ slot: index, stream, quality }, at) => {
      this.#slots.set(index, {
        index,
        wish: { stream, quality, told: planned[at]?.quality },
        calls: 0,
        pausedByApp: false,
        pausedHere: false,
        hiding: undefined,
        resizing: undefined,
      });
    });
  }

  /** The connection has ended. */
  end(): void {
    for (const { hiding, resizing } of this.#slots.values()) {
      clearTimeout(hiding);
      clearTimeout(resizing);
    }
    this.#slots = new Map();
  }

  /** Handles an event of the core. Returns the event for the app, with `'auto'` and `'hidden'` in a status where they apply. */
  handle(event: ClientEvent): ClientEvent {
    if (event.type === 'disconnected') this.end();
    if (event.type === 'state' && event.state === 'connected') this.#connected();
    if (event.type !== 'status') return event;
    const { status } = event.status;
    if (status === 'offline' || status === 'error') this.#failed(event.slot);
    return { ...event, status: this.#describe(event.status) };
  }

  async switchStream(core: Core, slot: number, stream: string, quality?: string): Promise<SlotStatus> {
    const wish = { slot, stream, quality };
    const { quality: told } = this.#told(wish);
    return this.#describe(await this.#show([wish], [told], () => core.switchStream(slot, stream, told)));
  }

  async switchMany(core: Core, wishes: readonly SlotConfig[], atomic: boolean): Promise<SlotStatus[]> {
    if (!Array.isArray(wishes)) return core.switchMany(wishes, atomic);
    const told = wishes.map((wish) => this.#told(wish));
    const qualities = told.map(({ quality }) => quality);
    const statuses = await this.#show(wishes, qualities, () => core.switchMany(told, atomic), atomic);
    return statuses.map((status) => this.#describe(status));
  }

  /** Pauses a slot for the app. Only the app ends this pause. */
  async pause(core: Core, slot: number): Promise<SlotStatus> {
    return this.#describe(await this.#decided(slot, true, () => core.pause(slot)));
  }

  async resume(core: Core, slot: number): Promise<SlotStatus> {
    return this.#describe(await this.#decided(slot, false, () => core.resume(slot)));
  }

  /** Keeps a stream running. It is not known which tile will show it, so the quality fits the largest one. */
  warm(core: Core, stream: string, quality?: string): Promise<string> {
    return core.warm(stream, this.#isAuto(quality) ? this.#choose(stream, this.#sight.tile()) : quality);
  }

  #isAuto(quality: string | undefined): boolean {
    return quality === AUTO || (this.#autoQuality && quality === undefined);
  }

  /** The wish as the server is sent it: with a quality that fits the tile in place of `'auto'`. */
  #told(wish: SlotConfig): SlotConfig {
    if (!this.#isAuto(wish.quality)) return wish;
    return { ...wish, quality: this.#choose(wish.stream, this.#sight.tile(wish.slot)) };
  }

  /** The quality of `stream` that fits `tile`. Without a tile the current quality stays. */
  #choose(stream: string, tile: Tile | undefined, current?: string): string {
    return tile ? chooseQuality(this.#catalogue.variants(stream), tile, current) : (current ?? NATIVE);
  }

  /**
   * Adds to a status what the server does not know: that the app asked for `auto`, and that the slot is paused because it is
   * out of sight.
   */
  #describe(status: SlotStatus): SlotStatus {
    const slot = this.#slots.get(status.slot);
    if (slot === undefined) return status;
    const { wish, pausedHere } = slot;
    const suffix = status.quality && status.quality !== NATIVE ? `-${status.quality}` : '';
    const isAuto = this.#isAuto(wish.quality) && status.stream === `${wish.stream}${suffix}`;
    return {
      ...status,
      ...(isAuto && { quality: AUTO }),
      ...(pausedHere && status.status === 'paused' && { reason: HIDDEN }),
    };
  }

  /** Reviews every slot after a connection, since the server may have another config than before. */
  #connected(): void {
    for (const index of this.#slots.keys()) this.#review(index);
    if ([...this.#slots.values()].some(({ wish }) => this.#isAuto(wish.quality))) this.#learnIfOld();
  }

  /** Asks for the list of variants again when a chosen variant fails, so that another one is chosen while the camera works. */
  #failed(index: number): void {
    const wish = this.#slots.get(index)?.wish;
    if (wish && this.#isAuto(wish.quality) && wish.told !== NATIVE) void this.#learn();
  }

  /** Performs a switch of the app by `call`, and records what its slots shall show; undoes that if the server refuses. */
  async #show<T>(
    wishes: readonly SlotConfig[],
    told: readonly (string | undefined)[],
    call: () => Promise<T>,
    atomic = false,
  ): Promise<T> {
    const changes = wishes.flatMap(({ slot: index, stream, quality }, at) => {
      const slot = this.#slots.get(index);
      if (slot === undefined) return [];
      const before = { ...slot };
      slot.wish = { stream, quality, told: told[at] };
      slot.pausedByApp = false;
      slot.pausedHere = false;
      return [{ slot, wish: slot.wish, before }];
    });
    if (wishes.some(({ quality }) => this.#isAuto(quality))) this.#learnIfOld();
    const indices = changes.map(({ slot }) => slot.index);
    return this.#during(indices, async () => {
      try {
        return await call();
      } catch (error) {
        for (const { slot, wish, before } of changes) revert(slot, wish, before, error, atomic);
        throw error;
      }
    });
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
      if (this.#isAuto(slot.wish.quality)) this.#learnIfOld();
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
    if (slot.calls > 0 || slot.pausedByApp) return;
    const before = { ...slot };
    const { wish } = slot;
    const quality = this.#isAuto(wish.quality)
      ? this.#choose(wish.stream, this.#sight.tile(index), wish.told)
      : wish.told;
    slot.pausedHere = false;
    if (quality !== wish.told) {
      const change = { ...wish, told: quality };
      slot.wish = change;
      // A refused switch is undone here. If the camera fails, the slot's status reports it.
      core.switchStream(index, wish.stream, quality).catch((error) => revert(slot, change, before, error));
    } else if (before.pausedHere) {
      core.resume(index).catch(() => {});
    }
  }

  /** Pauses a slot that was out of sight for `HIDDEN_MS`. */
  #hide(index: number, slot: Slot): void {
    slot.hiding = undefined;
    // If a call of the app waits, the slot is reviewed again when the call ends.
    if (slot.calls > 0 || slot.pausedByApp || slot.pausedHere) return;
    slot.pausedHere = true;
    this.#core()
      ?.pause(index)
      .catch(() => {});
  }

  /** Performs a pause or resume of the app by `call`, and records that the app decided it. */
  #decided<T>(index: number, pausedByApp: boolean, call: () => Promise<T>): Promise<T> {
    const slot = this.#slots.get(index);
    if (slot !== undefined) {
      slot.pausedByApp = pausedByApp;
      slot.pausedHere = false;
    }
    return this.#during([index], call);
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

/** Restores what the slot had before a refused wish, unless a later wish was made since. */
function revert(slot: Slot, wish: Wish, before: Slot, error: unknown, atomic = false): void {
  if (!(error instanceof MultiStreamError) || !error.kept) return;
  // An atomic call that is refused changes none of its slots. Otherwise the error names the slot that was refused, if it is
  // one.
  const isMeant = atomic || error.slot === undefined || error.slot === slot.index;
  if (slot.wish !== wish || !isMeant) return;
  slot.wish = before.wish;
  slot.pausedByApp = before.pausedByApp;
  slot.pausedHere = before.pausedHere;
}
