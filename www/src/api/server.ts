// The server's address: the page's own origin and path.

/** The server's address, with its base path. */
export const serverUrl = new URL('.', location.href).href;

/** The URL of a path of the server's API. */
export function apiUrl(path: string): string {
  return new URL(path, serverUrl).href;
}
