// How long pictures took: from the network to the screen, and from the wish for another camera to its first one.
import type { SwitchTiming } from 'multistream-client';

/** Of `requestVideoFrameCallback` (WICG video-rvfc), as far as it is needed here; `receiveTime` is of WebRTC alone. */
export type Frame = Pick<VideoFrameCallbackMetadata, 'expectedDisplayTime' | 'receiveTime'>;

/** More than a session of switching by hand. */
const MAX_SWITCHES = 500;

export class Meters {
  /** By slot, what the frames since the last reading took, in ms. */
  readonly #delays = new Map<number, { sum: number; frames: number }>();
  #switchTimes: readonly number[] = [];

  frame(slot: number, { receiveTime, expectedDisplayTime }: Frame): void {
    if (receiveTime === undefined) return;
    const { sum, frames } = this.#delays.get(slot) ?? { sum: 0, frames: 0 };
    const delay = Math.max(0, expectedDisplayTime - receiveTime);
    this.#delays.set(slot, { sum: sum + delay, frames: frames + 1 });
  }

  /** Of a switch whose picture nobody saw, as it was hidden, there is no time. */
  switched({ firstFrame }: SwitchTiming): void {
    if (firstFrame !== undefined) this.#switchTimes = [...this.#switchTimes, firstFrame].slice(-MAX_SWITCHES);
  }

  /** The mean delay from the network to the screen since the reading before; `undefined` without a frame. */
  takeDelay(slot: number): number | undefined {
    const delay = this.#delays.get(slot);
    this.#delays.delete(slot);
    return delay && delay.sum / delay.frames;
  }

  /** Of this session, oldest first. */
  get switchTimes(): readonly number[] {
    return this.#switchTimes;
  }
}
