// Where in the whole picture the part is that a zoomed tile shows.
import { type RefObject, useEffect, useRef } from 'react';
import { visible, type Zoom } from './zoom';

/** How often its picture is drawn anew. */
const DRAW_MS = 1_000;

export function Minimap({ video, zoom }: { video: RefObject<HTMLVideoElement | null>; zoom: Zoom }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const draw = () => {
      const [to, from] = [canvas.current, video.current];
      if (!to || !from?.videoWidth) return;
      // The picture has the same place in the map as in the tile, with the same bars beside it.
      const { clientWidth, clientHeight, videoWidth, videoHeight } = from;
      to.height = Math.round((to.width * clientHeight) / Math.max(clientWidth, 1));
      const fit = Math.min(to.width / videoWidth, to.height / videoHeight);
      const [width, height] = [videoWidth * fit, videoHeight * fit];
      const [x, y] = [(to.width - width) / 2, (to.height - height) / 2];
      to.getContext('2d')?.drawImage(from, x, y, width, height);
    };
    draw();
    const timer = window.setInterval(draw, DRAW_MS);
    return () => window.clearInterval(timer);
  }, [video]);
  const { left, top, size } = visible(zoom);
  const percent = (share: number) => `${100 * share}%`;
  const part = { left: percent(left), top: percent(top), width: percent(size), height: percent(size) };
  return (
    <div className="minimap" aria-hidden="true">
      <canvas ref={canvas} width={192} height={108} />
      <span style={part} />
    </div>
  );
}
