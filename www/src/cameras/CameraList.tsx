// The list of cameras beside the tiles: dragging one onto a tile or clicking it shows it there or in the selected tile.
import type { PointerEvent } from 'react';
import { useState } from 'react';
import type { Camera } from '../api/streams';
import { letterOf } from './letters';
import type { WarmHandlers } from './warm';

interface Props {
  cameras: readonly Camera[];
  /** The tiles that show each camera, numbered from 1. */
  shown: ReadonlyMap<string, readonly number[]>;
  /** The cell in which a click shows the camera, from 0. */
  cell: number;
  onChoice: (camera: Camera) => void;
  onPress: (event: PointerEvent, camera: Camera) => void;
  warm: (camera: string) => WarmHandlers;
}

/** From this many cameras on, the list has a search field. */
export const SEARCH_FROM = 10;

export function CameraList({ cameras, shown, cell, onChoice, onPress, warm }: Props) {
  const [search, setSearch] = useState('');
  const found = matching(cameras, search);
  return (
    <aside className="panel cameras-panel" id="cameras" aria-label="Cameras">
      {cameras.length >= SEARCH_FROM && <Search value={search} onChange={setSearch} />}
      <p className="hint">
        Click: tile <strong>{cell + 1}</strong>. Drag: any tile.
      </p>
      <ul>
        {found.map((camera) => (
          <li key={camera.name}>
            <button
              type="button"
              data-camera={camera.name}
              data-offline={camera.isOffline || undefined}
              onClick={() => onChoice(camera)}
              onPointerDown={(event) => onPress(event, camera)}
              {...warm(camera.name)}
            >
              <kbd>{letterOf(cameras.indexOf(camera))}</kbd>
              <span className="name">{camera.name}</span>
              {camera.isOffline && <span className="bad">offline</span>}
              {shown.has(camera.name) && (
                <span className="where" title="Shown in tile">
                  <span className="hidden">in tile </span>
                  {shown.get(camera.name)?.join(', ')}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="hint">No camera is called that.</p>}
    </aside>
  );
}

export function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <input
      type="search"
      className="search"
      placeholder="Search cameras"
      aria-label="Search cameras"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

export function matching(cameras: readonly Camera[], search: string): readonly Camera[] {
  const wanted = search.trim().toLowerCase();
  return cameras.filter(({ name }) => name.toLowerCase().includes(wanted));
}
