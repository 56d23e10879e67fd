// Whether the picture of a <video> moves. A status may arrive late, so the displayed frames are watched themselves.
import { type RefObject, useEffect, useRef, useState } from 'react';
import { watchFrames } from './frames';

export type Picture =
  /** No frame was displayed yet. */
  | { state: 'none' }
  | { state: 'moving' }
  /** The last frame is this old. */
  | { state: 'frozen'; ageS: number };

const CHECK_MS = 500;
/** The age of the last frame from which a picture counts as frozen; longer than slow cameras take between two frames. */
const FROZEN_AFTER_MS = 2_500;

/** Whether the picture of `video` moves. When `stream` changes, the state is `none` again. `onEach` is called with every frame. */
export function usePicture(
  video: RefObject<HTMLVideoElement | null>,
  stream: string | undefined,
  onEach?: (frame: VideoFrameCallbackMetadata) => void,
): Picture {
  const each = useRef(onEach);
  each.current = onEach;
  const [picture, setPicture] = useState<Picture>({ state: 'none' });
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    let lastFrame: number | undefined;
    const stop = watchFrames(element, (frame) => {
      if (frame !== undefined) each.current?.(frame);
      // The first frame is reported at once, not at the next check, so that a switch does not look slower than it is.
      if (lastFrame === undefined) setPicture({ state: 'moving' });
      lastFrame = performance.now();
    });
    const check = () => {
      // A hidden page displays no frames, which says nothing about the camera.
      if (document.visibilityState === 'hidden') {
        if (lastFrame !== undefined) lastFrame = performance.now();
        return;
      }
      const age = lastFrame === undefined ? undefined : performance.now() - lastFrame;
      setPicture((old) => {
        if (age === undefined) return old.state === 'none' ? old : { state: 'none' };
        if (age < FROZEN_AFTER_MS) return old.state === 'moving' ? old : { state: 'moving' };
        const ageS = Math.floor(age / 1000);
        return old.state === 'frozen' && old.ageS === ageS ? old : { state: 'frozen', ageS };
      });
    };
    check();
    const timer = window.setInterval(check, CHECK_MS);
    return () => {
      window.clearInterval(timer);
      stop();
    };
  }, [video, stream]);
  return picture;
}
