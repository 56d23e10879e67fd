// Runs the RTSP cameras of e2e/cameras as one process.
import { Child, freePort } from './child';

// The first start renders the loops, which takes long.
const READY_TIMEOUT_MS = 180_000;

interface CameraEvent {
  event: 'ready' | 'play' | 'closed';
  client?: number;
  path?: string;
}

export class Cameras {
  #child: Child;

  private constructor(
    child: Child,
    readonly port: number,
    private readonly args: string[],
  ) {
    this.#child = child;
  }

  /** `args` as `e2e/cameras` takes them, e.g. `--count=6`. */
  static async start(...args: string[]): Promise<Cameras> {
    const cameras = new Cameras(Cameras.#spawn(await freePort(), args), 0, args);
    return Object.assign(cameras, { port: await Cameras.#ready(cameras.#child) });
  }

  static #spawn(port: number, args: string[]): Child {
    return new Child('/usr/bin/python3', ['e2e/cameras', `--port=${port}`, ...args]);
  }

  static async #ready(child: Child): Promise<number> {
    const line = await child.line((text) => text.includes('"ready"'), READY_TIMEOUT_MS);
    return (JSON.parse(line) as { port: number }).port;
  }

  url(camera: number, login = ''): string {
    return `rtsp://${login}127.0.0.1:${this.port}/camera${camera}`;
  }

  /** How many RTSP clients are playing this camera now. */
  clients(camera: number): number {
    const events = this.#events();
    const gone = new Set(events.filter((e) => e.event === 'closed').map((e) => e.client));
    const playing = events.filter(
      (e) => e.event === 'play' && e.path === `/camera${camera}` && !gone.has(e.client),
    );
    return new Set(playing.map((e) => e.client)).size;
  }

  /** How often a client began to play this camera. */
  plays(camera: number): number {
    return this.#events().filter((e) => e.event === 'play' && e.path === `/camera${camera}`).length;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  /** Starts them again, on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    this.#child = Cameras.#spawn(this.port, this.args);
    await Cameras.#ready(this.#child);
  }

  #events(): CameraEvent[] {
    return this.#child.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as CameraEvent);
  }
}
