// A child process whose output can be waited for. It has exited when `stop` returns.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

const STOP_GRACE_MS = 8_000;

export class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #exited: Promise<number | null>;
  #wake: () => void = () => {};

  constructor(command: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
    this.#process = spawn(command, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = new Promise((resolve) => {
      this.#process.on('exit', (code) => resolve(code));
      this.#process.on('error', (error) => {
        this.lines.push(String(error));
        resolve(null);
      });
    });
    void this.#exited.then(() => this.#wake());
    for (const pipe of [this.#process.stdout, this.#process.stderr]) {
      if (pipe === null) continue;
      createInterface({ input: pipe }).on('line', (line) => {
        this.lines.push(line);
        this.#wake();
      });
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get running(): boolean {
    return (
      this.#process.exitCode === null && this.#process.signalCode === null && this.#process.pid !== undefined
    );
  }

  /** The first line that matches, now or later. Rejects when the process exits or after `timeoutMs`. */
  async line(matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0 || !this.running) throw new Error(`no such output; there was:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  exitCode(): Promise<number | null> {
    return this.#exited;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    this.#process.kill(signal);
    const killer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_GRACE_MS);
    await this.#exited;
    clearTimeout(killer);
  }
}

/** A TCP port that is free on every address of this machine. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}
