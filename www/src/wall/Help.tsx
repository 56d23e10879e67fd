// The help dialog of the key `?`: every gesture and every key.
import { Dialog } from '../ui/Dialog';

const KEYS: readonly [keys: string, does: string][] = [
  ['1 … 9, 0', 'selects a tile; two digits in a row to tiles from 10'],
  ['a … z', 'shows a camera in the tile, by its letter in the list'],
  ['← → ↑ ↓', 'select the next tile'],
  [', .', "show the tile's previous or next camera"],
  ['Delete', 'empties the tile'],
  ['Ctrl Z', 'undoes the last change of the wall'],
  ['Enter', 'enlarges the tile, in native quality, and back'],
  ['Space', 'chooses camera and quality'],
  ['Shift E', 'as Enter'],
  ['+ - 0', 'zooms the picture; 0 shows all of it'],
  ['Shift ← → ↑ ↓', 'moves a zoomed picture'],
  ['Shift S', 'saves the picture as a file'],
  ['Shift F', 'full screen: the wall or the enlarged tile'],
  ['Shift L', 'shows or hides the list of cameras'],
  ['Shift T', 'starts or stops the tour'],
  ['Shift D', 'shows or hides the statistics'],
  ['Esc', 'back'],
  ['?', 'this sheet'],
];

const GESTURES: readonly [gesture: string, does: string][] = [
  ['Click a tile', 'selects it'],
  ['Click a camera', 'in the list: shows it in the selected tile'],
  ['Double click', 'enlarges the tile, in native quality, and back'],
  ['Wheel, pinch', 'zoom the enlarged or selected tile; with Ctrl, every tile. Dragging moves the picture'],
  ['Swipe', 'on an enlarged tile: next or previous camera'],
  ['Drag a camera', 'onto a tile: shows it there'],
  ['Drag a tile', 'onto another: they change places'],
];

export function Help({ onClose }: { onClose: () => void }) {
  const table = (rows: typeof KEYS, tag: 'kbd' | 'span') => (
    <dl>
      {rows.map(([what, does]) => (
        <div key={what}>
          <dt>{tag === 'kbd' ? <kbd>{what}</kbd> : what}</dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  );
  return (
    <Dialog className="chooser help" label="Help" onClose={onClose}>
      <h2>Keys</h2>
      {table(KEYS, 'kbd')}
      <h2>Gestures</h2>
      {table(GESTURES, 'span')}
      <p className="hint">By finger: hold a camera or a tile until it lifts, then drag.</p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </Dialog>
  );
}
