// The camera wall: a layout of tiles over one connection, with its keyboard, drag and dialog controls.
import { useMultiStream } from 'multistream-client/react';
import { type CSSProperties, useEffect, useMemo, useRef, useState } from 'react';
import { useAccess } from '../api/access';
import { serverUrl } from '../api/server';
import type { Camera } from '../api/streams';
import { CameraList } from '../cameras/CameraList';
import { Chooser } from '../cameras/Chooser';
import { AUTO } from '../cameras/choice';
import { useWarm } from '../cameras/warm';
import { Meters } from '../stats/meters';
import { StatsDrawer } from '../stats/StatsDrawer';
import { Tile, VacantTile } from '../tile/Tile';
import { focusTile, saveSnapshot, tileElement, toggleFullScreen } from '../tile/tile-element';
import { NATIVE_FROM, pan, STEP, WHOLE, zoomAt } from '../tile/zoom';
import type { Theme } from '../ui/theme';
import { type Load, useDrag } from './drag';
import { Header } from './Header';
import { Help } from './Help';
import { healthOf, nextOf } from './health';
import { useKeys } from './keys';
import { kioskCaptions, useKiosk } from './kiosk';
import { type Layout, PACKED } from './layouts';
import { neighbour } from './neighbour';
import { useListOpen, useTourInterval } from './settings';
import { DEFAULT_INTERVAL_S, useTour } from './tour';
import { useEnlarged } from './use-enlarged';
import { usePacking } from './use-packing';
import { useWall } from './use-wall';
import { useZooms } from './use-zooms';
import { empty, type Means, place, placeCamera, slotsOf, swap, withLayout } from './wall-state';

interface Props extends Means {
  theme: Theme;
  onTheme: () => void;
}

export function Wall({ cameras, layouts, theme, onTheme }: Props) {
  const { wall, change: setWall, turn, restore, undo } = useWall({ cameras, layouts });
  const [listOpen, setListOpen] = useListOpen();
  const [intervalS, setIntervalS] = useTourInterval();
  const [choosing, setChoosing] = useState<number | null>(null);
  const [kiosk] = useState(kioskCaptions);
  useKiosk(kiosk);
  const [helping, setHelping] = useState(false);
  const [statsOpen, setStatsOpen] = useState(false);
  const [meters] = useState(() => new Meters());
  const { layout, choices } = wall;
  const [enlarged, setEnlarged] = useEnlarged((cell) => cell < layout.cells && choices[cell] != null);
  const [chosen, setSelected] = useState(enlarged ?? 0);
  // The last tiles may have gone, with a layout or a camera.
  const selected = Math.min(chosen, layout.cells - 1);
  // A smaller layout keeps the slots of the larger one before it. Only a layout with more slots needs a new connection.
  const [cells, setCells] = useState(layout.cells);
  if (layout.cells > cells) setCells(layout.cells);

  const zooms = useZooms(choices);
  const near = choices.flatMap((_, cell) => (zooms.of(cell).scale >= NATIVE_FROM ? [cell] : [])).join(' ');
  const slots = useMemo(() => {
    // An enlarged tile and one that is zoomed far are shown in native quality.
    const zoomed = new Set(near.split(' '));
    const large = (slot: number) => slot === enlarged || zoomed.has(String(slot));
    return slotsOf(wall, cells).map((wish) => (large(wish.slot) ? { ...wish, quality: 'native' } : wish));
  }, [wall, cells, enlarged, near]);
  const { token } = useAccess();
  const { client, statuses, state, error, reconnecting } = useMultiStream(serverUrl, slots, { token });
  useEffect(() => {
    window.__multistream = { client };
  }, [client]);

  useEffect(() => client?.on('switched', ({ status }) => meters.switched(status.timing)), [client, meters]);

  const warmed = useWarm(client);
  const warm = (camera: string) => warmed(camera, choices[choosing ?? selected]?.quality ?? AUTO);
  const show = (cell: number, camera: Camera) => setWall((wall) => placeCamera(wall, cell, camera));
  const setQuality = (cell: number, quality: string) =>
    setWall((wall) => {
      const choice = wall.choices[cell];
      return choice ? place(wall, cell, { ...choice, quality }) : wall;
    });
  const setLayout = (layout: Layout) => {
    setEnlarged(null);
    setWall((wall) => withLayout(wall, layout, cameras));
  };
  const enlarge = (cell: number) => setEnlarged(enlarged === cell ? null : cell);
  const select = (cell: number) => {
    setSelected(cell);
    if (enlarged === null) focusTile(cell);
    else if (choices[cell]) setEnlarged(cell);
  };

  const onDrop = (load: Load, cell: number) => {
    setSelected(cell);
    if (load.kind === 'tile') return setWall((wall) => swap(wall, load.cell, cell));
    const camera = cameras.find(({ name }) => name === load.name);
    if (camera) show(cell, camera);
  };
  const { drag, press } = useDrag(onDrop);
  const tour = useTour({
    intervalS,
    busy: choosing !== null || helping || enlarged !== null || drag !== null,
    wall,
    cameras,
    client: state === 'connected' ? client : null,
    onTurn: (cell, camera) => turn((wall) => placeCamera(wall, cell, camera)),
    onEnd: restore,
  });
  const onTile = (cell: number, act: (tile: HTMLElement) => void) => {
    const tile = tileElement(cell);
    if (tile) act(tile);
  };
  const step = (cell: number, by: 1 | -1) => {
    const at = cameras.findIndex(({ name }) => name === choices[cell]?.stream);
    const next = cameras[(at + by + cameras.length) % cameras.length];
    if (next) show(cell, next);
  };
  useKeys({
    cells: layout.cells,
    selected,
    select,
    camera: (cell, index) => {
      const camera = cameras[index];
      if (camera) show(cell, camera);
      return camera !== undefined;
    },
    step,
    move: (direction) => {
      // One tile is all that there is to see: the arrows go through the tiles in their order.
      const by = direction === 'right' || direction === 'down' ? 1 : -1;
      const next = enlarged === null ? neighbour(selected, direction) : selected + by;
      if (next !== undefined && next >= 0 && next < layout.cells) select(next);
    },
    choose: setChoosing,
    empty: (cell) => {
      if (enlarged === null) setWall((wall) => empty(wall, cell));
    },
    undo,
    enlarge: (cell) => choices[cell] && enlarge(cell),
    fullScreen: () => toggleFullScreen(document.documentElement),
    zoom: (cell, how) => {
      const old = zooms.of(cell);
      const factor = how === 'in' ? STEP : 1 / STEP;
      const next = how === 'whole' ? WHOLE : zoomAt(old, factor, { x: 0.5, y: 0.5 });
      if (old.scale === next.scale) return false;
      zooms.set(cell, next);
      return true;
    },
    pan: (cell, x, y) => zooms.set(cell, pan(zooms.of(cell), { x, y })),
    snapshot: (cell) => onTile(cell, saveSnapshot),
    back: () => (enlarged === null ? setIntervalS(null) : setEnlarged(null)),
    toggle: (what) => {
      if (what === 'list') setListOpen(!listOpen);
      if (what === 'tour') setIntervalS(intervalS === null ? DEFAULT_INTERVAL_S : null);
      if (what === 'stats') setStatsOpen(!statsOpen);
      if (what === 'help') setHelping(true);
    },
  });

  const main = useRef<HTMLElement>(null);
  const aspect = (cell: number) => {
    const status = statuses.get(cell);
    const width = status?.displayWidth ?? status?.width;
    const height = status?.displayHeight ?? status?.height;
    if (!width || !height || status?.camera !== choices[cell]?.stream) return undefined;
    // The qualities of a camera differ by a pixel or two.
    return Math.round((width / height) * 50) / 50;
  };
  const isPacked = layout.name === PACKED;
  const packing = usePacking(
    main,
    Array.from({ length: isPacked ? layout.cells : 0 }, (_, cell) => aspect(cell)),
  );

  const tile = (cell: number) => {
    const choice = choices[cell];
    const isHere = { selected: cell === selected, target: drag?.over === cell };
    const onSelect = () => setSelected(cell);
    const onChoose = () => setChoosing(cell);
    if (!choice)
      return cell < layout.cells ? (
        <VacantTile
          key={cell}
          cell={cell}
          {...isHere}
          packed={packing[cell]}
          onSelect={onSelect}
          onChoose={onChoose}
        />
      ) : null;
    return (
      <Tile
        key={cell}
        slot={cell}
        choice={choice}
        client={client}
        state={state}
        status={statuses.get(cell)}
        qualities={cameras.find(({ name }) => name === choice.stream)?.qualities ?? []}
        {...isHere}
        meters={meters}
        enlarged={cell === enlarged}
        hidden={cell >= layout.cells || (enlarged !== null && cell !== enlarged)}
        packed={cell === enlarged ? undefined : packing[cell]}
        zoom={zooms.of(cell)}
        onZoom={(zoom) => zooms.set(cell, zoom)}
        onSwipe={(by) => step(cell, by)}
        onSelect={onSelect}
        onChoose={onChoose}
        onEnlarge={() => enlarge(cell)}
        onQuality={(quality) => setQuality(cell, quality)}
        onPress={(event) => press(event, { kind: 'tile', cell, name: choice.stream })}
      />
    );
  };
  const inSight = slots
    .map(({ slot }) => slot)
    .filter((slot) => slot < layout.cells && (enlarged ?? slot) === slot);
  const health = healthOf(inSight, statuses);
  const grid = { '--columns': layout.columns, '--rows': layout.rows, '--first': layout.first };
  return (
    <>
      {kiosk === undefined && (
        <Header
          state={state}
          words={state === 'connected' ? health.words : state}
          troubled={state === 'connected' ? health.troubled.length : 0}
          onTroubled={() => select(nextOf(health.troubled, selected) ?? selected)}
          // An error of one slot is shown on its tile, but for a refusal, which leaves the tile as it is.
          reason={
            error?.slot === undefined || error.kept ? (error?.message ?? reconnecting?.reason) : undefined
          }
          layouts={layouts}
          layout={layout}
          onLayout={setLayout}
          tour={{ state: tour, intervalS, onInterval: setIntervalS }}
          theme={theme}
          onTheme={onTheme}
          listOpen={listOpen}
          onList={() => setListOpen(!listOpen)}
          statsOpen={statsOpen}
          onStats={() => setStatsOpen(!statsOpen)}
          onHelp={() => setHelping(true)}
        />
      )}
      <div className="body">
        {listOpen && kiosk === undefined && (
          <CameraList
            cameras={cameras}
            shown={cellsByCamera(choices.slice(0, layout.cells))}
            cell={selected}
            onChoice={(camera) => show(selected, camera)}
            onPress={(event, camera) => press(event, { kind: 'camera', name: camera.name })}
            warm={warm}
          />
        )}
        <main
          ref={main}
          className="grid"
          style={grid as CSSProperties}
          data-layout={layout.name}
          data-enlarged={enlarged ?? undefined}
        >
          {Array.from({ length: cells }, (_, cell) => tile(cell))}
        </main>
        {statsOpen && (
          <StatsDrawer
            client={client}
            meters={meters}
            slots={slots.filter(({ slot }) => slot < layout.cells && (enlarged ?? slot) === slot)}
            onClose={() => setStatsOpen(false)}
          />
        )}
      </div>
      {drag && (
        <div className="dragged" style={{ translate: `${drag.x}px ${drag.y}px` }} aria-hidden="true">
          {drag.load.name}
        </div>
      )}
      {choosing !== null && (
        <Chooser
          cell={choosing}
          tile={tileElement(choosing)}
          choice={choices[choosing] ?? null}
          cameras={cameras}
          onCamera={(camera) => show(choosing, camera)}
          onQuality={(quality) => setQuality(choosing, quality)}
          onClose={() => setChoosing(null)}
          warm={warm}
        />
      )}
      {helping && <Help onClose={() => setHelping(false)} />}
    </>
  );
}

/** The numbers of the tiles that show each camera. */
function cellsByCamera(choices: readonly ({ stream: string } | null)[]): Map<string, number[]> {
  const cells = new Map<string, number[]>();
  for (const [cell, choice] of choices.entries()) {
    if (choice) cells.set(choice.stream, [...(cells.get(choice.stream) ?? []), cell + 1]);
  }
  return cells;
}
