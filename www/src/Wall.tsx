// The camera wall: a layout of tiles over one connection.
import { useMultiStream } from 'multistream-client/react';
import { useEffect, useMemo, useState } from 'react';
import { Chooser } from './Chooser';
import { useKeys } from './keys';
import { LAYOUTS, type Layout } from './layouts';
import { serverUrl, token } from './server';
import type { Camera } from './streams';
import { Tile } from './Tile';
import { useTheme } from './theme';
import { fill, readWall, slotsOf, type WallState, writeWall } from './wall-state';

export function Wall({ cameras }: { cameras: readonly Camera[] }) {
  const [wall, setWall] = useState<WallState>(() => readWall(new URL(location.href), cameras));
  const [choosing, setChoosing] = useState<number | null>(null);
  const [theme, toggleTheme] = useTheme();
  const [enlarged, setEnlarged] = useState<number | null>(null);
  const slots = useMemo(() => {
    // Large enough for every pixel the camera has.
    const large = (slot: number) => slot === enlarged;
    return slotsOf(wall).map((wish) => (large(wish.slot) ? { ...wish, quality: 'native' } : wish));
  }, [wall, enlarged]);
  const { client, statuses, state, error, reconnecting } = useMultiStream(serverUrl, slots, { token });

  useEffect(() => history.replaceState(null, '', writeWall(new URL(location.href), wall)), [wall]);
  useEffect(() => {
    window.__multistream = { client };
  }, [client]);

  const enlarge = (slot: number) => setEnlarged((old) => (old === slot ? null : slot));
  useKeys({
    enlarge,
    back: () => setEnlarged(null),
    step: (cell, by) => {
      const at = cameras.findIndex(({ name }) => name === wall.choices[cell]?.stream);
      const next = cameras[(at + by + cameras.length) % cameras.length];
      if (next) choose(cell, { stream: next.name, quality: 'native' });
    },
  });

  const choose = (cell: number, choice: WallState['choices'][number]) =>
    setWall(({ layout, choices }) => ({
      layout,
      choices: choices.map((old, at) => (at === cell ? choice : old)),
    }));
  const chooseLayout = (layout: Layout) => {
    setEnlarged(null);
    setWall(({ choices }) => ({ layout, choices: fill(choices, layout.cells, cameras) }));
  };
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
              onClick={() => chooseLayout(layout)}
            >
              {layout.label}
            </button>
          ))}
        </fieldset>
        <button type="button" className="theme" onClick={toggleTheme}>
          {theme === 'dark' ? 'Light' : 'Dark'}
        </button>
      </header>
      <main className="grid" data-layout={wall.layout.name} data-enlarged={enlarged ?? undefined}>
        {slots.map(({ slot, stream, quality }) => (
          <Tile
            key={slot}
            slot={slot}
            choice={{ stream, quality: quality ?? 'native' }}
            client={client}
            state={state}
            status={statuses.get(slot)}
            enlarged={slot === enlarged}
            onChoose={setChoosing}
            onEnlarge={enlarge}
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
