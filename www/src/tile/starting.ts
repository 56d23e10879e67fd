// A tile that starts for too long asks again, and then says so.
import type { MultiStreamClient } from 'multistream-client';
import { useEffect, useState } from 'react';
import type { Choice } from '../cameras/choice';

/** After how long a tile asks again by itself, and after how long it says that nothing came. */
const ASK_AGAIN_MS = 3_000;
const SAY_SO_MS = 8_000;

interface Starting {
  /** How long it has been starting, once that is to be said. */
  forS: number | undefined;
  retry: () => void;
}

/** `starts`: the server sends pictures and none is shown (`active`), or looks for the camera still (`buffering`). */
export function useStarting(
  client: MultiStreamClient | null,
  slot: number,
  { stream, quality }: Choice,
  starts: 'active' | 'buffering' | undefined,
): Starting {
  const [forS, setForS] = useState<number>();
  const [attempt, setAttempt] = useState(0);
  // Each attempt, and each stream, has the same time.
  useEffect(() => {
    if (client === null || starts === undefined) return;
    const ask = () => {
      if (starts === 'active') client.requestKeyframe(slot).catch(() => {});
      else client.switchStream(slot, stream, quality).catch(() => {});
    };
    const asking = window.setTimeout(ask, ASK_AGAIN_MS);
    const saying = window.setTimeout(() => setForS(SAY_SO_MS / 1_000), SAY_SO_MS);
    return () => {
      window.clearTimeout(asking);
      window.clearTimeout(saying);
      setForS(undefined);
    };
  }, [client, slot, stream, quality, starts, attempt]);
  const retry = () => {
    setAttempt((attempt) => attempt + 1);
    // What goes wrong is told by the slot's status.
    client?.switchStream(slot, stream, quality).catch(() => {});
  };
  return { forS, retry };
}
