// The wall on a monitor that nobody sits at: without the bar and the list, with a screen that stays on, and always the page of
// the server that runs. `?kiosk=1&captions=name|bad|off`
import { useEffect } from 'react';
import { ask } from '../api/access';
import { readAddress } from '../ui/address';

export type Captions = 'name' | 'bad' | 'off';

const STILL_MS = 3_000;
const VERSION_EVERY_MS = 60_000;

/** How captions are shown in a kiosk; `undefined`: this is none. The address decides, for as long as the page is there. */
export function kioskCaptions(): Captions | undefined {
  const query = readAddress();
  if (!['1', 'true'].includes(query.get('kiosk') ?? '')) return undefined;
  const asked = query.get('captions');
  return asked === 'bad' || asked === 'off' ? asked : 'name';
}

export function useKiosk(captions: Captions | undefined): void {
  useEffect(() => {
    if (captions === undefined) return;
    const root = document.documentElement;
    root.dataset.kiosk = captions;
    const ends = [hideCursor(root), keepAwake(), followVersion()];
    return () => {
      for (const end of ends) end();
      delete root.dataset.kiosk;
    };
  }, [captions]);
}

/** Marks the page as `data-still` while the pointer rests. */
function hideCursor(root: HTMLElement): () => void {
  let timer = 0;
  const onMove = () => {
    window.clearTimeout(timer);
    delete root.dataset.still;
    timer = window.setTimeout(() => {
      root.dataset.still = '';
    }, STILL_MS);
  };
  onMove();
  window.addEventListener('pointermove', onMove, { passive: true });
  return () => {
    window.removeEventListener('pointermove', onMove);
    window.clearTimeout(timer);
    delete root.dataset.still;
  };
}

/** Keeps the screen on. The browser gives the lock back whenever the page is hidden, and has none without HTTPS. */
function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let ended = false;
  const request = async () => {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    try {
      lock = await navigator.wakeLock.request('screen');
      if (ended) await lock.release();
    } catch {
      // Refused, as with an empty battery. The wall is there all the same.
    }
  };
  const onVisible = () => void request();
  onVisible();
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', onVisible);
    void lock?.release();
  };
}

/** Loads the page anew when a server of another version answers. */
function followVersion(): () => void {
  let first: string | undefined;
  const look = async () => {
    const response = await ask('api').catch(() => undefined);
    if (!response?.ok) return;
    const { version } = (await response.json().catch(() => ({}))) as { version?: unknown };
    if (typeof version !== 'string') return;
    first ??= version;
    if (version !== first) location.reload();
  };
  void look();
  const timer = window.setInterval(() => void look(), VERSION_EVERY_MS);
  return () => window.clearInterval(timer);
}
