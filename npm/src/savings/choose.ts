// Chooses the quality that fits a tile. Pure: sizes in, a name out.

/** One quality of a stream, as `GET /api/streams` lists it. */
export interface Variant {
  quality: string;
  /** In pixels; `null` as long as the server does not know. */
  width: number | null;
  height: number | null;
  /** The variant's stream is offline. */
  offline?: boolean;
}

/** The area that a picture has to fill, in device pixels. */
export interface Tile {
  width: number;
  height: number;
  /** `object-fit: cover`: the picture fills both sides, so both must be large enough. */
  cover: boolean;
}

export const NATIVE = 'native';
const USUAL_RATIO = 16 / 9;
/**
 * A tile changes to a smaller variant only if that is still larger than the tile by this factor, so that a tile at the limit does
 * not flip between two variants.
 */
const SPARE = 1.1;

/** The smallest variant that is at least as large as the tile; `native` where none is. */
export function chooseQuality(variants: readonly Variant[], tile: Tile, current?: string): string {
  // While the camera itself is offline, all of its variants are too, so their state says nothing.
  const isCameraDown = variants.some(({ quality, offline }) => quality === NATIVE && offline);
  const sized = variants
    .filter(({ quality, offline }) => quality === NATIVE || isCameraDown || !offline)
    .flatMap((variant) => {
      const size = sizeOf(variant, variants);
      return size ? [{ quality: variant.quality, size }] : [];
    })
    // Of two variants of one size the native one comes first, for it needs no transcoding.
    .sort(
      (a, b) => a.size.height - b.size.height || Number(b.quality === NATIVE) - Number(a.quality === NATIVE),
    );
  const fitting = (spare: number) =>
    sized.find(({ size }) => isEnough(size, tile, spare)) ?? { quality: NATIVE, size: UNKNOWN };
  const smallest = fitting(1);
  const now = sized.find(({ quality }) => quality === current);
  // A larger variant is chosen at once, since a blurred picture is noticed; a smaller one only with pixels to spare.
  if (now === undefined || now.size.height <= smallest.size.height) return smallest.quality;
  const roomy = fitting(SPARE);
  return roomy.size.height < now.size.height ? roomy.quality : now.quality;
}

interface Size {
  width: number;
  height: number;
}

/** Larger than every known size. */
const UNKNOWN: Size = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

/** Whether the picture is `spare` times as large as the tile: in both directions for `cover`, else in the one that limits it. */
function isEnough({ width, height }: Size, tile: Tile, spare: number): boolean {
  const wide = width >= tile.width * spare;
  const high = height >= tile.height * spare;
  return tile.cover ? wide && high : wide || high;
}

/** The size of a variant. A side that is not known follows from the aspect ratio of another variant: all show the same picture. */
function sizeOf({ quality, width, height }: Variant, all: readonly Variant[]): Size | undefined {
  if (width !== null && height !== null) return { width, height };
  const whole = all.find((other) => other.width !== null && other.height !== null);
  const ratio = whole?.width && whole.height ? whole.width / whole.height : USUAL_RATIO;
  if (height !== null) return { width: height * ratio, height };
  if (width !== null) return { width, height: width / ratio };
  // A native picture of unknown size counts as the largest. Any other variant of unknown size is not chosen.
  return quality === NATIVE ? UNKNOWN : undefined;
}
