// What the client knows of a slot's picture, with its age while it stands.
import type { MultiStreamClient, SlotStatus } from 'multistream-client';
import { useEffect, useState } from 'react';

export type Picture =
  /** Nothing of what the slot shows was displayed yet. */
  | { state: 'none' }
  | { state: 'moving' }
  /** The last frame is this old. */
  | { state: 'frozen'; ageS: number };

/** How often the age of a frozen picture is written anew. */
const AGE_MS = 500;

export function usePicture(
  client: MultiStreamClient | null,
  slot: number,
  status: SlotStatus | undefined,
): Picture {
  const [ageS, setAgeS] = useState<number>();
  useEffect(() => {
    if (client === null) return;
    let timer: number | undefined;
    const thaw = () => {
      window.clearInterval(timer);
      setAgeS(undefined);
    };
    const offs = [
      client.on('frozen', (event) => {
        if (event.slot !== slot) return;
        const since = performance.now() - event.sinceMs;
        const age = () => setAgeS(Math.floor((performance.now() - since) / 1_000));
        window.clearInterval(timer);
        timer = window.setInterval(age, AGE_MS);
        age();
      }),
      client.on('thawed', (event) => {
        if (event.slot === slot) thaw();
      }),
    ];
    return () => {
      for (const off of offs) off();
      thaw();
    };
  }, [client, slot]);
  if (status?.live) return { state: 'moving' };
  return ageS === undefined ? { state: 'none' } : { state: 'frozen', ageS };
}
