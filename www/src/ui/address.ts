// The page's address. Its parameters describe what the page shows, and only `tile`, the enlarged tile, makes an entry of the
// browser's history: Back goes to the wall as it is now, not as it was when the tile was enlarged.

const ENLARGED = 'tile';

let latest = new URL(location.href).searchParams;

export function readAddress(): URLSearchParams {
  return new URL(location.href).searchParams;
}

/** Changes parameters without an entry of the history; `null` takes one out. */
export function writeAddress(values: Readonly<Record<string, string | null>>): void {
  write(changed(values), 'replaceState', history.state);
}

/** The enlarged tile, from 0; `null`: none. */
export function readEnlarged(): number | null {
  const tile = Number(readAddress().get(ENLARGED));
  return Number.isInteger(tile) && tile > 0 ? tile - 1 : null;
}

export function writeEnlarged(cell: number | null): void {
  const wasEnlarged = readEnlarged() !== null;
  if (cell === null) {
    // The entry that enlarging made is left, as the browser's Back does. The address may also have been opened like that.
    if (wasEnlarged && history.state === ENLARGED) history.back();
    else if (wasEnlarged) writeAddress({ [ENLARGED]: null });
    return;
  }
  const values = { [ENLARGED]: String(cell + 1) };
  if (wasEnlarged) writeAddress(values);
  else write(changed(values), 'pushState', ENLARGED);
}

/** Calls `onChange` when the user goes back or forward. */
export function watchEnlarged(onChange: (cell: number | null) => void): () => void {
  const onPop = () => {
    const cell = readEnlarged();
    // The entry has the parameters of its time.
    write(changed({ [ENLARGED]: cell === null ? null : String(cell + 1) }), 'replaceState', history.state);
    onChange(cell);
  };
  window.addEventListener('popstate', onPop);
  return () => window.removeEventListener('popstate', onPop);
}

function changed(values: Readonly<Record<string, string | null>>): URLSearchParams {
  const next = new URLSearchParams(latest);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next;
}

function write(next: URLSearchParams, how: 'pushState' | 'replaceState', state: unknown): void {
  latest = next;
  const address = new URL(location.href);
  address.search = next.toString();
  history[how](state, '', address);
}
