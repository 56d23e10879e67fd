// The server's token: from the address or a form, kept for this tab. A password is the browser's own affair.
import { useSyncExternalStore } from 'react';
import { apiUrl, serverUrl } from './server';

export interface Access {
  token: string | undefined;
  /** Why the server lets nobody in: without a token, or with a wrong one. `undefined` as long as it does. */
  refused: 'missing' | 'wrong' | undefined;
}

/** Servers at several paths of one origin share its storage. */
const KEY = `multistream.token ${new URL(serverUrl).pathname}`;

let access: Access = { token: fromAddress() ?? stored(), refused: undefined };
const listeners = new Set<() => void>();

export function useAccess(): Access {
  return useSyncExternalStore(subscribe, () => access);
}

/** Requests a path of the API with the token that there is. A refusal of it is noted. */
export async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const { token } = access;
  const response = await request(path, token, signal);
  // While it was on the way, another token may have been entered.
  if (isRefusal(response) && token === access.token) {
    store(undefined);
    change({ token: undefined, refused: token === undefined ? 'missing' : 'wrong' });
  }
  return response;
}

/** Tries a token, and keeps it if the server takes it. Throws when the server does not answer. */
export async function enter(token: string): Promise<boolean> {
  if (isRefusal(await request('api', token))) return false;
  store(token);
  change({ token, refused: undefined });
  return true;
}

function request(path: string, token: string | undefined, signal?: AbortSignal): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${utf8(token)}` };
  return fetch(apiUrl(path), { headers, signal: signal ?? null });
}

/** The value of a header is bytes, of which `fetch` takes one from each character. */
function utf8(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** For a password the challenge is `Basic`, and the browser asks by itself. */
function isRefusal(response: Response): boolean {
  return response.status === 401 && /^bearer\b/i.test(response.headers.get('www-authenticate') ?? '');
}

/** The token of `?token=`, which is taken out of the address, where it would be seen, shared and kept in the history. */
function fromAddress(): string | undefined {
  const address = new URL(location.href);
  const token = address.searchParams.get('token');
  if (token === null) return undefined;
  address.searchParams.delete('token');
  history.replaceState(history.state, '', address);
  store(token || undefined);
  return token || undefined;
}

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Where the browser refuses storage, as in some iframes, the token lasts as long as the page. */
function store(token: string | undefined): void {
  try {
    if (token === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {}
}

function change(next: Access): void {
  access = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
