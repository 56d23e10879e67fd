// The statistics of each slot over the last minute, and the network path, read once a second while the panel is open.
import type { ConnectionPath, MultiStreamClient, SlotStats } from 'multistream-client';
import { useEffect, useState } from 'react';
import type { Meters } from './meters';

/** The figures of one slot for one second. */
export interface Sample {
  fps: number;
  bitrateBps: number;
  /** From the network to the screen; `undefined` without a frame. */
  delayMs: number | undefined;
  /** Packets lost and frames dropped in this second. */
  drops: number;
}

export interface History {
  latest: SlotStats;
  samples: readonly Sample[];
}

const INTERVAL_MS = 1_000;
export const KEPT = 60;

export interface Readings {
  histories: ReadonlyMap<number, History>;
  path: ConnectionPath | undefined;
}

export function useReadings(
  client: MultiStreamClient | null,
  slots: readonly number[],
  meters: Meters,
): Readings {
  const [path, setPath] = useState<ConnectionPath>();
  const [histories, setHistories] = useState<ReadonlyMap<number, History>>(new Map());
  const wanted = slots.join();
  useEffect(() => {
    if (client === null) return;
    let timer = 0;
    let stopped = false;
    const read = async () => {
      const readings = await Promise.all(
        wanted.split(',').map(async (slot) => ({
          stats: await client.getStats(Number(slot)).catch(() => undefined),
          delayMs: meters.takeDelay(Number(slot)),
        })),
      );
      const path = await client.getPath().catch(() => undefined);
      if (stopped) return;
      setPath(path);
      setHistories((old) => {
        const next = new Map<number, History>();
        for (const { stats, delayMs } of readings) {
          if (stats) next.set(stats.slot, extend(old.get(stats.slot), stats, delayMs));
        }
        return next;
      });
      timer = window.setTimeout(read, INTERVAL_MS);
    };
    void read();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [client, wanted, meters]);
  return { histories, path };
}

/** Adds a reading. The first one adds no sample, since its rates are not those of the last second. */
export function extend(
  history: History | undefined,
  latest: SlotStats,
  delayMs: number | undefined,
): History {
  if (history === undefined) return { latest, samples: [] };
  const lost = ({ packetsLost, framesDropped }: SlotStats) => packetsLost + framesDropped;
  // The counters of a new connection start at 0.
  const drops = Math.max(0, lost(latest) - lost(history.latest));
  const sample = { fps: latest.fps, bitrateBps: latest.bitrateBps, delayMs, drops };
  return { latest, samples: [...history.samples, sample].slice(-KEPT) };
}
