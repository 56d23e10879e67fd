// How the tiles of a wall are, in words: by what their pictures are, not by what was asked for.
import type { SlotStatus } from 'multistream-client';

export interface Health {
  /** `9 live · 1 offline · 2 waiting`. */
  words: string;
  /** The slots that show no live picture though they should, in order. */
  troubled: number[];
}

/** Of the slots that are in sight; those that nobody has paused. */
export function healthOf(slots: readonly number[], statuses: ReadonlyMap<number, SlotStatus>): Health {
  const [live, offline, waiting]: [number[], number[], number[]] = [[], [], []];
  for (const slot of slots) {
    const status = statuses.get(slot);
    if (status?.live) live.push(slot);
    else if (status?.status === 'offline' || status?.status === 'error') offline.push(slot);
    else if (status?.status !== 'paused') waiting.push(slot);
  }
  const parts = [
    `${live.length} live`,
    ...(offline.length > 0 ? [`${offline.length} offline`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
  ];
  return { words: parts.join(' · '), troubled: [...offline, ...waiting] };
}

/** The next of these after `selected`, round and round. */
export function nextOf(slots: readonly number[], selected: number): number | undefined {
  const sorted = [...slots].sort((a, b) => a - b);
  return sorted.find((slot) => slot > selected) ?? sorted[0];
}
