// What can be done with a tile's element: a picture of it as a file, in the size the camera sends; full screen.

/** Saves `camera1 2026-11-23 12.30.05.png`; nothing if there is no picture, or only an old one. */
export function saveSnapshot(tile: HTMLElement): void {
  const video = tile.querySelector('video');
  if (!video || video.videoWidth === 0 || tile.dataset.tone !== 'live') return;
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

export function toggleFullScreen(tile: HTMLElement): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  // A frame may not be allowed to: then the button does nothing, as the page cannot say more than the browser does.
  else void tile.requestFullscreen().catch(() => {});
}

export function tileElement(cell: number): HTMLElement | null {
  return document.querySelector(`.tile[data-cell="${cell}"]`);
}

export function focusTile(cell: number): void {
  tileElement(cell)?.querySelector<HTMLElement>('.choose')?.focus();
}
