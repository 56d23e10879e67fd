// The tour: at each interval the next tile shows the next camera that is not on the wall and not down. The wall itself stays as it is.
import type { MultiStreamClient } from 'multistream-client';
import { useEffect, useState } from 'react';
import type { Camera } from '../api/streams';
import { AUTO } from '../cameras/choice';
import { notShown, type WallState } from './wall-state';

export const INTERVALS_S: readonly number[] = [5, 10, 20, 60];
export const DEFAULT_INTERVAL_S = 10;
/** How long before its turn the server is asked to start a camera's stream. */
const WARM_BEFORE_MS = 5_000;
/** How long after the last input on the page the tour continues. */
const IDLE_MS = 5_000;

/** A change that the tour made. */
export interface Turn {
  cell: number;
  camera: string;
}

/**
 * The next cell in turn, with the first camera after the last one that no cell shows and that is not offline; `undefined` if there is
 * none.
 */
export function nextTurn(
  wall: WallState,
  cameras: readonly Camera[],
  last: Turn | undefined,
): Turn | undefined {
  const waiting = notShown(wall, cameras).filter(({ isOffline }) => !isOffline);
  const place = (name: string) => cameras.findIndex((camera) => camera.name === name);
  const after = last ? place(last.camera) : -1;
  const camera = waiting.find(({ name }) => place(name) > after) ?? waiting[0];
  return camera && { cell: last ? (last.cell + 1) % wall.layout.cells : 0, camera: camera.name };
}

interface Tour {
  /** `null`: off. */
  intervalS: number | null;
  /** Whether a dialog is open, a tile is enlarged, or something is being dragged. */
  busy: boolean;
  wall: WallState;
  cameras: readonly Camera[];
  /** `null` while there is no connection: nothing can be shown or warmed then. */
  client: MultiStreamClient | null;
  onTurn: (cell: number, camera: Camera) => void;
  /** The tour is over: the wall is to be as it was. */
  onEnd: () => void;
}

/** The state of the tour; it is paused while the page is in use. */
export type TourState = 'off' | 'running' | 'paused' | 'nothing to show';

export function useTour({ intervalS, busy, wall, cameras, client, onTurn, onEnd }: Tour): TourState {
  const [last, setLast] = useState<Turn>();
  const touched = useTouched(intervalS !== null);
  const next = nextTurn(wall, cameras, last);
  const paused = busy || touched;
  const [cell, name] = [next?.cell, next?.camera];
  const quality = (cell === undefined ? undefined : wall.choices[cell]?.quality) ?? AUTO;
  // The wall and the list are not among the dependencies, so that a change of them does not restart the interval.
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
  useEffect(() => {
    if (intervalS !== null) return;
    setLast(undefined);
    onEnd();
  }, [intervalS]);
  if (intervalS === null) return 'off';
  if (next === undefined) return 'nothing to show';
  return paused ? 'paused' : 'running';
}

const TOUCHES = ['pointermove', 'pointerdown', 'wheel', 'keydown'] as const;

/** Whether there was input on the page within `IDLE_MS`. */
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
