// Reports each displayed frame of a <video>, for the statistics.
import { type RefObject, useEffect, useRef } from 'react';

/** Calls `onFrame` after frames of `video` were displayed, in browsers that tell of them. */
export function useFrames(
  video: RefObject<HTMLVideoElement | null>,
  onFrame: (frame: VideoFrameCallbackMetadata) => void,
): void {
  const each = useRef(onFrame);
  each.current = onFrame;
  useEffect(() => {
    const element = video.current;
    if (element === null || !('requestVideoFrameCallback' in element)) return;
    let handle = 0;
    const next = () => {
      handle = element.requestVideoFrameCallback((_now, frame) => {
        each.current(frame);
        next();
      });
    };
    next();
    return () => element.cancelVideoFrameCallback(handle);
  }, [video]);
}
