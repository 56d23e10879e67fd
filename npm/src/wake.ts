// What makes the client look at once whether its connection still works.

/** A network that came back or is another one, or a tab that woke up. Not every browser has `navigator.connection`. */
type Connection = { connection?: EventTarget };

/** Calls `wake` for each of these. Returns how to stop. */
export function watchNetwork(wake: () => void): () => void {
  const { document, navigator } = globalThis;
  // Tests and server-side rendering have none.
  const page = 'addEventListener' in globalThis ? globalThis : undefined;
  const listener = () => {
    if (document?.visibilityState !== 'hidden') wake();
  };
  const targets: [EventTarget | undefined, string][] = [
    [page, 'online'],
    [page, 'pageshow'],
    [document, 'visibilitychange'],
    // A page that was frozen.
    [document, 'resume'],
    [(navigator as Connection | undefined)?.connection, 'change'],
  ];
  for (const [target, event] of targets) target?.addEventListener?.(event, listener);
  return () => {
    for (const [target, event] of targets) target?.removeEventListener?.(event, listener);
  };
}
