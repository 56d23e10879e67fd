// The popover at a tile that chooses its camera and quality.
import { useState } from 'react';
import type { Camera } from '../api/streams';
import { Popover } from '../ui/Popover';
import { matching, SEARCH_FROM, Search } from './CameraList';
import { AUTO, type Choice } from './choice';
import type { WarmHandlers } from './warm';

interface Props {
  cell: number;
  /** The tile's element. */
  tile: HTMLElement | null;
  choice: Choice | null;
  cameras: readonly Camera[];
  onCamera: (camera: Camera) => void;
  onQuality: (quality: string) => void;
  onClose: () => void;
  warm: (camera: string) => WarmHandlers;
}

export function Chooser({ cell, tile, choice, cameras, onCamera, onQuality, onClose, warm }: Props) {
  const [search, setSearch] = useState('');
  const qualities = cameras.find(({ name }) => name === choice?.stream)?.qualities ?? [];
  const choose = (choose: () => void) => () => {
    choose();
    onClose();
  };
  return (
    <Popover className="chooser" label={`Tile ${cell + 1}`} at={tile} onClose={onClose}>
      <h2>Tile {cell + 1}</h2>
      {choice && (
        <section>
          <h3>Quality</h3>
          <div className="qualities">
            {[AUTO, ...qualities].map((quality) => (
              <button
                key={quality}
                type="button"
                data-quality={quality}
                aria-pressed={quality === choice.quality}
                onClick={choose(() => onQuality(quality))}
              >
                {quality}
              </button>
            ))}
          </div>
        </section>
      )}
      <section>
        <h3>Camera</h3>
        {cameras.length >= SEARCH_FROM && <Search value={search} onChange={setSearch} />}
        <div className="cameras">
          {matching(cameras, search).map((camera) => (
            <button
              key={camera.name}
              type="button"
              data-camera={camera.name}
              aria-pressed={camera.name === choice?.stream}
              onClick={choose(() => onCamera(camera))}
              {...warm(camera.name)}
            >
              {camera.name}
            </button>
          ))}
        </div>
      </section>
    </Popover>
  );
}
