// The cameras of a server, from the list of its streams.
import { MultiStreamError } from './errors.js';
import type { Stream, Streams } from './generated/protocol.js';

/**
 * A camera, as `GET /api/streams` describes its stream. Its `variants` are the qualities that may be asked for by name.
 *
 * @example
 * ```ts
 * const names = (await client.listStreams()).map(({ name, state }: Camera) => `${name}: ${state}`);
 * ```
 */
export interface Camera extends Stream {
  /** The name to ask for. */
  name: string;
}

/** The streams in the order of the config, without those that are a variant of another one. */
export function camerasOf(streams: Streams | undefined): Camera[] {
  if (streams === undefined) {
    throw new MultiStreamError(
      'list-failed',
      'The server does not tell its streams: is it there, and its token right?',
    );
  }
  const all = Object.entries(streams);
  const folded = new Set(
    all.flatMap(([name, { variants }]) =>
      variants.map(({ stream }) => stream).filter((stream) => stream !== name),
    ),
  );
  return all.filter(([name]) => !folded.has(name)).map(([name, stream]) => ({ ...stream, name }));
}
