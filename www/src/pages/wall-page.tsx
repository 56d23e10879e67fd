// The page at `/`.
import { preload } from 'multistream-client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { useMaxSlots } from '../api/limits';
import { useCameras } from '../api/streams';
import { layoutsUpTo } from '../wall/layouts';
import { EmptyState } from './EmptyState';
import { WithToken } from './TokenForm';
import '../ui/page.css';
import '../stats/stats.css';
import '../tile/tile.css';
import '../wall/wall.css';
import '../wall/kiosk.css';
import '../wall/phone.css';
import { useTheme } from '../ui/theme';
import { Wall } from '../wall/Wall';

function Page() {
  const cameras = useCameras();
  const maxSlots = useMaxSlots();
  const [theme, toggleTheme] = useTheme();
  switch (cameras.state) {
    case 'loading':
      return <main className="empty" aria-busy="true" />;
    case 'failed':
      return (
        <main className="empty">
          <h1>The server does not answer</h1>
          <p>{cameras.reason}. Trying again.</p>
        </main>
      );
    case 'known':
      if (cameras.cameras.length === 0) return <EmptyState />;
      if (maxSlots === undefined) return <main className="empty" aria-busy="true" />;
      return (
        <Wall
          cameras={cameras.cameras}
          layouts={layoutsUpTo(maxSlots, cameras.cameras.length)}
          theme={theme}
          onTheme={toggleTheme}
        />
      );
  }
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
