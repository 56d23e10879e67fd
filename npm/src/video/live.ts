// The one rule of what may be said of a slot's picture. It knows what was received and shown, and nothing that was only asked for.
import type { SlotStatus } from '../types.js';

/**
 * `live`: pictures of what the slot shows come as often as they should. `frozen`: one of them is on the screen, and stands
 * although it should move. `waiting`: there is none on the screen, or nothing should move, or it is too early to tell.
 */
export type Picture = 'live' | 'frozen' | 'waiting';

/** What is known of a slot. */
export interface Known {
  /** What the slot was last said to show; a refusal says nothing of it. */
  status: Pick<SlotStatus, 'status' | 'camera' | 'pictureEveryMs'> | undefined;
  /** The camera whose picture is on the screen. */
  camera: string | undefined;
  /** Milliseconds since the last picture of that camera was shown. */
  ageMs: number;
  /** Milliseconds that usually lie between two of its pictures; 0 while only one is known. */
  gapMs: number;
  /** Milliseconds since the slot became active or its video came into sight, so that its pictures had to begin. */
  freshMs: number;
  /** What was said last. */
  was: Picture;
}

/** A picture may stand for this long at least: a busy browser shows none for a second. */
const SHORTEST_MS = 2_000;
/** How many of the usual gaps a picture may stand: one picture may be missing, and the next one late. */
const GAPS = 2.5;
/** How long the first picture of a camera may stand: it may be one that sends a picture every few seconds. */
const FIRST_MS = 10_000;
/** For how long pictures that have to begin are not counted as late. */
const GRACE_MS = 1_000;

export function judge({ status, camera, ageMs, gapMs, freshMs, was }: Known): Picture {
  if (status === undefined || status.status === 'paused' || camera !== status.camera) return 'waiting';
  const everyMs = Math.max(gapMs, status.pictureEveryMs ?? 0);
  const limitMs = Math.max(SHORTEST_MS, GAPS * everyMs);
  if (ageMs <= limitMs) return status.status === 'active' ? 'live' : 'waiting';
  const isLate = ageMs > (everyMs ? limitMs : FIRST_MS) && freshMs > GRACE_MS + limitMs;
  return isLate || was === 'frozen' ? 'frozen' : 'waiting';
}
