// Whether the picture of a <video> moves. A status can be late; the pictures themselves cannot lie.
import { type RefObject, useEffect, useRef, useState } from 'react';

export type Picture =
  /** Nothing was shown yet. */
  | { state: 'none' }
  | { state: 'moving' }
  /** The last frame is this old. */
  | { state: 'frozen'; ageS: number };

const CHECK_MS = 500;
/** Longer than the slowest camera worth watching takes between two frames. */
const FROZEN_AFTER_MS = 2_500;

/** Follows the frames of `video`. `stream`: another one starts from nothing. `onEach` hears of every frame. */
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
    let handle = 0;
    const onFrame = (_now: number, frame: VideoFrameCallbackMetadata) => {
      each.current?.(frame);
      // The first frame is told at once: a switch must not look slower than it is.
      if (lastFrame === undefined) setPicture({ state: 'moving' });
      lastFrame = performance.now();
      handle = element.requestVideoFrameCallback(onFrame);
    };
    handle = element.requestVideoFrameCallback(onFrame);
    const check = () => {
      // A hidden page draws no frames: that says nothing about the camera.
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
      element.cancelVideoFrameCallback(handle);
    };
  }, [video, stream]);
  return picture;
}
