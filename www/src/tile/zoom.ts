// Which part of a tile's picture is shown, as pure geometry. Lengths are shares of the tile's width and height, so that a zoom
// means the same in a tile of another size, and in an address.

export interface Zoom {
  /** How many times larger than the whole picture. */
  scale: number;
  /** The middle of the part that is shown, from 0 to 1. */
  x: number;
  y: number;
}

export interface Point {
  x: number;
  y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };
export const MAX_SCALE = 8;
/** From here on a quality that fits the tile would be blurred. */
export const NATIVE_FROM = 1.5;
/** What one press of a key does. */
export const STEP = 1.5;
/** Below this the whole picture was meant. */
const NEARLY_WHOLE = 1.02;

/** Scales by a factor; what is at `point` of the tile stays there, as far as the picture's edges allow. */
export function zoomAt(zoom: Zoom, factor: number, point: Point): Zoom {
  const scale = Math.min(Math.max(zoom.scale * factor, 1), MAX_SCALE);
  const shift = 1 / zoom.scale - 1 / scale;
  return bounded({
    scale,
    x: zoom.x + (point.x - 0.5) * shift,
    y: zoom.y + (point.y - 0.5) * shift,
  });
}

/** Moves the picture with a pointer that moved by a share of the tile. */
export function pan(zoom: Zoom, by: Point): Zoom {
  return bounded({ ...zoom, x: zoom.x - by.x / zoom.scale, y: zoom.y - by.y / zoom.scale });
}

/** The part that is shown, in shares of the picture's box. */
export function visible({ scale, x, y }: Zoom): { left: number; top: number; size: number } {
  const size = 1 / scale;
  return { left: x - size / 2, top: y - size / 2, size };
}

/** The CSS transform of the picture, for the transform origin `0 0`. */
export function transformOf(zoom: Zoom): string | undefined {
  if (zoom.scale === 1) return undefined;
  const { left, top } = visible(zoom);
  const percent = (share: number) => `${-100 * share * zoom.scale}%`;
  return `translate(${percent(left)}, ${percent(top)}) scale(${zoom.scale})`;
}

/** `2:0.4:0.6`, for an address. */
export function writeZoom({ scale, x, y }: Zoom): string {
  return [scale, x, y].map((value) => String(Math.round(value * 1000) / 1000)).join(':');
}

/** Reads what {@link writeZoom} wrote; anything else is the whole picture. */
export function readZoom(text: string): Zoom {
  const [scale, x, y, ...rest] = text.split(':').map(Number);
  const isNumber = (value: number | undefined): value is number => Number.isFinite(value);
  if (!isNumber(scale) || !isNumber(x) || !isNumber(y) || rest.length > 0) return WHOLE;
  return bounded({ scale: Math.min(Math.max(scale, 1), MAX_SCALE), x, y });
}

/** No edge of the picture comes inside the tile. */
function bounded({ scale, x, y }: Zoom): Zoom {
  if (scale < NEARLY_WHOLE) return WHOLE;
  const half = 1 / (2 * scale);
  const within = (value: number) => Math.min(Math.max(value, half), 1 - half);
  return { scale, x: within(x), y: within(y) };
}
