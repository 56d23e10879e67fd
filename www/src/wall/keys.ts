// Keyboard control: digits and arrows select a tile, letters, comma and full stop change its camera, and commands are Shift and a letter.
import { useEffect, useRef } from 'react';
import { indexOf } from '../cameras/letters';
import { type Direction, directionOf } from './neighbour';

export interface Actions {
  /** The number of cells. */
  cells: number;
  selected: number;
  select: (cell: number) => void;
  /** Shows the camera at this index of the list; `false` if there is none. */
  camera: (cell: number, index: number) => boolean;
  /** Shows the camera that many places further in the list. */
  step: (cell: number, by: 1 | -1) => void;
  /** Selects the next tile in that direction. */
  move: (direction: Direction) => void;
  choose: (cell: number) => void;
  empty: (cell: number) => void;
  undo: () => void;
  enlarge: (cell: number) => void;
  /** Zooms the tile's picture; `false` if there is nothing to undo. */
  zoom: (cell: number, how: 'in' | 'out' | 'whole') => boolean;
  /** Moves a zoomed picture. */
  pan: (cell: number, x: number, y: number) => void;
  /** Shows the whole wall in full screen, and back. */
  fullScreen: () => void;
  snapshot: (cell: number) => void;
  back: () => void;
  toggle: (what: 'list' | 'tour' | 'stats' | 'help') => void;
}

/** How soon a second digit must follow the first to form one number with it. */
const NUMBER_MS = 700;
/** The share of the tile by which a key moves a zoomed picture. */
const PAN = 0.2;

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
      // Dialogs, menus and text fields handle their own keys; other combinations with Ctrl, Meta or Alt are the browser's.
      if (document.querySelector('dialog[open], :popover-open') || isText(event.target)) return;
      if (isUndo(event)) {
        event.preventDefault();
        return latest.current.undo();
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // `0` shows the whole picture again, unless it ends a number or nothing is zoomed.
      const isOver = performance.now() - typed.atMs >= NUMBER_MS;
      const isAlone = isOver || typed.tens === 0 || typed.tens * 10 > latest.current.cells;
      if (event.key === '0' && isAlone && latest.current.zoom(latest.current.selected, 'whole')) {
        return event.preventDefault();
      }
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
      actions.enlarge(selected);
      return true;
    case ' ':
      // The button of a tile takes it by itself.
      if (target !== document.body) return false;
      actions.choose(selected);
      return true;
    case ',':
    case '.':
      actions.step(selected, key === '.' ? 1 : -1);
      return true;
    case 'Delete':
    case 'Backspace':
      if (!isOnTile) return false;
      actions.empty(selected);
      return true;
    case '+':
    case '=':
      return actions.zoom(selected, 'in');
    case '-':
      return actions.zoom(selected, 'out');
    case 'ArrowRight':
    case 'ArrowDown':
    case 'ArrowLeft':
    case 'ArrowUp': {
      if (!isOnTile || !shiftKey) break;
      const by = key === 'ArrowRight' || key === 'ArrowDown' ? -PAN : PAN;
      const isSideways = key === 'ArrowRight' || key === 'ArrowLeft';
      actions.pan(selected, isSideways ? by : 0, isSideways ? 0 : by);
      return true;
    }
  }
  const direction = directionOf(key);
  if (direction) {
    if (isOnTile) actions.move(direction);
    return isOnTile;
  }
  if (!/^[a-z]$/i.test(key)) return false;
  if (!shiftKey) return actions.camera(selected, indexOf(key));
  return command(key.toLowerCase(), actions);
}

function command(letter: string, actions: Actions): boolean {
  const commands: Record<string, () => void> = {
    e: () => actions.enlarge(actions.selected),
    f: () => actions.fullScreen(),
    s: () => actions.snapshot(actions.selected),
    l: () => actions.toggle('list'),
    t: () => actions.toggle('tour'),
    d: () => actions.toggle('stats'),
  };
  commands[letter]?.();
  return letter in commands;
}

function isUndo({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === 'z' && (ctrlKey || metaKey) && !altKey && !shiftKey;
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
