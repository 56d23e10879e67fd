// The number of tiles that the server allows a page, from GET /api, which is requested until it answers.
import { useEffect, useState } from 'react';
import { ask } from './access';

const RETRY_MS = 1_500;

/** `undefined` until the server has answered. */
export function useMaxSlots(): number | undefined {
  const [maxSlots, setMaxSlots] = useState<number>();
  useEffect(() => {
    let timer: number;
    const abort = new AbortController();
    const refresh = async () => {
      try {
        const response = await ask('api', abort.signal);
        const about = (await response.json()) as { max_slots?: unknown };
        if (typeof about.max_slots !== 'number') throw new Error('no max_slots in GET /api');
        setMaxSlots(about.max_slots);
      } catch {
        // The list of cameras, which is requested at the same time, shows why the server does not answer.
        if (!abort.signal.aborted) timer = window.setTimeout(refresh, RETRY_MS);
      }
    };
    void refresh();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, []);
  return maxSlots;
}
