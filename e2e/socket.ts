// A client of the WebSocket protocol that sends any message and records every answer.
import { once } from 'node:events';
import WebSocket from 'ws';

export type Message = Record<string, unknown> & { type: string };

const PATIENCE_MS = 5_000;

export class Socket {
  readonly received: Message[] = [];
  #next = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.received.push(JSON.parse(String(data)) as Message));
    // Errors are seen by the close code.
    socket.on('error', () => {});
  }

  static async open(url: string): Promise<Socket> {
    const socket = new WebSocket(url);
    const opened = new Socket(socket);
    await once(socket, 'open');
    return opened;
  }

  send(message: Record<string, unknown> | string | Buffer): void {
    const isRaw = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  /** Sends a message and returns its answer. A status without a request id is not an answer. */
  async ask(message: Record<string, unknown> | string | Buffer): Promise<Message> {
    const deadline = Date.now() + PATIENCE_MS;
    this.send(message);
    while (Date.now() < deadline) {
      const heard = this.received[this.#next];
      if (heard === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      this.#next += 1;
      if (heard.type !== 'multistream/status' || heard.request_id !== undefined) return heard;
    }
    throw new Error(`no answer; heard: ${JSON.stringify(this.received)}`);
  }

  closed(): Promise<number> {
    return new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
  }

  close(): void {
    this.socket.close();
  }
}
