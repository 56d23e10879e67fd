// Keyboard control: digits select a tile, letters and arrows change its camera, and commands are Shift and a letter.
import { useEffect, useRef } from 'react';
import { indexOf } from '../cameras/letters';

export interface Actions {
  /** The number of cells. */
  cells: number;
  selected: number;
  select: (cell: number) => void;
  /** Shows the camera at this index of the list; `false` if there is none. */
  camera: (cell: number, index: number) => boolean;
  /** Shows the camera that many places further in the list. */
  step: (cell: number, by: 1 | -1) => void;
  enlarge: (cell: number) => void;
  fullScreen: (cell: number) => void;
  snapshot: (cell: number) => void;
  back: () => void;
  toggle: (what: 'list' | 'tour' | 'stats' | 'help') => void;
}

/** How soon a second digit must follow the first to form one number with it. */
const NUMBER_MS = 700;

export function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let typed = { tens: 0, atMs: Number.NEGATIVE_INFINITY };
    const digit = (key: string) => {
      const value = Number(key);
      const together = typed.tens * 10 + value;
      const { cells, select } = latest.current;
      const isSecond = performance.now() - typed.atMs < NUMBER_MS && together <= cells && typed.tens > 0;
      typed = { tens: isSecond ? 0 : value, atMs: performance.now() };
      const tile = isSecond ? together : value || 10;
      if (tile <= cells) select(tile - 1);
    };
    const onKey = (event: KeyboardEvent) => {
      // Dialogs, menus and text fields handle their own keys; key combinations with Ctrl, Meta or Alt are the browser's.
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('dialog[open], :popover-open') || isText(event.target)) return;
      const isDigit = /^[0-9]$/.test(event.key);
      if (isDigit) digit(event.key);
      if (isDigit || handle(event, latest.current)) event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function handle({ key, shiftKey, target }: KeyboardEvent, actions: Actions): boolean {
  const { selected } = actions;
  // Outside the tiles Enter presses the focused button, and arrows scroll.
  const isOnTile = target === document.body || (target as Element).closest('.grid') !== null;
  const isOnTool = (target as Element).closest('.tools') !== null;
  switch (key) {
    case 'Escape':
      actions.back();
      return true;
    case '?':
      actions.toggle('help');
      return true;
    case 'Enter':
      if (!isOnTile || isOnTool) return false;
      actions.fullScreen(selected);
      return true;
    case 'ArrowRight':
    case 'ArrowDown':
    case 'ArrowLeft':
    case 'ArrowUp':
      if (!isOnTile) return false;
      actions.step(selected, key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1);
      return true;
  }
  if (!/^[a-z]$/i.test(key)) return false;
  if (!shiftKey) return actions.camera(selected, indexOf(key));
  return command(key.toLowerCase(), actions);
}

function command(letter: string, actions: Actions): boolean {
  const commands: Record<string, () => void> = {
    e: () => actions.enlarge(actions.selected),
    s: () => actions.snapshot(actions.selected),
    l: () => actions.toggle('list'),
    t: () => actions.toggle('tour'),
    d: () => actions.toggle('stats'),
  };
  commands[letter]?.();
  return letter in commands;
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
