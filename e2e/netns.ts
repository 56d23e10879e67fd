// A network of its own for one browser: a network namespace behind a pair of virtual interfaces, whose address a test can change
// and whose link it can take down. The server runs outside. Needs root and Linux; `missing()` says what is missing.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 24;
/** Namespaces that exist, to be removed should the process end before its tests have done so. */
const open = new Set<Netns>();
let count = 0;

export class Netns {
  readonly #folder = mkdtempSync(join(tmpdir(), 'multistream-netns-'));
  readonly #listeners: Server[] = [];
  /** Both ends of the connections that are passed on. */
  readonly #passed = new Set<Socket>();
  #address: string;

  private constructor(
    readonly name: string,
    private readonly subnet: string,
    /** The outer interface; its name may have at most 15 characters. */
    readonly outer: string,
    /** The interface inside. */
    readonly inner: string,
  ) {
    this.#address = `${subnet}.2`;
  }

  /** Why this machine cannot have one, or `undefined` when it can. */
  static missing(): string | undefined {
    if (process.platform !== 'linux') return 'network namespaces need Linux';
    const probe = `msprobe${process.pid}`;
    const added = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
    if (added.status !== 0) {
      return `\`ip netns add\` does not work here: ${added.error?.message ?? added.stderr.trim()}`;
    }
    spawnSync('ip', ['netns', 'del', probe]);
    return undefined;
  }

  /** Its subnet is 10.77.x.0/24: the host is .1 and the inside begins as .2. */
  static create(): Netns {
    count += 1;
    const id = `${process.pid % 10_000}x${count}`;
    const subnet = `10.77.${(process.pid + count) % 250}`;
    const netns = new Netns(`ms${id}`, subnet, `mso${id}`, `msi${id}`);
    if (count === 1) process.once('exit', removeAll);
    open.add(netns);
    try {
      netns.#ip('netns', 'add', netns.name);
      // The kernel gives interfaces IPv6 addresses a second after they came up, and Chromium then ends what it is loading
      // (ERR_NETWORK_CHANGED).
      for (const which of ['all', 'default']) netns.#set(`net.ipv6.conf.${which}.disable_ipv6=1`);
      netns.#ip('link', 'add', netns.outer, 'type', 'veth', 'peer', 'name', netns.inner, 'netns', netns.name);
      netns.#ip('addr', 'add', `${netns.host}/${PREFIX}`, 'dev', netns.outer);
      netns.#ip('link', 'set', netns.outer, 'up');
      netns.#inside('link', 'set', 'lo', 'up');
      netns.#inside('addr', 'add', `${netns.address}/${PREFIX}`, 'dev', netns.inner);
      netns.up();
    } catch (error) {
      netns.remove();
      throw error;
    }
    return netns;
  }

  /** The address by which the inside reaches the host. */
  get host(): string {
    return `${this.subnet}.1`;
  }

  /** The address of the inside. */
  get address(): string {
    return this.#address;
  }

  /**
   * Gives the inside another address instead of the one that it has, as a phone gets one that leaves its Wi-Fi. `overlap`: the new
   * one is there before the old one goes.
   */
  move({ overlap = false } = {}): string {
    const [before, last] = [this.#address, Number(this.#address.split('.').at(-1))];
    this.#address = `${this.subnet}.${last + 1}`;
    const steps = [
      ['del', before],
      ['add', this.#address],
    ] as const;
    for (const [verb, address] of overlap ? steps.toReversed() : steps) {
      this.#inside('addr', verb, `${address}/${PREFIX}`, 'dev', this.inner);
    }
    // Removing the first address of a subnet removes its others too, unless the system is told to keep them.
    this.#inside('addr', 'replace', `${this.#address}/${PREFIX}`, 'dev', this.inner);
    this.#route();
    return this.#address;
  }

  /** Takes the link down at the inside, which the browser's system notices. */
  down(): void {
    this.#inside('link', 'set', this.inner, 'down');
  }

  up(): void {
    this.#inside('link', 'set', this.inner, 'up');
    this.#route();
  }

  /** Drops every packet silently, as a network that is broken farther away does, or lets them pass again. */
  blackhole(on: boolean): void {
    // A token bucket that holds less than a packet passes none.
    const bucket = on
      ? ['replace', 'root', 'tbf', 'rate', '8bit', 'burst', '10b', 'latency', '1ms']
      : ['del', 'root'];
    const [verb = '', root = '', ...kind] = bucket;
    execFileSync('tc', ['qdisc', verb, 'dev', this.outer, root, ...kind]);
    execFileSync('tc', ['-n', this.name, 'qdisc', verb, 'dev', this.inner, root, ...kind]);
  }

  /** Drops every UDP packet on its way in and out silently, as many office networks do, or lets them pass again. */
  blockUdp(on: boolean): void {
    // Where they arrive, since a system tells a program of its own that its packet was dropped.
    const rules = (device: string) =>
      `add table netdev ${this.name}; delete table netdev ${this.name}; ${
        on
          ? `add table netdev ${this.name}
      add chain netdev ${this.name} drops { type filter hook ingress device ${device} priority 0; }
      add rule netdev ${this.name} drops meta l4proto udp drop`
          : ''
      }`;
    execFileSync('nft', ['-f', '-'], { input: rules(this.outer) });
    this.filter(rules(this.inner));
  }

  /** Drops what the inside sends and what this matches, in the language of `nft`, from now on. */
  drop(what: string): void {
    this.filter(`
      add table inet blocked
      add chain inet blocked leaves { type filter hook output priority 0; }
      add rule inet blocked leaves ${what} drop`);
  }

  /** Gives the inside rules for its packets, in the language of `nft`. */
  filter(rules: string): void {
    execFileSync('ip', ['netns', 'exec', this.name, 'nft', '-f', '-'], { input: rules });
  }

  /** Makes a port of 127.0.0.1 reachable from the inside, at the same port of {@link host}. Returns its address. */
  async forward(port: number): Promise<string> {
    const listener = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#passed.add(end);
        end.on('error', () => void other.destroy());
        end.on('close', () => {
          this.#passed.delete(end);
          other.destroy();
        });
      }
    });
    this.#listeners.push(listener);
    listener.listen(port, this.host).unref();
    await once(listener, 'listening');
    return `http://${this.host}:${port}`;
  }

  /**
   * Lays a cable to another inside, with addresses of this subnet, `10.x.y`: .1 at this end, .2 at the other, which sends everything
   * that is not for a neighbour this way from now on.
   */
  join(other: Netns, subnet: string): void {
    const [near, far] = [`ms${subnet}`.replaceAll('.', '-'), `ms${subnet}b`.replaceAll('.', '-')];
    this.#inside('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', other.name);
    for (const [netns, device, end] of [
      [this, near, 1],
      [other, far, 2],
    ] as const) {
      netns.#inside('addr', 'add', `${subnet}.${end}/${PREFIX}`, 'dev', device);
      netns.#inside('link', 'set', device, 'up');
    }
    other.#inside('route', 'replace', 'default', 'via', `${subnet}.1`);
  }

  /** Passes on what arrives for others, as a router does. */
  forwardPackets(): void {
    this.#set('net.ipv4.ip_forward=1');
  }

  /** A program that runs `command` inside, with the arguments that it gets. */
  wrap(command: string): string {
    const script = join(this.#folder, 'inside');
    writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${this.name} ${command} "$@"\n`);
    chmodSync(script, 0o755);
    return script;
  }

  /** Removes it with its interfaces. Its processes must have ended. */
  remove(): void {
    open.delete(this);
    for (const listener of this.#listeners) listener.close();
    // Without its interface the inside can tell nobody that a connection has ended.
    for (const end of this.#passed) end.destroy();
    // A rule of `blockUdp`, if it is on.
    spawnSync('nft', [`delete table netdev ${this.name}`]);
    spawnSync('ip', ['link', 'del', this.outer]);
    spawnSync('ip', ['netns', 'del', this.name]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Everything goes through the host, for a browser without a default route believes to be offline. */
  #route(): void {
    this.#inside('route', 'replace', 'default', 'via', this.host);
  }

  #set(variable: string): void {
    execFileSync('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', variable]);
  }

  #ip(...args: string[]): void {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  #inside(...args: string[]): void {
    this.#ip('-n', this.name, ...args);
  }
}

function removeAll(): void {
  for (const netns of open) netns.remove();
}
