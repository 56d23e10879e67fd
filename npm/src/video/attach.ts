// Shows a slot's track in a <video> element.

/** Shows `track`, or nothing. Muted and inline, so that browsers let it play without a click. */
export function show(video: HTMLVideoElement, track: MediaStreamTrack | undefined): void {
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks()[0] : undefined;
  if (shown !== track) video.srcObject = track ? new MediaStream([track]) : null;
  if (track) play(video);
}

function play(video: HTMLVideoElement): void {
  video.play().catch((error: unknown) => {
    // A load() or a new srcObject interrupts play(), and `autoplay` takes over. Some browsers require a user gesture in battery
    // saver mode.
    if (error instanceof DOMException && error.name === 'NotAllowedError') {
      document.addEventListener('pointerdown', () => play(video), { once: true });
    }
  });
}
