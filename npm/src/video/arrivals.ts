// What a connection has received (W3C webrtc-stats), for the core, which judges by it whether pictures move.

/** `mid` and `trackIdentifier` are part of the standard, but not both of TypeScript's typings. */
type Stats = RTCInboundRtpStreamStats & RTCTransportStats & { trackIdentifier?: string };

/**
 * Packets of the connection, the age of the last RTP packet in milliseconds, then slot, RTP packets and decoded pictures of each
 * slot.
 */
export async function readArrivals(
  pc: RTCPeerConnection,
  tracks: ReadonlyMap<number, MediaStreamTrack>,
): Promise<Float64Array> {
  const all = [...(await pc.getStats()).values()] as Stats[];
  const slots = new Map([...tracks].map(([slot, { id }]) => [id, slot]));
  const numbers: number[] = [];
  let [packets, transport, age] = [0, 0, Number.POSITIVE_INFINITY];
  for (const stats of all) {
    if (stats.type === 'transport') transport += stats.packetsReceived ?? 0;
    const slot = stats.type === 'inbound-rtp' ? slots.get(stats.trackIdentifier ?? '') : undefined;
    if (slot === undefined) continue;
    const received = stats.packetsReceived ?? 0;
    packets += received;
    age = Math.min(age, stats.timestamp - (stats.lastPacketReceivedTimestamp ?? Number.NEGATIVE_INFINITY));
    // A browser that does not tell is not suspected of pictures that it does not decode.
    numbers.push(slot, received, stats.framesDecoded ?? received);
  }
  // Browsers without counts of the transport: RTCP is not counted.
  return Float64Array.of(transport || packets, Number.isFinite(age) ? Math.max(0, age) : 0, ...numbers);
}
