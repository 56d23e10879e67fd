// Runs a TURN server of a test's own: coturn, on free ports of one address, with a certificate that nobody else has signed.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, freePort } from './child';

const READY_TIMEOUT_MS = 10_000;
/** How many relayed connections a test has at most, each with a port of its own. */
const RELAYS = 50;

export class Coturn {
  private constructor(
    readonly child: Child,
    readonly address: string,
    /** For UDP and TCP. */
    readonly port: number,
    /** For TLS over TCP. */
    readonly tlsPort: number,
    private readonly folder: string,
  ) {}

  /** `secret`: that of `static-auth-secret`. */
  static async start(address: string, secret: string): Promise<Coturn> {
    const [port, tlsPort, relays] = [await freePort(), await freePort(), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), 'multistream-coturn-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    // One that names the address, so that only its signature keeps a browser from trusting it.
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
        .concat(['-subj', '/CN=coturn', '-addext', `subjectAltName=IP:${address}`])
        .concat(['-keyout', key, '-out', certificate]),
      { stdio: 'pipe' },
    );
    const first = Math.min(relays, 65_535 - RELAYS);
    const child = new Child('turnserver', [
      ...[
        '-n',
        '--no-cli',
        '--no-dtls',
        '--verbose',
        '--log-file=stdout',
        `--pidfile=${join(folder, 'pid')}`,
      ],
      ...[`--userdb=${join(folder, 'users')}`, '--realm=e2e', `--listening-ip=${address}`],
      ...[`--relay-ip=${address}`, `--min-port=${first}`, `--max-port=${first + RELAYS}`],
      ...[
        `--listening-port=${port}`,
        `--tls-listening-port=${tlsPort}`,
        `--cert=${certificate}`,
        `--pkey=${key}`,
      ],
      ...['--use-auth-secret', `--static-auth-secret=${secret}`],
    ]);
    const coturn = new Coturn(child, address, port, tlsPort, folder);
    try {
      for (const listener of [
        `UDP listener opened on: ${address}:${port}`,
        `listener opened on : ${address}:${tlsPort}`,
      ]) {
        await child.line((line) => line.includes(listener), READY_TIMEOUT_MS);
      }
    } catch (error) {
      await coturn.stop();
      throw error;
    }
    return coturn;
  }

  /** The path of its certificate. */
  get certificate(): string {
    return join(this.folder, 'certificate.pem');
  }

  /** The hash of its public key, as Chromium's `--ignore-certificate-errors-spki-list` takes it. */
  get fingerprint(): string {
    const { publicKey } = new X509Certificate(readFileSync(this.certificate));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(spki).digest('base64');
  }

  get udpUrl(): string {
    return `turn:${this.address}:${this.port}?transport=udp`;
  }

  get tlsUrl(): string {
    return `turns:${this.address}:${this.tlsPort}?transport=tcp`;
  }

  async stop(): Promise<void> {
    await this.child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
