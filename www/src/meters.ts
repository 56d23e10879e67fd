// What the page itself measures, from the frames that its videos show: how long they took from the network to the
// screen, and how long a switch took from the wish to the first new picture.

/** Of `requestVideoFrameCallback` (WICG video-rvfc), as far as it is needed here; `receiveTime` is of WebRTC alone. */
export type Frame = Pick<VideoFrameCallbackMetadata, 'expectedDisplayTime' | 'receiveTime'>;

/** More than a session of switching by hand. */
const MAX_SWITCHES = 500;

export class Meters {
  /** By slot, what the frames since the last reading took, in ms. */
  readonly #delays = new Map<number, { sum: number; frames: number }>();
  /** By slot, the switch that waits for its first picture. */
  readonly #switches = new Map<number, { atMs: number; isActive: boolean }>();
  #switchTimes: readonly number[] = [];

  frame(slot: number, frame: Frame, nowMs: number): void {
    if (frame.receiveTime !== undefined) {
      const { sum, frames } = this.#delays.get(slot) ?? { sum: 0, frames: 0 };
      const delay = Math.max(0, frame.expectedDisplayTime - frame.receiveTime);
      this.#delays.set(slot, { sum: sum + delay, frames: frames + 1 });
    }
    const waiting = this.#switches.get(slot);
    if (!waiting?.isActive) return;
    this.#switches.delete(slot);
    this.#switchTimes = [...this.#switchTimes, nowMs - waiting.atMs].slice(-MAX_SWITCHES);
  }

  /** Someone wishes to see another camera. */
  wish(slot: number, nowMs: number): void {
    this.#switches.set(slot, { atMs: nowMs, isActive: false });
  }

  /** The server has sent the new camera's first picture: the next frame is the new camera's, if not the last one was. */
  active(slot: number): void {
    const waiting = this.#switches.get(slot);
    if (waiting) waiting.isActive = true;
  }

  /** It will not come, or too late to be called a switch. */
  failed(slot: number): void {
    this.#switches.delete(slot);
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
