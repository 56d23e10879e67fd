// Reports each displayed frame of a <video>.

/** Where a browser has no `requestVideoFrameCallback` (Safari before 15.4), the frame counter is read this often. */
const POLL_MS = 100;

/** Calls `onFrame` after frames of `video` were displayed, with their metadata where the browser knows it. Returns how to stop. */
export function watchFrames(
  video: HTMLVideoElement,
  onFrame: (frame?: VideoFrameCallbackMetadata) => void,
): () => void {
  if (!('requestVideoFrameCallback' in video)) return pollFrames(video, onFrame);
  let handle = 0;
  const next = () => {
    handle = video.requestVideoFrameCallback((_now, frame) => {
      onFrame(frame);
      next();
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(handle);
}

function pollFrames(video: HTMLVideoElement, onFrame: () => void): () => void {
  const displayed = () => video.getVideoPlaybackQuality().totalVideoFrames;
  let seen = displayed();
  const timer = window.setInterval(() => {
    const frames = displayed();
    if (frames !== seen) onFrame();
    seen = frames;
  }, POLL_MS);
  return () => window.clearInterval(timer);
}
