// Which quality fits a tile. Pure: sizes in, a name out.

/** One quality of a stream, as `GET /api/streams` lists it. */
export interface Variant {
  quality: string;
  /** In pixels; `null` as long as the server does not know. */
  width: number | null;
  height: number | null;
  /** Someone asked for it, and it cannot be had now. */
  offline?: boolean;
}

/** What a picture has to fill, in the pixels of the screen. */
export interface Tile {
  width: number;
  height: number;
  /** `object-fit: cover`: the picture fills both sides, so both must be large enough. */
  cover: boolean;
}

export const NATIVE = 'native';
const USUAL_RATIO = 16 / 9;
/** A smaller variant must have this much to spare, so that a tile at the edge does not go back and forth. */
const SPARE = 1.1;

/** The smallest variant that loses nothing on this tile; the native picture where none is large enough. */
export function chooseQuality(variants: readonly Variant[], tile: Tile, current?: string): string {
  // While the camera itself is down, all that is made of it is down too: that says nothing about a variant.
  const isCameraDown = variants.some(({ quality, offline }) => quality === NATIVE && offline);
  const sized = variants
    .filter(({ quality, offline }) => quality === NATIVE || isCameraDown || !offline)
    .flatMap((variant) => {
      const size = sizeOf(variant, variants);
      return size ? [{ quality: variant.quality, size }] : [];
    })
    // Of two of one size the native one comes first: it costs the server nothing.
    .sort(
      (a, b) => a.size.height - b.size.height || Number(b.quality === NATIVE) - Number(a.quality === NATIVE),
    );
  const fitting = (spare: number) =>
    sized.find(({ size }) => isEnough(size, tile, spare)) ?? { quality: NATIVE, size: UNKNOWN };
  const smallest = fitting(1);
  const now = sized.find(({ quality }) => quality === current);
  // Upwards at once, for a blurred picture is seen; downwards only with some pixels to spare.
  if (now === undefined || now.size.height <= smallest.size.height) return smallest.quality;
  const roomy = fitting(SPARE);
  return roomy.size.height < now.size.height ? roomy.quality : now.quality;
}

interface Size {
  width: number;
  height: number;
}

/** Sorts behind all that is known. */
const UNKNOWN: Size = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

function isEnough({ width, height }: Size, tile: Tile, spare: number): boolean {
  const wide = width >= tile.width * spare;
  const high = height >= tile.height * spare;
  return tile.cover ? wide && high : wide || high;
}

/** A side that is not known follows from the shape of the other variants: they show the same picture. */
function sizeOf({ quality, width, height }: Variant, all: readonly Variant[]): Size | undefined {
  if (width !== null && height !== null) return { width, height };
  const whole = all.find((other) => other.width !== null && other.height !== null);
  const ratio = whole?.width && whole.height ? whole.width / whole.height : USUAL_RATIO;
  if (height !== null) return { width: height * ratio, height };
  if (width !== null) return { width, height: width / ratio };
  // The camera's own picture is taken to be the largest. Another that nobody has seen yet is not chosen blindly.
  return quality === NATIVE ? UNKNOWN : undefined;
}
