// A tile's picture as a file, in the size the camera sends.

/** Saves `camera1 2026-11-23 12.30.05.png`; nothing if there is no picture, or only an old one. */
export function saveSnapshot(tile: HTMLElement): void {
  const video = tile.querySelector('video');
  if (!video || video.videoWidth === 0 || tile.dataset.picture !== 'moving') return;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const time = new Date().toLocaleString('sv').replaceAll(':', '.');
  canvas.toBlob((picture) => {
    if (!picture) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(picture);
    link.download = `${tile.dataset.stream} ${time}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
