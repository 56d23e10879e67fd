// The camera wall: a layout of tiles over one connection.
import { useMultiStream } from 'multistream-client/react';
import { useEffect, useMemo, useState } from 'react';
import { Chooser } from './Chooser';
import { LAYOUTS } from './layouts';
import { serverUrl, token } from './server';
import type { Camera } from './streams';
import { Tile } from './Tile';
import { useTheme } from './theme';
import { fill, readWall, slotsOf, type WallState, writeWall } from './wall-state';

export function Wall({ cameras }: { cameras: readonly Camera[] }) {
  const [wall, setWall] = useState<WallState>(() => readWall(new URL(location.href), cameras));
  const [choosing, setChoosing] = useState<number | null>(null);
  const [theme, toggleTheme] = useTheme();
  const slots = useMemo(() => slotsOf(wall), [wall]);
  const { client, statuses, state, error, reconnecting } = useMultiStream(serverUrl, slots, { token });

  useEffect(() => history.replaceState(null, '', writeWall(new URL(location.href), wall)), [wall]);
  useEffect(() => {
    window.__multistream = { client };
  }, [client]);

  const choose = (cell: number, choice: WallState['choices'][number]) =>
    setWall(({ layout, choices }) => ({
      layout,
      choices: choices.map((old, at) => (at === cell ? choice : old)),
    }));
  const notice = error?.message ?? reconnecting?.reason;
  return (
    <>
      <header>
        <h1>Multistream</h1>
        <p className="connection" data-state={state} role="status">
          {state === 'connected' ? `${slots.length} on one connection` : state}
          {notice && <span className="reason"> {notice}</span>}
        </p>
        <fieldset className="layouts" aria-label="Layout">
          {LAYOUTS.map((layout) => (
            <button
              key={layout.name}
              type="button"
              data-layout={layout.name}
              aria-pressed={layout.name === wall.layout.name}
              onClick={() =>
                setWall(({ choices }) => ({ layout, choices: fill(choices, layout.cells, cameras) }))
              }
            >
              {layout.label}
            </button>
          ))}
        </fieldset>
        <button type="button" className="theme" onClick={toggleTheme}>
          {theme === 'dark' ? 'Light' : 'Dark'}
        </button>
      </header>
      <main className="grid" data-layout={wall.layout.name}>
        {slots.map(({ slot, stream, quality }) => (
          <Tile
            key={slot}
            slot={slot}
            choice={{ stream, quality: quality ?? 'native' }}
            client={client}
            state={state}
            status={statuses.get(slot)}
            onChoose={setChoosing}
          />
        ))}
      </main>
      {choosing !== null && (
        <Chooser
          slot={choosing}
          choice={wall.choices[choosing]}
          cameras={cameras}
          onChoice={(choice) => choose(choosing, choice)}
          onClose={() => setChoosing(null)}
        />
      )}
    </>
  );
}
