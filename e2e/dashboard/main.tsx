// Mounts the dashboard of npm/examples under StrictMode. The test controls it and reads the unhandled rejections.
import { StrictMode, version } from 'react';
import { flushSync } from 'react-dom';
import { createRoot, type Root } from 'react-dom/client';
import { Dashboard } from '../../npm/examples/Dashboard';

export interface Example {
  /** The version of React that this page was bundled with. */
  react: string;
  mount(deviceUrl: string, cameras: readonly { id: string }[]): void;
  unmount(): void;
  /** Rejections that the browser reports as unhandled. */
  unhandled: string[];
}

declare global {
  interface Window {
    example: Example;
  }
}

let root: Root | undefined;

window.example = {
  react: version,
  mount: (deviceUrl, cameras) => {
    const element = document.getElementById('root');
    if (element === null) return;
    root = createRoot(element);
    root.render(
      <StrictMode>
        <Dashboard deviceUrl={deviceUrl} cameras={cameras} />
      </StrictMode>,
    );
  },
  unmount: () => flushSync(() => root?.unmount()),
  unhandled: [],
};

window.addEventListener('unhandledrejection', ({ reason }) => window.example.unhandled.push(String(reason)));
