// The page at `/`.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { EmptyState } from './EmptyState';
import './style.css';
import { useCameras } from './streams';
import { Wall } from './Wall';

function Page() {
  const cameras = useCameras();
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
      return cameras.cameras.length > 0 ? <Wall cameras={cameras.cameras} /> : <EmptyState />;
  }
}

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
