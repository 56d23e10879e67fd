// Runs the real server binary with a config of the test's own, on ports of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Streams } from '../npm/src/generated/protocol';
import { Child, freePort, repository } from './child';
import type { Netns } from './netns';
import { packageHost } from './package-host';

const CONFIG = 'multistream.yaml';
const READY_TIMEOUT_MS = 20_000;
const targetFolder = process.env.CARGO_TARGET_DIR ?? join(repository, 'target');
export const binary = process.env.MULTISTREAM_BIN ?? join(targetFolder, 'debug', 'multistream');

export interface ServerOptions {
  /** Stream name → source or sources. */
  streams: Record<string, string | string[]>;
  /** More lines for the section `multistream:`. */
  multistream?: Record<string, string | number>;
  /** More lines for the section `webrtc:`. */
  webrtc?: Record<string, unknown>;
  /** More origins whose pages may connect. */
  origins?: string[];
  /** More lines for the section `api:`. */
  api?: Record<string, unknown>;
  /** The network that it runs in, instead of the host's. It listens on every address there. */
  netns?: Netns;
}

export class Server {
  private constructor(
    public child: Child,
    readonly port: number,
    /** The UDP and TCP port of the media. */
    readonly webrtcPort: number,
    private readonly folder: string,
    /** Those of the config that are long enough to be nothing else. */
    private readonly passwords: readonly string[],
    private readonly netns?: Netns,
  ) {}

  static async start(options: ServerOptions): Promise<Server> {
    const port = await freePort();
    const listen = options.webrtc?.listen;
    const webrtcPort = listen === undefined ? await freePort() : Number(String(listen).split(':').at(-1));
    const folder = mkdtempSync(join(tmpdir(), 'multistream-e2e-'));
    const host = options.netns === undefined ? '127.0.0.1' : '';
    // JSON is YAML.
    const text = JSON.stringify({
      api: {
        listen: `${host}:${port}`,
        origin: [await packageHost(), ...(options.origins ?? [])],
        ...options.api,
      },
      webrtc: { listen: `${host}:${webrtcPort}`, ...options.webrtc },
      multistream: { linger: '1s', ...options.multistream },
      log: { level: 'info,multistream=debug' },
      streams: options.streams,
    });
    writeFileSync(join(folder, CONFIG), text);
    const { netns } = options;
    const passwords = [
      ...text.matchAll(/:\/\/[^:/@"]*:([^@/"]{6,})@|"(?:token|password)":"([^"]{6,})"/g),
    ].map((match) => match[1] ?? match[2] ?? '');
    const server = new Server(Server.#spawn(folder, netns), port, webrtcPort, folder, passwords, netns);
    try {
      await server.#ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  static #spawn(folder: string, netns?: Netns): Child {
    return new Child(netns?.wrap(binary) ?? binary, ['serve', '--config', join(folder, CONFIG)]);
  }

  /** Kills it, as a power failure would. */
  kill(): Promise<void> {
    return this.child.stop('SIGKILL');
  }

  /** Starts it again after {@link kill}, on the same ports. Returns when it listens. */
  async restart(): Promise<void> {
    this.child = Server.#spawn(this.folder, this.netns);
    await this.#ready();
  }

  get url(): string {
    return `http://${this.netns?.address ?? '127.0.0.1'}:${this.port}`;
  }

  get webSocketUrl(): string {
    return `ws${this.url.slice('http'.length)}/api/ws`;
  }

  async streams(): Promise<Streams> {
    return (await (await fetch(`${this.url}/api/streams`)).json()) as Streams;
  }

  async viewers(stream: string): Promise<number | undefined> {
    return (await this.streams())[stream]?.viewers;
  }

  /** How many frames, and how many key frames, the server has received of a stream since it started. */
  async received(stream: string): Promise<{ frames: number; keyFrames: number }> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    const value = (name: string) => {
      const line = metrics
        .split('\n')
        .find((line) => line.startsWith(`${name}{`) && line.includes(`"${stream}"`));
      return Number(line?.split(' ').at(-1));
    };
    return {
      frames: value('multistream_stream_frames_total'),
      keyFrames: value('multistream_stream_key_frames_total'),
    };
  }

  /** The command names of the server's child processes that exist. */
  childProcesses(): string[] {
    return this.childPids().map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  }

  /** The process ids of the server's children, zombies included, without its guardian, which lives as long as it does. */
  childPids(): number[] {
    const tasks = `/proc/${this.child.pid}/task`;
    const pids = readdirSync(tasks).flatMap((task) =>
      readFileSync(`${tasks}/${task}/children`, 'utf8').split(' '),
    );
    const isGuardian = (pid: string) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0guard\0');
      } catch {
        return false;
      }
    };
    return pids.filter((pid) => pid !== '' && !isGuardian(pid)).map(Number);
  }

  async stop(): Promise<void> {
    await this.child.stop();
    rmSync(this.folder, { recursive: true, force: true });
    const said = this.child.lines.join('\n');
    for (const password of this.passwords) {
      if (said.includes(password)) throw new Error('the log of the server holds a password of its config');
    }
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadline && this.child.running) {
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the server did not start:\n${this.child.lines.join('\n')}`);
  }
}
