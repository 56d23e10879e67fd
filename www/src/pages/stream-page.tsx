// One camera alone, for iframes: `stream.html?src=camera1&quality=720p`.
import { preload } from 'multistream-client';
import { useMultiStream } from 'multistream-client/react';
import { StrictMode, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useAccess } from '../api/access';
import { serverUrl } from '../api/server';
import { useCameras } from '../api/streams';
import { readStreamQuery, type StreamQuery } from './stream-query';
import { WithToken } from './TokenForm';
import '../ui/page.css';
import '../tile/tile.css';
import './stream.css';
import { Tile } from '../tile/Tile';
import { useTheme } from '../ui/theme';

function Single({ stream, query }: { stream: string; query: StreamQuery }) {
  const [quality, setQuality] = useState(query.quality);
  const slots = useMemo(() => [{ slot: 0, stream, quality }], [stream, quality]);
  const { pauseHidden } = query;
  const { token } = useAccess();
  const { client, statuses, state } = useMultiStream(serverUrl, slots, { token, pauseHidden });
  useEffect(() => {
    window.__multistream = { client };
  }, [client]);
  return (
    <main className="single" data-controls={query.controls}>
      <Tile
        slot={0}
        choice={{ stream, quality }}
        client={client}
        state={state}
        status={statuses.get(0)}
        qualities={useQualities(stream)}
        onQuality={setQuality}
      />
      {query.lacking.length > 0 && (
        <p className="lacking" role="note">
          {query.lacking.join(' ')}
        </p>
      )}
    </main>
  );
}

function useQualities(stream: string): readonly string[] {
  const cameras = useCameras();
  const known = cameras.state === 'known' ? cameras.cameras : [];
  return known.find(({ name }) => name === stream)?.qualities ?? [];
}

function Page() {
  useTheme();
  const query = readStreamQuery(new URLSearchParams(location.search));
  if (query.behind) document.body.style.setProperty('--behind', query.behind);
  if (query.stream === null) {
    return (
      <main className="empty">
        <h1>Which camera?</h1>
        <p>
          Name it in the address: <code>stream.html?src=camera1&amp;quality=720p</code>
        </p>
      </main>
    );
  }
  return <Single stream={query.stream} query={query} />;
}

// The WebAssembly module loads while the list of cameras does.
void preload();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <WithToken>
        <Page />
      </WithToken>
    </StrictMode>,
  );
}
