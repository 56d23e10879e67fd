// Relays between a page and its server that a test can cut: one for HTTP and the WebSocket, one for the media.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './child';

const HOST = '127.0.0.1';

/** Relays HTTP and the WebSocket. `cut` resets its connections and refuses new ones. */
export class ControlRelay {
  readonly #sockets = new Set<Socket>();
  readonly #listener;

  private constructor(
    private readonly port: number,
    server: number,
  ) {
    this.#listener = createServer((near) => {
      for (const socket of join(near, server)) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
    });
  }

  /** `server` is the HTTP port of the server. */
  static async start(server: number): Promise<ControlRelay> {
    const relay = new ControlRelay(await freePort(), server);
    await relay.mend();
    return relay;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  cut(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async mend(): Promise<void> {
    this.#listener.listen(this.port, HOST);
    await once(this.#listener, 'listening');
  }
}

/** The relayed packets of one client of a {@link MediaRelay}. */
interface Flow {
  cut(): void;
  mend(): void;
  close(): void;
}

/** Relays the media, UDP and TCP on one port. `cut` is silent: datagrams are dropped, TCP stalls. */
export class MediaRelay {
  #isCut = false;
  readonly #flows = new Set<Flow>();
  readonly #udp = createSocket('udp4');
  readonly #tcp = createServer((socket) => this.#admit(this.#stream(socket)));

  private constructor(
    readonly port: number,
    private readonly server: number,
  ) {
    const known = new Map<number, (packet: Buffer) => void>();
    this.#udp.on('message', (packet, from) => {
      let send = known.get(from.port);
      if (send === undefined) {
        const { flow, towardsServer } = this.#datagrams(from.port);
        known.set(from.port, towardsServer);
        this.#admit(flow);
        send = towardsServer;
      }
      send(packet);
    });
  }

  /** `server` is the WebRTC port of the server, `port` the one that it announces instead (`webrtc.candidates`). */
  static async start(port: number, server: number): Promise<MediaRelay> {
    const relay = new MediaRelay(port, server);
    relay.#udp.bind(port, HOST);
    relay.#tcp.listen(port, HOST);
    await Promise.all([once(relay.#udp, 'listening'), once(relay.#tcp, 'listening')]);
    return relay;
  }

  /** Cuts the paths of all clients, present and future. */
  cut(): void {
    this.#isCut = true;
    this.cutPresent();
  }

  /** Cuts the paths of the clients that are connected now. */
  cutPresent(): void {
    for (const flow of this.#flows) flow.cut();
  }

  mend(): void {
    this.#isCut = false;
    for (const flow of this.#flows) flow.mend();
  }

  stop(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const flow of this.#flows) flow.close();
  }

  #admit(flow: Flow): void {
    this.#flows.add(flow);
    if (this.#isCut) flow.cut();
  }

  /** Gives each client a socket of its own towards the server, as a NAT does. */
  #datagrams(client: number): { flow: Flow; towardsServer: (packet: Buffer) => void } {
    const far = createSocket('udp4');
    let isCut = false;
    // An ICMP error of a server that does not listen is ignored: the packet is lost.
    far.on('error', () => {});
    far.on('message', (packet) => isCut || this.#udp.send(packet, client, HOST));
    const flow: Flow = {
      cut: () => {
        isCut = true;
      },
      mend: () => {
        isCut = false;
      },
      close: () => far.close(),
    };
    return { flow, towardsServer: (packet) => isCut || far.send(packet, this.server, HOST) };
  }

  #stream(near: Socket): Flow {
    const ends = join(near, this.server);
    return {
      cut: () => ends.forEach((end) => void end.pause()),
      mend: () => ends.forEach((end) => void end.resume()),
      close: () => ends.forEach((end) => void end.destroy()),
    };
  }
}

/** Relays everything between `near` and a new connection to `port`, until either closes. */
function join(near: Socket, port: number): [Socket, Socket] {
  const far = connect(port, HOST);
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.setNoDelay();
    from.on('data', (chunk) => void to.write(chunk));
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }
  return [near, far];
}
