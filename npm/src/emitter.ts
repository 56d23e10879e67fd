// Event handlers by type. A handler that throws stops neither the other handlers nor the client.
import type { ClientEvent, ClientEventOf, ClientEventType } from './events.js';
import { log, logEvent } from './log.js';

type Handler = (event: ClientEvent) => void;

export class Emitter {
  readonly #handlers = new Map<ClientEventType, Set<Handler>>();

  on<T extends ClientEventType>(type: T, handler: (event: ClientEventOf<T>) => void): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers);
    // The cast is safe: `emit` calls a handler with events of its own type only.
    handlers.add(handler as Handler);
    return () => this.off(type, handler);
  }

  off<T extends ClientEventType>(type: T, handler: (event: ClientEventOf<T>) => void): void {
    this.#handlers.get(type)?.delete(handler as Handler);
  }

  emit(event: ClientEvent): void {
    logEvent(event);
    for (const handler of [...(this.#handlers.get(event.type) ?? [])]) {
      try {
        handler(event);
      } catch (error) {
        log('error', `a handler of '${event.type}' threw`, error);
      }
    }
  }
}
