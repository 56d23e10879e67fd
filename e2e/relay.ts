// Cables between a page and its server that a test can pull: one for the control connection, one for the media.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './child';

const HOST = '127.0.0.1';

/** The way of HTTP and WebSocket. Cutting it resets its connections, and new ones are refused. */
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

  /** `server`: the port of its web server. */
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

/** One client's way through a {@link MediaRelay}. */
interface Flow {
  cut(): void;
  mend(): void;
  close(): void;
}

/** The way of the media, UDP and TCP on one port. Cutting it is silent: datagrams vanish, TCP stands still. */
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

  /** `server`: the port of its media. `port`: the one that it announces instead (`webrtc.candidates`). */
  static async start(port: number, server: number): Promise<MediaRelay> {
    const relay = new MediaRelay(port, server);
    relay.#udp.bind(port, HOST);
    relay.#tcp.listen(port, HOST);
    await Promise.all([once(relay.#udp, 'listening'), once(relay.#tcp, 'listening')]);
    return relay;
  }

  /** Cuts the ways of all clients, and of those to come. */
  cut(): void {
    this.#isCut = true;
    this.cutPresent();
  }

  /** Cuts the ways of those that are connected now. */
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

  /** A socket of its own towards the server, as a router has that translates addresses. */
  #datagrams(client: number): { flow: Flow; towardsServer: (packet: Buffer) => void } {
    const far = createSocket('udp4');
    let isCut = false;
    // A server that is not there is a matter of its own (ICMP): here the packet is lost.
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

/** Passes everything on between `near` and a new connection to `port`, until either ends. */
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
