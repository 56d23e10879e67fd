// A dashboard on the React entry under StrictMode, as `npm create vite` sets it up. The test controls it.
import type { SlotConfig } from 'multistream-client';
import { CameraGrid, useMultiStream } from 'multistream-client/react';
import { type ReactNode, StrictMode, useEffect } from 'react';
import { flushSync } from 'react-dom';
import { createRoot, type Root } from 'react-dom/client';

export interface Dashboard {
  /** Shows the grid, or changes what it shows. */
  grid(url: string, slots: SlotConfig[]): void;
  /** The same with the hook and its refs. */
  hook(url: string, slots: SlotConfig[]): void;
  unmount(): void;
  /** The slots whose picture was selected. */
  selected: number[];
  /** How many times an effect ran: twice for each mount under StrictMode. */
  mounts: number;
}

declare global {
  interface Window {
    dashboard: Dashboard;
  }
}

function Hooked({ url, slots }: { url: string; slots: SlotConfig[] }) {
  const { videoRef, statuses, state, error, tracks } = useMultiStream(url, slots);
  return (
    <section data-state={state} data-tracks={tracks.size} title={error?.message}>
      {slots.map(({ slot }) => (
        <figure key={slot} data-slot={slot} data-status={statuses.get(slot)?.status}>
          <video ref={videoRef(slot)} muted />
        </figure>
      ))}
    </section>
  );
}

function Counted({ children }: { children: ReactNode }) {
  useEffect(() => {
    window.dashboard.mounts += 1;
  }, []);
  return children;
}

let root: Root | undefined;

function show(what: ReactNode): void {
  const element = document.getElementById('root');
  if (element === null) return;
  root ??= createRoot(element);
  root.render(
    <StrictMode>
      <Counted>{what}</Counted>
    </StrictMode>,
  );
}

window.dashboard = {
  grid: (url, slots) =>
    show(<CameraGrid url={url} slots={slots} onSelect={(slot) => window.dashboard.selected.push(slot)} />),
  hook: (url, slots) => show(<Hooked url={url} slots={slots} />),
  unmount: () => {
    flushSync(() => root?.unmount());
    root = undefined;
  },
  selected: [],
  mounts: 0,
};
