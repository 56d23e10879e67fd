// Just enough of a browser, and of a server, to run the real client in Node.

type Frame = Record<string, unknown> & { type: string };

/** The sockets that were opened, newest last. */
export const sockets: FakeSocket[] = [];
/** The peers that were made, newest last. */
export const peers: FakePeer[] = [];

/** What the server does with a frame; `undefined`: what a good server does. */
export const server: {
  answer: ((socket: FakeSocket, frame: Frame) => boolean) | undefined;
  accepts: boolean;
} = {
  answer: undefined,
  accepts: true,
};

/** What every receiver's getStats() reports. */
export const stats = new Map<string, object>();

export class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  readonly sent: Frame[] = [];
  #slots: { slot: number; stream: string }[] = [];

  constructor(readonly url: string) {
    sockets.push(this);
    setTimeout(() => {
      if (!server.accepts) return this.drop(1006);
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Frame;
    this.sent.push(frame);
    if (!server.answer?.(this, frame)) this.#answer(frame);
  }

  /** A frame from the server. */
  say(frame: object | string): void {
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.onmessage?.(new MessageEvent('message', { data }));
  }

  close(): void {
    this.drop(1000);
  }

  drop(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setTimeout(() => this.onclose?.(Object.assign(new Event('close'), { code, reason: '' })));
  }

  #answer(frame: Frame): void {
    const { request_id } = frame;
    if (frame.type === 'multistream/init') {
      this.#slots = frame.slots as { slot: number; stream: string }[];
      this.say({ type: 'multistream/ready', request_id, slots: this.#slots.length, ice_servers: [] });
    }
    if (frame.type === 'multistream/offer') {
      // The last slot on the first media line: only `mids` tells.
      const mids = Object.fromEntries(
        this.#slots.map(({ slot }, at) => [slot, String(this.#slots.length - 1 - at)]),
      );
      const slots = this.#slots.map(({ slot, stream }) => ({
        slot,
        stream,
        status: 'active',
        actual_quality: 'native',
      }));
      this.say({ type: 'multistream/answer', request_id, sdp: 'answer', slots, mids });
    }
    if (frame.type === 'multistream/switch') {
      const { slot, stream } = frame;
      const status = { slot, stream, status: 'active' };
      this.say({ type: 'multistream/status', request_id, slot, status });
    }
  }
}

export class FakePeer extends EventTarget {
  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: (() => void) | null = null;
  readonly #transceivers: { mid: string | null; receiver: object }[] = [];

  constructor(readonly config: RTCConfiguration) {
    super();
    peers.push(this);
  }

  addTransceiver(): unknown {
    const id = `track-${peers.length}-${this.#transceivers.length}`;
    const transceiver = { mid: null, receiver: { track: { id }, getStats: async () => stats } };
    this.#transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers(): unknown[] {
    return this.#transceivers;
  }

  async createOffer(): Promise<object> {
    return { type: 'offer', sdp: 'offer' };
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: 'offer' };
    for (const [at, transceiver] of this.#transceivers.entries()) transceiver.mid = String(at);
  }

  async setRemoteDescription(): Promise<void> {
    setTimeout(() => this.become('connected'));
  }

  async addIceCandidate(): Promise<void> {}

  become(state: string): void {
    if (this.connectionState === 'closed') return;
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.connectionState = 'closed';
  }
}

/** Puts the browser in place. */
export function install(): void {
  Object.assign(globalThis, { WebSocket: FakeSocket, RTCPeerConnection: FakePeer });
  reset();
}

/** A browser without WebRTC: Node as it is. */
export function uninstall(): void {
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
}

export function reset(): void {
  sockets.length = 0;
  peers.length = 0;
  server.answer = undefined;
  server.accepts = true;
  stats.clear();
}
