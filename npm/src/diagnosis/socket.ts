// Finds out why a WebSocket did not open. The browser says nothing about that (RFC 6455 §10.1), but it lets a page read the
// answers to requests that the server allows it.
import type { Diagnosis } from './diagnosis.js';
import { violationBy } from './violation.js';

const TIMEOUT_MS = 2_000;
/** The server's answer to what is no WebSocket, where it would take one of this page. */
const UPGRADE_REQUIRED = 426;
/** A page over TLS may use these without it: nothing of them passes a network (Secure Contexts §3.1). */
const OWN_MACHINE = /^(localhost|.*\.localhost|127\..*|\[::1\])$/;

export async function whyRefused(socketUrl: string): Promise<Diagnosis> {
  const { protocol, hostname, host, pathname, search } = new URL(socketUrl);
  // Without a password, which is not shown, and which `fetch` does not take.
  const bare = `${protocol}//${host}${pathname}`;
  if (globalThis.location?.protocol === 'https:' && protocol === 'ws:' && !OWN_MACHINE.test(hostname)) {
    const message =
      `This page came by https, so the browser lets it use no server by http: give ${host} a certificate (\`api.tls_listen\`), ` +
      'or put a proxy with one before it, and write https:// (docs/network.md).';
    return { code: 'mixed-content', message };
  }
  const directive = await violationBy(bare, socketUrl, protocol.slice(0, -1));
  if (directive) {
    const origin = `${protocol}//${host}`;
    const message =
      `The Content-Security-Policy of this page forbids ${bare}: add ${origin} and ${origin.replace('ws', 'http')} to its ` +
      `\`${directive}\` (docs/npm.md).`;
    return { code: 'csp-blocked', message, cause: new Error(`securitypolicyviolation: ${directive}`) };
  }
  const url = bare.replace('ws', 'http');
  return byAnswer(url + search, url.replace(/\/api\/ws$/, ''));
}

async function byAnswer(url: string, base: string): Promise<Diagnosis> {
  // The browser adds the page's origin to a POST, also where it is that of the server.
  const answer = await ask(url, { method: 'POST' });
  if (!(answer instanceof Response)) return byHealth(base, answer);
  const { status } = answer;
  const said = await answer.text().catch(() => '');
  // Not what it says, which may quote the request with its token.
  const cause = new Error(`${base}/api/ws answers ${status}`);
  if (status === UPGRADE_REQUIRED) {
    const message =
      'The WebSocket could not be opened: a proxy before the server does not pass WebSocket upgrades on (docs/network.md, "Behind a reverse proxy").';
    return { code: 'websocket-failed', message, cause };
  }
  if (status === 403 && said.includes('api.origin')) return refused(cause);
  if (status === 401 || status === 403) {
    const message = `${base} lets nobody in without its token or password, or does not know the one that was given.`;
    return { code: 'unauthorized', message, cause };
  }
  const message = `What answers at ${base} is no Multistream server, or it is not there just now: the answer is ${status}. Are the address, the port and the path right?`;
  return { code: 'unreachable', message, cause };
}

/** The answer cannot be read, or there is none. The server lets pages of every origin read this path. */
async function byHealth(base: string, cause: unknown): Promise<Diagnosis> {
  const other = base.startsWith('https') ? base.replace('https', 'http') : base.replace('http', 'https');
  const blind = { mode: 'no-cors' } as const;
  const [readable, unreadable, byOther] = await Promise.all([
    ask(`${base}/healthz`),
    ask(`${base}/healthz`, blind),
    ask(`${other}/healthz`, blind),
  ]);
  if (readable instanceof Response && readable.ok) return refused(cause);
  if (unreadable instanceof Response || readable instanceof Response) {
    const message = `What answers at ${base} is no Multistream server, or one of an earlier version that this page's origin is not allowed at (\`api.origin\`). Are the address, the port and the path right?`;
    return { code: 'unreachable', message, cause };
  }
  const hint =
    byOther instanceof Response
      ? `but ${other} does: write that.`
      : 'Is the server running, and are the address and the port right?';
  return {
    code: 'unreachable',
    message: `Nothing answers at ${base}${byOther instanceof Response ? ', ' : '. '}${hint}`,
    cause,
  };
}

function refused(cause: unknown): Diagnosis {
  const { origin = 'null' } = globalThis.location ?? {};
  const message = `The server does not let pages of ${origin} in: add that to \`api.origin\` in its config, as it stands here.`;
  return { code: 'origin-refused', message, cause };
}

/** The answer, or why there is none that this page may read. */
function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  return fetch(url, { ...init, cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error: unknown) => error,
  );
}
