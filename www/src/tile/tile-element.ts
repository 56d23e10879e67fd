// Actions on a tile's element: saving its picture as a file in the size of the video, and full screen.

/** Saves `camera1 2026-11-23 12.30.05.png`; does nothing unless the tile is live. */
export function saveSnapshot(tile: HTMLElement): void {
  const video = tile.querySelector('video');
  if (!video || video.videoWidth === 0 || tile.dataset.tone !== 'live') return;
  const canvas = document.createElement('canvas');
  // In the proportions in which the tile shows it.
  canvas.width = Math.round(video.videoWidth * Number(video.style.getPropertyValue('--stretch') || 1));
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
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
  // An iframe may not be allowed to go full screen. The button then does nothing; the browser logs why.
  else void tile.requestFullscreen().catch(() => {});
}

export function tileElement(cell: number): HTMLElement | null {
  return document.querySelector(`.tile[data-cell="${cell}"]`);
}

export function focusTile(cell: number): void {
  tileElement(cell)?.querySelector<HTMLElement>('.choose')?.focus();
}
