// The wall by keyboard: digits go to a tile, arrows change its camera, E enlarges it, F fills the screen, S saves a
// picture of it, Esc goes back.
import { useEffect, useRef } from 'react';
import { saveSnapshot } from './snapshot';

interface Actions {
  enlarge: (slot: number) => void;
  back: () => void;
  /** The camera that many places further in the list. */
  step: (slot: number, by: 1 | -1) => void;
}

export function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // The dialog has its own keys, and a browser's shortcuts are the browser's.
      if (document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey) return;
      if (handle(event.key, latest.current)) event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function handle(key: string, { enlarge, back, step }: Actions): boolean {
  if (/^[1-9]$/.test(key)) return focusTile(Number(key) - 1);
  if (key === 'Escape') {
    back();
    return true;
  }
  const tile = document.activeElement?.closest<HTMLElement>('.tile');
  if (!tile) return false;
  const slot = Number(tile.dataset.slot);
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      step(slot, 1);
      return true;
    case 'ArrowLeft':
    case 'ArrowUp':
      step(slot, -1);
      return true;
    case 'e':
      enlarge(slot);
      return true;
    case 'f':
      if (document.fullscreenElement) void document.exitFullscreen();
      else void tile.requestFullscreen().catch(() => {});
      return true;
    case 's':
      saveSnapshot(tile);
      return true;
    default:
      return false;
  }
}

function focusTile(slot: number): boolean {
  const button = document.querySelector<HTMLElement>(`.tile[data-slot="${slot}"] .choose`);
  button?.focus();
  return button !== null;
}
