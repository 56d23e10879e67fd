// The server's address: the page's own origin and path, with the page's token.

const page = new URL(location.href);

/** The server's address, with its base path. */
export const serverUrl = new URL('.', page).href;

/** The access token from `?token=`, if the server requires one. */
export const token = page.searchParams.get('token') ?? undefined;

/** The URL of a path of the server's API. */
export function apiUrl(path: string): string {
  const url = new URL(path, serverUrl);
  if (token) url.searchParams.set('token', token);
  return url.href;
}
