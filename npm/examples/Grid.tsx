// The shortest camera wall: the ready-made grid with class names for the app's own styles.
import { CameraGrid } from '../src/react.js';

export function Grid({ cameras }: { cameras: string[] }) {
  const slots = cameras.map((stream, slot) => ({ slot, stream }));
  return <CameraGrid url="https://device.example.com" slots={slots} className="wall" tileClassName="tile" />;
}
