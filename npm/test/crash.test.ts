// The WebAssembly of the package crashes: every call says so, nothing stays open, and the next connect() starts anew.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientEvent, MultiStreamClient, MultiStreamError, type SlotConfig } from '../dist/inline.js';
import { Guard } from '../dist/wasm/guard.js';
import { install, peers, reset, server, sockets } from './browser.js';

const SLOTS: SlotConfig[] = [{ slot: 0, stream: 'camera1' }];

const clients: MultiStreamClient[] = [];

async function connected(): Promise<MultiStreamClient> {
  const client = new MultiStreamClient('https://device.example.com');
  clients.push(client);
  await client.connect(SLOTS);
  return client;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it succeeded',
    (error: unknown) => (error instanceof MultiStreamError ? error.code : error),
  );

/** The clock is a function of the browser that the client trusts: an exception of it leaves through the WebAssembly. */
function whileTheClockThrows<T>(call: () => T): T {
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    throw new Error('no clock');
  });
  try {
    return call();
  } finally {
    clock.mockRestore();
  }
}

const crash = (client: MultiStreamClient) => whileTheClockThrows(() => failure(client.pause(0)));

beforeEach(install);
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
  reset();
});

describe('after a crash', () => {
  test('every call rejects with client-crashed, those that waited and later ones', async () => {
    const client = await connected();
    server.answer = () => true;
    const waiting = [client.switchStream(0, 'camera2'), client.requestKeyframe(0), client.warm('camera3')];
    const waited = waiting.map(failure);
    expect(await crash(client)).toBe('client-crashed');
    expect(await Promise.all(waited)).toEqual(['client-crashed', 'client-crashed', 'client-crashed']);
    expect(await failure(client.switchStream(0, 'camera2'))).toBe('client-crashed');
    expect(await failure(client.resume(0))).toBe('client-crashed');
    expect([client.state, client.isConnected, client.wsState, client.pcState]).toEqual([
      'disconnected',
      false,
      'closed',
      'new',
    ]);
    expect(client.tracks.size).toBe(0);
    expect(() => client.disconnect()).not.toThrow();
  });

  test('all clients of the page are told, and nothing of theirs stays open', async () => {
    const [one, other] = [await connected(), await connected()];
    const told: ClientEvent[] = [];
    for (const type of ['error', 'state', 'disconnected'] as const)
      other.on(type, (event) => told.push(event));
    await crash(one);
    expect(told.map(({ type }) => type)).toEqual(['error', 'state', 'disconnected']);
    expect(told[0]).toMatchObject({ error: { code: 'client-crashed' } });
    expect(told[0]).toMatchObject({ error: { message: expect.stringContaining('no clock') } });
    expect(told[1]).toMatchObject({ state: 'disconnected' });
    expect(peers.map(({ connectionState }) => connectionState)).toEqual(['closed', 'closed']);
    expect(sockets.map(({ readyState }) => readyState)).toEqual([3, 3]);
  });

  test('what the browser still reports is ignored', async () => {
    const client = await connected();
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    await crash(client);
    sockets[0]?.say('{"type":"multistream/status"}');
    sockets[0]?.drop(1006);
    peers[0]?.onconnectionstatechange?.();
    await new Promise((done) => setTimeout(done, 50));
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  });

  test('connect() starts anew, with the same client and with another one', async () => {
    const client = await connected();
    await crash(client);
    expect((await client.connect(SLOTS)).size).toBe(1);
    expect(await client.switchStream(0, 'camera2')).toMatchObject({ stream: 'camera2', status: 'active' });
    expect(client.state).toBe('connected');
    const other = await connected();
    expect(await other.switchStream(0, 'camera3')).toMatchObject({ stream: 'camera3' });
    // The instance that crashed does not come back to life with the new one.
    expect(sockets.filter(({ readyState }) => readyState === 1)).toHaveLength(2);
  });

  test('a client that had disconnected before starts anew too', async () => {
    const [idle, one] = [await connected(), await connected()];
    idle.disconnect();
    await crash(one);
    expect(idle.state).toBe('disconnected');
    expect((await idle.connect(SLOTS)).size).toBe(1);
  });

  test('a handler that makes a new connection of its own finds it made', async () => {
    const client = await connected();
    const again = new Promise((resolve, reject) => {
      client.on('disconnected', () => client.connect(SLOTS).then(resolve, reject));
    });
    await crash(client);
    expect(await again).toBeInstanceOf(Map);
  });
});

describe('the guard of an instance', () => {
  /** (import "e" "call" (func)) (export "trap": unreachable) (export "through": calls the import, then `after`). */
  const MODULE = Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[2, 0x14, 2, 1, 0x65, 4, ...text('call'), 0, 0, 1, 0x65, 5, ...text('after'), 0, 0],
    ...[3, 3, 2, 0, 0],
    ...[7, 0x12, 2, 4, ...text('trap'), 0, 2, 7, ...text('through'), 0, 3],
    ...[10, 12, 2, 3, 0, 0x00, 0x0b, 6, 0, 0x10, 0, 0x10, 1, 0x0b],
  );

  function text(name: string): number[] {
    return [...name].map((letter) => letter.charCodeAt(0));
  }

  async function run(guard: Guard, call: () => void = () => {}, after: () => void = () => {}) {
    const imports = guard.imports({ e: { call, after } }) as WebAssembly.Imports;
    const { instance } = await WebAssembly.instantiate(MODULE, imports);
    return guard.exports(instance.exports) as Record<'trap' | 'through', () => void>;
  }

  test('takes a trap for a crash, once', async () => {
    const guard = new Guard();
    const listener = vi.fn();
    guard.onCrash(listener);
    const waiting = failure(guard.settled(new Promise(() => {})));
    const exports = await run(guard);
    expect(exports.trap).toThrow(MultiStreamError);
    expect(exports.trap).not.toThrow();
    expect(listener).toHaveBeenCalledOnce();
    expect(await waiting).toBe('client-crashed');
  });

  test('lets no call of a crashed instance go on', async () => {
    const guard = new Guard();
    const after = vi.fn();
    let trap = () => {};
    // As a handler of the app that calls back into the client, which crashes there.
    const exports = await run(guard, () => expect(trap).toThrow(), after);
    trap = exports.trap;
    expect(exports.through).toThrow(MultiStreamError);
    expect(after).not.toHaveBeenCalled();
  });
});
