// Runs reverse proxies of a test's own: nginx and Caddy, each with the configuration of docs/network.md, on a free port.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, freePort, repository } from './child';

const READY_TIMEOUT_MS = 10_000;
/** The server's address in the document. */
const DOCUMENTED_SERVER = '127.0.0.1:1984';
/** The path below which the proxies of the document have the server. */
export const PATH = '/cameras';

/** Lines of nginx without which it does not pass WebSocket upgrades on. */
const UPGRADE = /^\s*proxy_(http_version|set_header (Upgrade|Connection)).*\n/gm;

export class ReverseProxy {
  private constructor(
    private readonly child: Child,
    private readonly port: number,
    private readonly folder: string,
  ) {}

  /** `upgrades: false`: one whose owner has forgotten the WebSocket. `idleS`: how long it lets a connection be idle. */
  static nginx(server: number, { upgrades = true, idleS = 60 } = {}): Promise<ReverseProxy> {
    const documented = block('nginx', server);
    const location = upgrades ? documented : documented.replace(UPGRADE, '');
    return ReverseProxy.#start(
      (port, folder) => `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
        events {}
        http {
          access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder};
          fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
          proxy_read_timeout ${idleS}s; proxy_send_timeout ${idleS}s;
          server { listen 127.0.0.1:${port}; ${location} }
        }`,
      (file) => ['nginx', '-c', file],
    );
  }

  static caddy(server: number): Promise<ReverseProxy> {
    return ReverseProxy.#start(
      (port, folder) => `{
  admin off
  auto_https off
  storage file_system ${folder}
}
http://127.0.0.1:${port} {
${block('', server)}
}
`,
      (file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
    );
  }

  static async #start(
    config: (port: number, folder: string) => string,
    command: (file: string) => string[],
  ): Promise<ReverseProxy> {
    const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'multistream-proxy-'))];
    const file = join(folder, 'config');
    writeFileSync(file, config(port, folder));
    const [program = '', ...args] = command(file);
    // Caddy keeps a copy of its configuration in the user's home.
    const child = new Child(program, args, { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder });
    const proxy = new ReverseProxy(child, port, folder);
    try {
      await listens(child, port);
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  /** The server's address behind it. */
  get url(): string {
    return `${this.origin}${PATH}`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The block of docs/network.md in this language that has the documented path, with the server's port. */
function block(language: string, server: number): string {
  const text = readFileSync(join(repository, 'docs/network.md'), 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const found = blocks.find(([, of, code]) => of === language && code?.includes(`${PATH}/`))?.[2];
  if (!found?.includes(DOCUMENTED_SERVER)) throw new Error(`docs/network.md has no such block: ${language}`);
  return found.replace(DOCUMENTED_SERVER, `127.0.0.1:${server}`);
}

async function listens(child: Child, port: number): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (child.running && Date.now() < deadline) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the proxy did not start:\n${child.lines.join('\n')}`);
}
