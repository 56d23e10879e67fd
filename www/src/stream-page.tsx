// One camera alone, for iframes: `stream.html?src=camera1&quality=720p`.
import { useMultiStream } from 'multistream-client/react';
import { StrictMode, useEffect, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { serverUrl, token } from './server';
import './style.css';
import { Tile } from './Tile';

function Single({ stream, quality }: { stream: string; quality: string }) {
  const slots = useMemo(() => [{ slot: 0, stream, quality }], [stream, quality]);
  const { client, statuses, state } = useMultiStream(serverUrl, slots, { token });
  useEffect(() => {
    window.__multistream = { client };
  }, [client]);
  return (
    <Tile slot={0} choice={{ stream, quality }} client={client} state={state} status={statuses.get(0)} />
  );
}

function Page() {
  const query = new URLSearchParams(location.search);
  const stream = query.get('src');
  if (!stream) {
    return (
      <main className="empty">
        <h1>Which camera?</h1>
        <p>
          Name it in the address: <code>stream.html?src=camera1&amp;quality=720p</code>
        </p>
      </main>
    );
  }
  return <Single stream={stream} quality={query.get('quality') ?? 'native'} />;
}

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
