// Shows a slot's track in a <video> element.

/** Shows `track`, or nothing. Muted and inline, so that browsers let it play without a click. Returns whether that is another one. */
export function show(video: HTMLVideoElement, track: MediaStreamTrack | undefined): boolean {
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
  if (shown !== track) video.srcObject = track ? new MediaStream([track]) : null;
  if (track) play(video);
  return shown !== track;
}

/** Removes the picture. The next one of the same track is shown. */
export function blank(video: HTMLVideoElement): void {
  if (!(video.srcObject instanceof MediaStream)) return;
  video.srcObject = new MediaStream(video.srcObject.getTracks());
  play(video);
}

/** Shows nothing any more, unless the video shows another track by now: that of another slot. */
export function hide(video: HTMLVideoElement, track: MediaStreamTrack | undefined): void {
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
  if (track === undefined || shown === track) show(video, undefined);
}

/** The events that give a page user activation (HTML §6.4.1): a mouse does when it is pressed, a finger when it is lifted. */
const GESTURES = ['pointerdown', 'pointerup', 'keydown'] as const;

function play(video: HTMLVideoElement): void {
  video.play().catch((error: unknown) => {
    // A load() or a new srcObject interrupts play(), and `autoplay` takes over. Some browsers require a user gesture, as iOS
    // does in low power mode.
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
    const gesture = new AbortController();
    // The browser's own button for it.
    const { controls } = video;
    video.controls = true;
    const retry = () => {
      gesture.abort();
      video.controls = controls;
      play(video);
    };
    for (const type of GESTURES) document.addEventListener(type, retry, { signal: gesture.signal });
  });
}
