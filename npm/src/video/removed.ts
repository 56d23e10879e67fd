// A video that is taken out of the document, and may be put back: a page that is kept alive, or one that moves its tiles.

/**
 * Keeps it playing. A browser pauses a video that is taken out (HTML §4.8.11.8) and does not start it again when it is put back.
 * Returns a function that ends it.
 */
export function playOutside(video: HTMLVideoElement): () => void {
  const onPause = () => {
    // A video that is put back before this is said, or a second call, is no harm: it plays already. A pause by the app is inside.
    // Where the connection is gone there is nothing to play, and a browser keeps a video that plays.
    if (!video.isConnected && isLive(video.srcObject)) video.play().catch(() => {});
  };
  video.addEventListener('pause', onPause);
  return () => video.removeEventListener('pause', onPause);
}

function isLive(media: MediaProvider | null): boolean {
  return media instanceof MediaStream && media.getTracks().some(({ readyState }) => readyState === 'live');
}
