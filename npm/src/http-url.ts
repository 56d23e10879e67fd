// The address of something that the server has beside its WebSocket.

/** `path` below the server's address, which may be written with `ws:` and may end with a slash or a query. */
export function httpUrl(serverUrl: string, path: string): string {
  const base = serverUrl
    .trim()
    .replace(/^ws/i, 'http')
    .replace(/[?#].*$/, '');
  return `${base.replace(/\/+$/, '')}${path}`;
}
