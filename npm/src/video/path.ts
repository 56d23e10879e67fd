// The network path of the media (W3C webrtc-stats: `transport`, `candidate-pair` and its candidates).

/**
 * The network path that the media takes from the server to the browser.
 *
 * @example
 * ```ts
 * const path = await client.getPath();
 * console.log(`${path?.protocol} ${path?.serverAddress}, ${path?.rttMs?.toFixed(0)} ms`);
 * ```
 */
export interface ConnectionPath {
  /** `'tcp'` where a network lets no UDP through. */
  protocol: 'udp' | 'tcp';
  /** The server's address and port, e.g. `192.168.1.10:8555` or `[fe80::1]:8555`. */
  serverAddress: string;
  /** `host`: directly; `relay`: over a TURN server of yours; `srflx`, `prflx`: through an address translation. */
  type: RTCIceCandidateType;
  /** The last measured round-trip time in milliseconds; `undefined` before the first measurement. */
  rttMs: number | undefined;
}

interface Candidate {
  address?: string | null;
  port?: number;
  protocol?: string;
  candidateType?: RTCIceCandidateType;
}

/** Reads the path from a connection's statistics; `undefined` until a candidate pair is selected. */
export async function readPath(receiver: RTCRtpReceiver): Promise<ConnectionPath | undefined> {
  const report = new Map<string, unknown>((await receiver.getStats()) as Iterable<[string, unknown]>);
  const entries = [...report.values()] as RTCStats[];
  const transport = entries.find(({ type }) => type === 'transport') as RTCTransportStats | undefined;
  const pair = report.get(transport?.selectedCandidatePairId ?? '') as RTCIceCandidatePairStats | undefined;
  const local = report.get(pair?.localCandidateId ?? '') as Candidate | undefined;
  const remote = report.get(pair?.remoteCandidateId ?? '') as Candidate | undefined;
  if (!pair || !remote?.address) return undefined;
  const address = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
  const rtt = pair.currentRoundTripTime;
  return {
    protocol: remote.protocol === 'tcp' ? 'tcp' : 'udp',
    serverAddress: `${address}:${remote.port}`,
    type: local?.candidateType === 'relay' ? 'relay' : (remote.candidateType ?? 'host'),
    rttMs: rtt === undefined ? undefined : rtt * 1000,
  };
}
