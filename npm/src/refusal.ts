// Finds out why the first WebSocket did not open. The browser says nothing about that (RFC 6455 §10.1), but it lets a page read
// the answers to requests that the server allows it.
const TIMEOUT_MS = 2_000;
/** The server's answer to what is no WebSocket, where it would take one of this page. */
const UPGRADE_REQUIRED = 426;

/** A sentence for people. `asks`: whether the server is asked; a connection that worked before is made again without that. */
export async function explainRefusal(socketUrl: string, asks: boolean): Promise<string> {
  return `The WebSocket could not be opened${asks ? `: ${await reason(socketUrl.replace('ws', 'http'))}` : '.'}`;
}

async function reason(url: string): Promise<string> {
  // The browser adds the page's origin to a POST, also where it is that of the server.
  const status = (await ask(url, { method: 'POST' }))?.status;
  if (status === UPGRADE_REQUIRED) {
    return 'a proxy before the server does not pass WebSocket upgrades on (docs/network.md, "Behind a reverse proxy").';
  }
  if (status === 401) return 'the server wants its token or password.';
  if (status) return `the answer is ${status}. Is the server there?`;
  return (await ask(url.replace(/\/api\/ws.*/, '/healthz'), { mode: 'no-cors' }))
    ? "what answers does not let this page read it. Is the server there, and this page's origin in its `api.origin`?"
    : 'nothing answers. Is the server there?';
}

function ask(url: string, init: RequestInit): Promise<Response | undefined> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
}
