// The tour: every few seconds the next tile shows the next camera that was not on the wall.
import type { MultiStreamClient } from 'multistream-client';
import { useEffect, useState } from 'react';
import type { Camera } from '../api/streams';
import { AUTO } from '../cameras/choice';
import { notShown, type WallState } from './wall-state';

export const INTERVALS_S: readonly number[] = [5, 10, 20, 60];
export const DEFAULT_INTERVAL_S = 10;
/** A camera needs no more time than this to start. */
const WARM_BEFORE_MS = 5_000;
/** The tour goes on when nobody has touched the page for so long. */
const IDLE_MS = 5_000;

/** What came last. */
export interface Turn {
  cell: number;
  camera: string;
}

/** The next cell in turn, with the first camera behind the last one that no cell shows; `undefined`: all are shown. */
export function nextTurn(
  wall: WallState,
  cameras: readonly Camera[],
  last: Turn | undefined,
): Turn | undefined {
  const waiting = notShown(wall, cameras);
  const place = (name: string) => cameras.findIndex((camera) => camera.name === name);
  const after = last ? place(last.camera) : -1;
  const camera = waiting.find(({ name }) => place(name) > after) ?? waiting[0];
  return camera && { cell: last ? (last.cell + 1) % wall.layout.cells : 0, camera: camera.name };
}

interface Tour {
  /** `null`: off. */
  intervalS: number | null;
  /** Someone is doing something else with the wall. */
  busy: boolean;
  wall: WallState;
  cameras: readonly Camera[];
  /** `null` as long as there is no connection: then nothing is shown, and nothing can be warmed. */
  client: MultiStreamClient | null;
  onTurn: (cell: number, camera: Camera) => void;
}

/** Whether the tour waits: for the one who touched the page, or for cameras to show. */
export type TourState = 'off' | 'running' | 'paused' | 'nothing to show';

export function useTour({ intervalS, busy, wall, cameras, client, onTurn }: Tour): TourState {
  const [last, setLast] = useState<Turn>();
  const touched = useTouched(intervalS !== null);
  const next = nextTurn(wall, cameras, last);
  const paused = busy || touched;
  const [cell, name] = [next?.cell, next?.camera];
  const quality = (cell === undefined ? undefined : wall.choices[cell]?.quality) ?? AUTO;
  // A new wall or list must not start the interval anew: they are not among the dependencies.
  useEffect(() => {
    if (intervalS === null || paused || !client || cell === undefined || name === undefined) return;
    const warm = window.setTimeout(
      () => void client.warm(name, quality).catch(() => {}),
      Math.max(0, intervalS * 1000 - WARM_BEFORE_MS),
    );
    const turn = window.setTimeout(() => {
      const camera = cameras.find((camera) => camera.name === name);
      if (!camera) return;
      setLast({ cell, camera: name });
      onTurn(cell, camera);
    }, intervalS * 1000);
    return () => {
      window.clearTimeout(warm);
      window.clearTimeout(turn);
    };
  }, [intervalS, paused, cell, name, client]);
  if (intervalS === null) return 'off';
  if (next === undefined) return 'nothing to show';
  return paused ? 'paused' : 'running';
}

const TOUCHES = ['pointermove', 'pointerdown', 'wheel', 'keydown'] as const;

/** Whether the page was touched just now. */
function useTouched(watching: boolean): boolean {
  const [touched, setTouched] = useState(false);
  useEffect(() => {
    if (!watching) return;
    let timer = 0;
    const touch = () => {
      setTouched(true);
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setTouched(false), IDLE_MS);
    };
    for (const type of TOUCHES) window.addEventListener(type, touch, { passive: true });
    return () => {
      window.clearTimeout(timer);
      setTouched(false);
      for (const type of TOUCHES) window.removeEventListener(type, touch);
    };
  }, [watching]);
  return touched;
}
