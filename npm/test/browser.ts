// Fakes of the parts of a browser and of a server that the client needs in Node.

import type { ClientMessage, ServerMessage, SlotRequest, SlotStatus } from '../src/generated/protocol.js';

/** The sockets that were opened, newest last. */
export const sockets: FakeSocket[] = [];
/** The peers that were made, newest last. */
export const peers: FakePeer[] = [];

/** How the server answers a message; `undefined`, or `false` for a message, is the answer of a real server. */
export const server: {
  answer: ((socket: FakeSocket, message: ClientMessage) => boolean) | undefined;
  accepts: boolean;
} = {
  answer: undefined,
  accepts: true,
};

/** What every receiver's getStats() reports. */
export const stats = new Map<string, object>();

export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = 0;
  binaryType = 'blob';
  readonly sent: ClientMessage[] = [];
  closedWith: number | string | undefined;
  #slots: SlotRequest[] = [];

  constructor(readonly url: string) {
    super();
    sockets.push(this);
    setTimeout(() => {
      if (!server.accepts) return this.drop(1006);
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.dispatchEvent(new Event('open'));
    });
  }

  send(text: string): void {
    const message = JSON.parse(text) as ClientMessage;
    this.sent.push(message);
    if (!server.answer?.(this, message)) this.#answer(message);
  }

  /** Receives a message from the server, or any other text. */
  say(message: ServerMessage | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  /** Records the code that the client closes with. As in a browser, a code that a page may not send is refused. */
  close(code?: number): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException('the code is neither 1000 nor between 3000 and 4999', 'InvalidAccessError');
    }
    this.closedWith ??= code ?? 'no code';
    this.drop(code ?? 1005);
  }

  drop(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    const close = new FakeCloseEvent('close', { code, wasClean: code !== 1006 });
    setTimeout(() => this.dispatchEvent(close));
  }

  #answer(message: ClientMessage): void {
    if (message.type === 'multistream/init') {
      const { request_id } = message;
      this.#slots = message.slots;
      this.say({ type: 'multistream/ready', request_id, slots: this.#slots.length, ice_servers: [] });
    }
    if (message.type === 'multistream/offer') {
      const { request_id } = message;
      // The slots are on the m-lines in reverse order, so that only `mids` gives a slot its track.
      const mids = Object.fromEntries(
        this.#slots.map(({ slot }, at) => [slot, String(this.#slots.length - 1 - at)]),
      );
      const slots = this.#slots.map(
        ({ slot, stream }): SlotStatus => ({
          slot,
          stream,
          status: 'active',
          actual_quality: 'native',
        }),
      );
      this.say({ type: 'multistream/answer', request_id, sdp: 'answer', slots, mids });
    }
    if (message.type === 'multistream/switch') {
      const { request_id, slot, stream } = message;
      const status: SlotStatus = { slot, stream, status: 'active' };
      this.say({ type: 'multistream/status', request_id, slot, status });
    }
  }
}

/** Node 20 has no `CloseEvent`. */
class FakeCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(type: string, { code = 0, reason = '', wasClean = false } = {}) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
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

/** Installs the fakes as globals. */
export function install(): void {
  Object.assign(globalThis, {
    WebSocket: FakeSocket,
    CloseEvent: FakeCloseEvent,
    RTCPeerConnection: FakePeer,
  });
  reset();
}

/** Removes WebRTC, as in Node itself. */
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
