// The core of one client, and whether the WebAssembly that it is part of has crashed.
import { MultiStreamError } from '../errors.js';
import type { ClientState } from '../types.js';
import type { Core } from './glue.js';
import type { Guard } from './guard.js';
import type { Instance } from './load.js';

export class Running {
  #running: { core: Core; guard: Guard } | undefined;

  /** The core, unless it has crashed. */
  get core(): Core | undefined {
    return this.crash === undefined ? this.#running?.core : undefined;
  }

  get crash(): MultiStreamError | undefined {
    return this.#running?.guard.crash;
  }

  get state(): ClientState {
    return this.crash ? 'disconnected' : (this.#running?.core.state ?? 'idle');
  }

  disconnect(): void {
    try {
      this.core?.disconnect();
    } catch (error) {
      // It is over in that case too, and the events tell why.
      if (!(error instanceof MultiStreamError)) throw error;
    }
  }

  /** The core that there is, or a new one: the first, and after a crash. */
  coreOf({ Core: CoreClass, guard }: Instance, make: (CoreClass: typeof Core) => Core): Core {
    if (this.#running?.guard !== guard) this.#running = { core: make(CoreClass), guard };
    return this.#running.core;
  }

  async call<T>(call: (core: Core) => Promise<T>): Promise<T> {
    if (this.#running === undefined) {
      const message = 'There is no connection: call connect() first.';
      throw new MultiStreamError('not-connected', message, undefined, true);
    }
    const { core, guard } = this.#running;
    if (guard.crash !== undefined) throw guard.crash;
    return guard.settled(call(core));
  }
}
