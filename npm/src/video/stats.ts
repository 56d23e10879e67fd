// The counters of a slot's receiver (W3C webrtc-stats, `inbound-rtp`), as rates since the previous reading.

/**
 * How a slot's picture arrives.
 *
 * @example
 * ```ts
 * const stats = await client.getStats(0);
 * console.log(`${stats?.fps.toFixed(0)} fps, ${((stats?.bitrateBps ?? 0) / 1e6).toFixed(1)} Mbit/s`);
 * ```
 */
export interface SlotStats {
  /** Index of the slot. */
  slot: number;
  /** Decoded frames per second since the previous reading; the browser's own figure in the first one. */
  fps: number;
  /** Received payload in bits per second since the previous reading; 0 in the first one. */
  bitrateBps: number;
  /** Width of the last decoded frame in pixels; 0 before the first. */
  width: number;
  /** Height of the last decoded frame in pixels; 0 before the first. */
  height: number;
  /** The codec, e.g. `H264`; empty before the first frame. */
  codec: string;
  /** Frames decoded so far. */
  framesDecoded: number;
  /** Frames dropped before they were shown, so far. */
  framesDropped: number;
  /** How often the picture froze, as the browser counts it. */
  freezes: number;
  /** RTP packets lost and not repaired, so far. */
  packetsLost: number;
  /** Variation of the packets' delay in milliseconds (RFC 3550 §6.4.1). */
  jitterMs: number;
  /** Milliseconds since the last packet arrived; `undefined` before the first. */
  ageMs: number | undefined;
  /**
   * Milliseconds from a frame's first packet to its decoded picture, on average since the previous reading. The browser adds
   * this to the latency of camera and network.
   */
  delayMs: number | undefined;
}

interface Reading {
  atMs: number;
  frames: number;
  bytes: number;
  delayS: number;
}

/** `totalProcessingDelay` is part of the standard, but not yet of TypeScript's typings. */
type Inbound = RTCInboundRtpStreamStats & { totalProcessingDelay?: number };

/** Keeps the previous reading of each receiver. A new connection has new receivers, so their rates begin at 0. */
export class StatsReader {
  readonly #before = new WeakMap<RTCRtpReceiver, Reading>();

  async read(slot: number, receiver: RTCRtpReceiver): Promise<SlotStats | undefined> {
    const report = await receiver.getStats();
    const entries = [...report.values()] as (Inbound & { mimeType?: string })[];
    const inbound = entries.find(({ type }) => type === 'inbound-rtp');
    if (inbound === undefined) return undefined;
    const now = {
      atMs: inbound.timestamp,
      frames: inbound.framesDecoded ?? 0,
      bytes: inbound.bytesReceived ?? 0,
      delayS: inbound.totalProcessingDelay ?? 0,
    };
    const before = this.#before.get(receiver);
    this.#before.set(receiver, now);
    const seconds = before ? (now.atMs - before.atMs) / 1000 : 0;
    const rate = (later: number, earlier: number) => (seconds > 0 ? (later - earlier) / seconds : 0);
    const frames = before ? now.frames - before.frames : 0;
    const lastPacketAt = inbound.lastPacketReceivedTimestamp;
    const codec = entries.find(({ id }) => id === inbound.codecId)?.mimeType ?? '';
    return {
      slot,
      fps: before ? rate(now.frames, before.frames) : (inbound.framesPerSecond ?? 0),
      bitrateBps: before ? rate(now.bytes, before.bytes) * 8 : 0,
      width: inbound.frameWidth ?? 0,
      height: inbound.frameHeight ?? 0,
      codec: codec.replace(/^video\//, ''),
      framesDecoded: now.frames,
      framesDropped: inbound.framesDropped ?? 0,
      freezes: inbound.freezeCount ?? 0,
      packetsLost: inbound.packetsLost ?? 0,
      jitterMs: (inbound.jitter ?? 0) * 1000,
      ageMs: lastPacketAt === undefined ? undefined : Math.max(0, inbound.timestamp - lastPacketAt),
      delayMs: before && frames > 0 ? ((now.delayS - before.delayS) / frames) * 1000 : undefined,
    };
  }
}
