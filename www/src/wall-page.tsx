// The page at `/`.
import { preload } from 'multistream-client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { EmptyState } from './EmptyState';
import { layoutsUpTo } from './layouts';
import { useMaxSlots } from './limits';
import { useCameras } from './streams';
import './style/page.css';
import './style/stats.css';
import './style/tile.css';
import './style/wall.css';
import { useTheme } from './theme';
import { Wall } from './Wall';

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
        <Wall cameras={cameras.cameras} layouts={layoutsUpTo(maxSlots)} theme={theme} onTheme={toggleTheme} />
      );
  }
}

// It comes while the list of cameras does.
void preload();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
