// Pictures whose samples are not square, such as 704 × 576 that are to be seen as 1024 × 576. Browsers show them as if they were.
import type { SlotStatus } from 'multistream-client';

/** How many times as wide as the browser draws it the picture is to be shown. */
export function stretch(status: SlotStatus | undefined): number {
  const { width, height, displayWidth, displayHeight } = status ?? {};
  if (!width || !height || !displayWidth || !displayHeight) return 1;
  return (displayWidth * height) / (displayHeight * width);
}
