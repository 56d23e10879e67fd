// Measures the delay of frames from the network to the screen, and the time from a switch to its first picture.
import type { SwitchTiming } from 'multistream-client';

/** The fields of `requestVideoFrameCallback` (WICG video-rvfc) that are used here; only WebRTC has `receiveTime`. */
export type Frame = Pick<VideoFrameCallbackMetadata, 'expectedDisplayTime' | 'receiveTime'>;

/** How many switches are kept; more than a session of switching by hand has. */
const MAX_SWITCHES = 500;

export class Meters {
  /** By slot, the sum of the delays in ms and the number of frames since the last reading. */
  readonly #delays = new Map<number, { sum: number; frames: number }>();
  #switchTimes: readonly number[] = [];

  frame(slot: number, { receiveTime, expectedDisplayTime }: Frame): void {
    if (receiveTime === undefined) return;
    const { sum, frames } = this.#delays.get(slot) ?? { sum: 0, frames: 0 };
    const delay = Math.max(0, expectedDisplayTime - receiveTime);
    this.#delays.set(slot, { sum: sum + delay, frames: frames + 1 });
  }

  /** Records a switch. One whose picture was not displayed, in a hidden tile or page, has no time. */
  switched({ firstFrame }: SwitchTiming): void {
    if (firstFrame === undefined) return;
    // A refresh of the display is dated at its start, and may show a picture that was requested since then.
    this.#switchTimes = [...this.#switchTimes, Math.max(0, firstFrame)].slice(-MAX_SWITCHES);
  }

  /** The mean delay from the network to the screen since the last reading; `undefined` without a frame. */
  takeDelay(slot: number): number | undefined {
    const delay = this.#delays.get(slot);
    this.#delays.delete(slot);
    return delay && delay.sum / delay.frames;
  }

  /** The times of this session's switches in ms, oldest first. */
  get switchTimes(): readonly number[] {
    return this.#switchTimes;
  }
}
