// Dragging a camera or a tile onto a tile, by mouse, pen or touch. HTML's own drag and drop does not support touch.
//
// A touch that moves at once scrolls the page; one that rests first drags.
import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from 'react';

/** What is dragged. */
export type Load = { kind: 'camera'; name: string } | { kind: 'tile'; cell: number; name: string };

export interface Drag {
  load: Load;
  /** The pointer's position in the window. */
  x: number;
  y: number;
  /** The cell below the pointer. */
  over: number | null;
}

/** How far the pointer must move before a press becomes a drag. */
const THRESHOLD_PX = 6;
const FINGER_RESTS_MS = 350;

interface Press {
  load: Load;
  pointer: number;
  x: number;
  y: number;
  isTouch: boolean;
  dragging: boolean;
  timer: number;
}

export function useDrag(onDrop: (load: Load, cell: number) => void): {
  drag: Drag | null;
  /** The handler for `onPointerDown` of everything that can be dragged. */
  press: (event: ReactPointerEvent, load: Load) => void;
} {
  const [drag, setDrag] = useState<Drag | null>(null);
  const latest = useRef(onDrop);
  latest.current = onDrop;
  const current = useRef<Press | null>(null);

  useEffect(() => {
    const move = (press: Press, x: number, y: number) =>
      setDrag({ load: press.load, x, y, over: cellAt(x, y) });
    const end = () => {
      window.clearTimeout(current.current?.timer);
      current.current = null;
      setDrag(null);
    };
    const onMove = (event: PointerEvent) => {
      const press = current.current;
      if (press?.pointer !== event.pointerId) return;
      const isFar = Math.hypot(event.clientX - press.x, event.clientY - press.y) > THRESHOLD_PX;
      if (!press.dragging && isFar) {
        if (press.isTouch) return end();
        press.dragging = true;
      }
      if (press.dragging) move(press, event.clientX, event.clientY);
    };
    const onUp = (event: PointerEvent) => {
      const press = current.current;
      if (press?.pointer !== event.pointerId) return;
      end();
      if (!press.dragging) return;
      swallowClick();
      const cell = cellAt(event.clientX, event.clientY);
      if (cell !== null) latest.current(press.load, cell);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !current.current?.dragging) return;
      event.stopPropagation();
      end();
    };
    // A touch that drags must neither scroll nor open the context menu of a long press.
    const onTouchMove = (event: TouchEvent) => current.current?.dragging && event.preventDefault();
    const onMenu = (event: Event) => current.current?.isTouch && event.preventDefault();
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener('pointermove', onMove, { signal });
    window.addEventListener('pointerup', onUp, { signal });
    window.addEventListener('pointercancel', end, { signal });
    window.addEventListener('keydown', onKey, { signal, capture: true });
    window.addEventListener('touchmove', onTouchMove, { signal, passive: false });
    window.addEventListener('contextmenu', onMenu, { signal });
    return () => {
      end();
      listening.abort();
    };
  }, []);

  const press = (
    { button, isPrimary, pointerId, pointerType, clientX: x, clientY: y }: ReactPointerEvent,
    load: Load,
  ) => {
    if (button !== 0) return;
    // A second finger makes it a pinch.
    if (!isPrimary) {
      window.clearTimeout(current.current?.timer);
      current.current = null;
      return setDrag(null);
    }
    const isTouch = pointerType === 'touch';
    const next: Press = { load, pointer: pointerId, x, y, isTouch, dragging: false, timer: 0 };
    if (isTouch) {
      next.timer = window.setTimeout(() => {
        next.dragging = true;
        setDrag({ load, x, y, over: cellAt(x, y) });
      }, FINGER_RESTS_MS);
    }
    current.current = next;
  };
  return { drag, press };
}

function cellAt(x: number, y: number): number | null {
  const cell = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-cell]')?.dataset.cell;
  return cell === undefined ? null : Number(cell);
}

/** Stops the click that a browser fires at the end of a drag. */
function swallowClick(): void {
  const swallow = (event: Event) => event.stopPropagation();
  window.addEventListener('click', swallow, { capture: true, once: true });
  window.setTimeout(() => window.removeEventListener('click', swallow, { capture: true }));
}
