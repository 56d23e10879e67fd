// The gestures that zoom and move a tile's picture: wheel, pinch and drag. While an enlarged picture is whole, a swipe of one
// finger asks for the next camera.
//
// In the grid a wheel and one finger scroll the page, so there a wheel zooms with Ctrl (which is what a trackpad's pinch sends)
// or on the selected tile, and one finger moves a picture that is zoomed already. Two fingers always zoom the picture: a pinch on
// a tile never zooms the page.
import { type RefObject, useEffect, useRef } from 'react';
import { type Point, pan, type Zoom, zoomAt } from './zoom';

export interface Zooming {
  zoom: Zoom;
  selected: boolean;
  enlarged: boolean;
  onZoom: (zoom: Zoom) => void;
  onSwipe: (by: 1 | -1) => void;
}

/** The factor for one pixel of a wheel, and of a trackpad's pinch, which has far smaller steps. */
const WHEEL = 1.0015;
const TRACKPAD = 1.01;
const SWIPE_PX = 60;
const CLICK_PX = 4;

export function useZoom(tile: RefObject<HTMLElement | null>, zooming: Zooming | undefined): void {
  const latest = useRef(zooming);
  // Several events may come before the next rendering: each goes on from what the one before it made.
  const zoom = useRef(zooming?.zoom);
  latest.current = zooming;
  zoom.current = zooming?.zoom;
  const isOn = zooming !== undefined;
  useEffect(() => {
    const element = tile.current;
    if (!element || !isOn) return;
    const listening = new AbortController();
    const { signal } = listening;
    const change = (next: (zoom: Zoom) => Zoom) => {
      if (!zoom.current) return;
      zoom.current = next(zoom.current);
      latest.current?.onZoom(zoom.current);
    };
    const isZoomed = () => (zoom.current?.scale ?? 1) > 1;
    const share = ({ x, y }: Point): Point => {
      const box = element.getBoundingClientRect();
      return { x: (x - box.left) / box.width, y: (y - box.top) / box.height };
    };
    const move = (from: Point, to: Point) => {
      const [a, b] = [share(from), share(to)];
      change((zoom) => pan(zoom, { x: b.x - a.x, y: b.y - a.y }));
    };

    const onWheel = (event: WheelEvent) => {
      const { deltaY, deltaMode, ctrlKey, clientX: x, clientY: y } = event;
      const { enlarged, selected } = latest.current ?? {};
      if (!ctrlKey && !enlarged && !selected) return;
      // At the whole picture a wheel backwards scrolls the page, but with Ctrl it would zoom the page.
      if (!ctrlKey && !isZoomed() && deltaY > 0) return;
      event.preventDefault();
      const pixels = deltaMode === WheelEvent.DOM_DELTA_PIXEL ? deltaY : deltaY * 30;
      const isPinch = ctrlKey && Math.abs(pixels) < 50;
      change((zoom) => zoomAt(zoom, (isPinch ? TRACKPAD : WHEEL) ** -pixels, share({ x, y })));
    };
    element.addEventListener('wheel', onWheel, { signal, passive: false });

    let fingers: Point[] = [];
    let start: Point | undefined;
    const onTouchStart = (event: TouchEvent) => {
      fingers = touchesOf(element, event);
      start = fingers.length === 1 ? fingers[0] : undefined;
      if (fingers.length > 1) event.preventDefault();
    };
    const onTouchMove = (event: TouchEvent) => {
      const before = fingers;
      fingers = touchesOf(element, event);
      const [a, b] = [before[0], before[1]];
      const [c, d] = [fingers[0], fingers[1]];
      if (a && b && c && d) {
        event.preventDefault();
        const factor = distance(c, d) / Math.max(distance(a, b), 1);
        change((zoom) => zoomAt(zoom, factor, share(middle(a, b))));
        move(middle(a, b), middle(c, d));
      } else if (a && c && isZoomed()) {
        event.preventDefault();
        move(a, c);
      }
    };
    const onTouchEnd = (event: TouchEvent) => {
      const [end] = [...event.changedTouches].map(({ clientX: x, clientY: y }) => ({ x, y }));
      if (start && end && latest.current?.enlarged && !isZoomed()) {
        const [x, y] = [end.x - start.x, end.y - start.y];
        if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) latest.current.onSwipe(x < 0 ? 1 : -1);
      }
      start = undefined;
      fingers = touchesOf(element, event);
    };
    element.addEventListener('touchstart', onTouchStart, { signal, passive: false });
    element.addEventListener('touchmove', onTouchMove, { signal, passive: false });
    element.addEventListener('touchend', onTouchEnd, { signal });
    element.addEventListener('touchcancel', onTouchEnd, { signal });
    // Safari's own pinch, which zooms the page whatever `touch-action` says.
    element.addEventListener('gesturestart', (event) => event.preventDefault(), { signal });

    let held: { from: Point; at: Point; moved: boolean; done?: boolean } | undefined;
    const onPointerDown = ({ pointerType, button, clientX: x, clientY: y, target }: PointerEvent) => {
      if (pointerType === 'touch' || button !== 0 || !isZoomed()) return;
      if ((target as Element).closest('.tools')) return;
      held = { from: { x, y }, at: { x, y }, moved: false };
    };
    const onPointerMove = ({ clientX: x, clientY: y }: PointerEvent) => {
      if (!held || held.done) return;
      held.moved ||= distance(held.from, { x, y }) > CLICK_PX;
      if (held.moved) move(held.at, { x, y });
      held.at = { x, y };
    };
    const onPointerUp = () => {
      // The click at the end of a drag means nothing.
      if (held?.moved) {
        const dragged = held;
        dragged.done = true;
        window.setTimeout(() => {
          if (held === dragged) held = undefined;
        });
      } else held = undefined;
    };
    const onClick = (event: Event) => held?.moved && event.stopPropagation();
    element.addEventListener('pointerdown', onPointerDown, { signal });
    window.addEventListener('pointermove', onPointerMove, { signal });
    window.addEventListener('pointerup', onPointerUp, { signal });
    window.addEventListener('pointercancel', onPointerUp, { signal });
    element.addEventListener('click', onClick, { signal, capture: true });
    return () => listening.abort();
  }, [tile, isOn]);
}

/** The touches that are on the tile. */
function touchesOf(tile: HTMLElement, event: TouchEvent): Point[] {
  const isHere = ({ target }: Touch) => tile.contains(target as Node);
  return [...event.touches].filter(isHere).map(({ clientX: x, clientY: y }) => ({ x, y }));
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
