// The server's cameras, from GET /api/streams, which is requested every ten seconds.
import { useEffect, useState } from 'react';
import { ask } from './access';

/** One camera with its qualities. */
export interface Camera {
  name: string;
  /** `native` first. */
  qualities: readonly string[];
  /** Whether the camera's source has failed and is being tried again. A camera that nobody watches is not offline. */
  isOffline: boolean;
}

/** The server's answer, with the fields that this page uses. */
export type StreamList = Record<
  string,
  { qualities: string[]; variants: { stream: string }[]; state: string }
>;

export type Cameras =
  | { state: 'loading' }
  | { state: 'failed'; reason: string }
  | { state: 'known'; cameras: readonly Camera[] };

const REFRESH_MS = 10_000;
const RETRY_MS = 1_500;

/** Base streams only: `camera1-720p` is a quality of `camera1`, not a camera of its own. */
export function baseStreams(list: StreamList): Camera[] {
  const variants = new Set<string>();
  for (const [name, { variants: own }] of Object.entries(list)) {
    for (const { stream } of own) if (stream !== name) variants.add(stream);
  }
  return Object.entries(list)
    .filter(([name]) => !variants.has(name))
    .map(([name, stream]) => ({
      name,
      qualities: stream.qualities,
      isOffline: stream.state === 'offline',
    }))
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** The list of cameras. While the server does not answer, the last list is kept; the tiles show that the connection is lost. */
export function useCameras(): Cameras {
  const [cameras, setCameras] = useState<Cameras>({ state: 'loading' });
  useEffect(() => {
    let timer: number;
    const abort = new AbortController();
    const refresh = async () => {
      let next = REFRESH_MS;
      try {
        const response = await ask('api/streams', abort.signal);
        if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
        const known = baseStreams((await response.json()) as StreamList);
        setCameras((old) =>
          old.state === 'known' && same(old.cameras, known) ? old : { state: 'known', cameras: known },
        );
      } catch (error) {
        if (abort.signal.aborted) return;
        next = RETRY_MS;
        const reason = error instanceof Error ? error.message : String(error);
        setCameras((old) => (old.state === 'known' ? old : { state: 'failed', reason }));
      }
      timer = window.setTimeout(refresh, next);
    };
    void refresh();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, []);
  return cameras;
}

function same(a: readonly Camera[], b: readonly Camera[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** When a camera's last frame came, in ms since 1970 by the browser's clock; `undefined` if the server does not report it. */
export async function lastFrameAt(stream: string, signal: AbortSignal): Promise<number | undefined> {
  const response = await ask(`api/streams?src=${encodeURIComponent(stream)}`, signal);
  const { last_frame_age_s: age } = (await response.json()) as { last_frame_age_s?: number | null };
  return typeof age === 'number' ? Date.now() - age * 1000 : undefined;
}
