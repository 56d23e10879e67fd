// Who decides what a slot shows. A slot's entry of the array does when it changes; what is asked for by a call holds until then,
// whatever becomes of the other slots.
import type { SlotConfig } from '../types.js';
import { sameWish } from './view.js';

export class Wishes {
  /** The array's entries, as they were last rendered. */
  #entries = new Map<number, SlotConfig>();
  /** What each slot shall show. */
  #asked = new Map<number, SlotConfig>();
  /** The slots whose wish the client does not know. */
  readonly #unsent = new Set<number>();

  /** Takes the array of a render. */
  render(slots: readonly SlotConfig[]): void {
    const entries = new Map(slots.map((entry) => [entry.slot, entry]));
    const asked = new Map<number, SlotConfig>();
    for (const [slot, entry] of entries) {
      const isChanged = !sameWish(this.#entries.get(slot), entry);
      if (isChanged) this.#unsent.add(slot);
      asked.set(slot, isChanged ? entry : (this.#asked.get(slot) ?? entry));
    }
    this.#entries = entries;
    this.#asked = asked;
  }

  /** What a call asks of a slot. Returns how to take it back, if nothing else was asked for meanwhile. */
  ask(wish: SlotConfig): () => void {
    const { slot } = wish;
    const before = this.#asked.get(slot);
    if (before === undefined) return () => {};
    this.#asked.set(slot, wish);
    // The client is told by the call itself.
    this.#unsent.delete(slot);
    return () => {
      if (this.#asked.get(slot) === wish) this.#asked.set(slot, before);
    };
  }

  of(slot: number): SlotConfig | undefined {
    return this.#asked.get(slot);
  }

  /** Everything, for a new connection. */
  takeAll(): SlotConfig[] {
    this.#unsent.clear();
    return [...this.#asked.values()];
  }

  /** What the client does not know yet. */
  takeUnsent(): SlotConfig[] {
    const wishes = [...this.#unsent].flatMap((slot) => this.#asked.get(slot) ?? []);
    this.#unsent.clear();
    return wishes;
  }

  /** Forgets what was asked for by calls: another server has other cameras. */
  reset(): void {
    this.#asked = new Map(this.#entries);
  }
}
