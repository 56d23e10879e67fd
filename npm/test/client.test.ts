// Tests the whole client, WebAssembly included, against the fake browser and server of `browser.ts`.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientEvent, MultiStreamClient, MultiStreamError, type SlotConfig } from '../dist/inline.js';
import type { SlotStatus as WireStatus } from '../src/generated/protocol.js';
import { install, peers, reset, server, sockets, stats, uninstall } from './browser.js';

const SLOTS: SlotConfig[] = [
  { slot: 0, stream: 'camera1' },
  { slot: 4, stream: 'camera2', quality: '720p' },
];

const clients: MultiStreamClient[] = [];

function makeClient(options = {}): MultiStreamClient {
  const client = new MultiStreamClient('https://device.example.com/base', options);
  clients.push(client);
  return client;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it succeeded',
    (error: unknown) => (error instanceof MultiStreamError ? error.code : error),
  );

beforeEach(install);
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
  reset();
});

describe('connect', () => {
  test('gives each slot the track of its m-line and reports the statuses in camelCase', async () => {
    const client = makeClient({ token: 'a b' });
    const onStatus = vi.fn();
    const tracks = await client.connect(SLOTS, onStatus);
    expect(sockets[0]?.url).toBe('wss://device.example.com/base/api/ws?token=a%20b');
    expect([...tracks].map(([slot, { id }]) => [slot, id])).toEqual([
      [0, 'track-1-1'],
      [4, 'track-1-0'],
    ]);
    const status = {
      slot: 4,
      camera: 'camera2',
      stream: 'camera2',
      status: 'active',
      actualQuality: 'native',
      live: false,
    };
    expect(onStatus).toHaveBeenCalledWith(4, status);
    expect([client.isConnected, client.state, client.wsState, client.pcState]).toEqual([
      true,
      'connected',
      'open',
      'connected',
    ]);
  });

  test('adds the ICE servers of the server to those of pcConfig', async () => {
    server.answer = (socket, message) => {
      const ice_servers = [{ urls: ['turn:theirs'] }];
      if (message.type === 'multistream/init') {
        const { request_id } = message;
        socket.say({ type: 'multistream/ready', request_id, slots: 1, ice_servers });
      }
      return true;
    };
    const connecting = failure(
      makeClient({ pcConfig: { iceServers: [{ urls: 'stun:mine' }] } }).connect([{ slot: 0, stream: 'a' }]),
    );
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    expect(peers[0]?.config.iceServers).toEqual([{ urls: ['turn:theirs'] }, { urls: 'stun:mine' }]);
    clients[0]?.disconnect();
    expect(await connecting).toBe('aborted');
  });

  test.each([
    ['no slots', []],
    ['a negative slot', [{ slot: -1, stream: 'a' }]],
    ['half a slot', [{ slot: 0.5, stream: 'a' }]],
    ['a slot without a stream', [{ slot: 0, stream: '' }]],
    ['a slot twice', [SLOTS[0], SLOTS[0]]],
    ['no array', 'camera1'],
  ])('refuses %s', async (_, slots) => {
    expect(await failure(makeClient().connect(slots as SlotConfig[]))).toBe('invalid-slots');
    expect(sockets).toHaveLength(0);
  });

  test('refuses an address that is not a URL', async () => {
    expect(await failure(new MultiStreamClient('device').connect(SLOTS))).toBe('invalid-url');
  });

  test('refuses a second call and keeps the first connection', async () => {
    const client = makeClient();
    const first = client.connect(SLOTS);
    expect(await failure(client.connect(SLOTS))).toBe('already-connected');
    expect((await first).size).toBe(2);
  });

  test('rejects when no server listens, or it sends a malformed frame, or it sends nothing', async () => {
    server.accepts = false;
    expect(await failure(makeClient().connect(SLOTS))).toBe('unreachable');
    server.accepts = true;
    server.answer = (socket) => {
      socket.say('<html>');
      return true;
    };
    expect(await failure(makeClient().connect(SLOTS))).toBe('bad-message');
    server.answer = () => true;
    expect(await failure(makeClient({ connectionTimeout: 50 }).connect(SLOTS))).toBe('connection-timeout');
  });

  test('is ended by disconnect() and by a signal at any time', async () => {
    const client = makeClient();
    const early = client.connect(SLOTS);
    client.disconnect();
    expect(await failure(early)).toBe('aborted');
    expect(await failure(client.connect(SLOTS, undefined, { signal: AbortSignal.abort() }))).toBe('aborted');

    server.answer = () => true;
    const abort = new AbortController();
    const late = client.connect(SLOTS, undefined, { signal: abort.signal });
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    abort.abort();
    expect(await failure(late)).toBe('aborted');
    server.answer = undefined;

    // The signal ends an open connection, and is no longer listened to after that.
    const whole = new AbortController();
    const forgotten = vi.spyOn(whole.signal, 'removeEventListener');
    await client.connect(SLOTS, undefined, { signal: whole.signal });
    whole.abort();
    expect(client.state).toBe('disconnected');
    expect(forgotten).toHaveBeenCalledTimes(1);

    await client.connect(SLOTS);
    expect(client.isConnected).toBe(true);
  });

  test('rejects with a typed error where there is no WebRTC', async () => {
    uninstall();
    expect(await failure(makeClient().connect(SLOTS))).toBe('no-webrtc');
  });
});

describe('a connection', () => {
  test('switches and refuses with the slot in the error', async () => {
    const client = makeClient();
    expect(await failure(client.switchStream(0, 'camera7'))).toBe('not-connected');
    await client.connect(SLOTS);
    const heard: unknown[] = [];
    client.on('switched', (event) => heard.push(event));
    const status = await client.switchStream(4, 'camera7', '1080p');
    expect(status).toEqual({
      slot: 4,
      camera: 'camera7',
      stream: 'camera7',
      status: 'active',
      live: false,
      timing: { requested: expect.any(Number), active: expect.any(Number) },
    });
    expect(heard).toEqual([{ type: 'switched', slot: 4, status }]);
    expect(sockets[0]?.sent.at(-1)).toMatchObject({ type: 'multistream/switch', slot: 4, quality: '1080p' });
    expect(await failure(client.switchStream(9, 'camera7'))).toBe('unknown-slot');
    expect(await failure(client.switchStream(Number.NaN, 'camera7'))).toBe('unknown-slot');
  });

  test.each([1, 2 ** 31 - 1, 2 ** 31, 4_000_000_000, 2 ** 32 - 1])(
    'passes on the RTP timestamp %d of the first picture unchanged',
    async (rtp_timestamp) => {
      const client = makeClient();
      await client.connect(SLOTS);
      server.answer = (socket, message) => {
        if (message.type !== 'multistream/switch') return false;
        const { slot, stream, request_id } = message;
        const status: WireStatus = { slot, stream, status: 'active', rtp_timestamp };
        socket.say({ type: 'multistream/status', slot, request_id, status });
        return true;
      };
      expect((await client.switchStream(4, 'camera7')).rtpTimestamp).toBe(rtp_timestamp);
    },
  );

  test('goes on when a handler throws, or calls back into the client', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const client = makeClient();
    const seen: ClientEvent['type'][] = [];
    client.on('status', () => {
      throw new Error('mine');
    });
    client.on('status', ({ type }) => seen.push(type));
    client.on('track', ({ slot }) => void client.switchStream(slot, 'camera9').catch(() => {}));
    const off = client.on('state', () => seen.push('state'));
    off();
    await client.connect(SLOTS);
    expect(seen).toContain('status');
    expect(seen).not.toContain('state');
    expect(error).toHaveBeenCalled();
    error.mockRestore();
  });

  test('reconnects with the same slots and emits the events', async () => {
    const client = makeClient();
    const types: string[] = [];
    client.on('reconnecting', ({ type, retry, delayMs }) => types.push(`${type} ${retry} ${delayMs}`));
    await client.connect(SLOTS);
    await client.switchStream(0, 'camera7');
    const reconnected = new Promise<Map<number, MediaStreamTrack>>((done) =>
      client.on('reconnected', (event) => done(event.tracks)),
    );
    sockets[0]?.drop(1006);
    expect((await reconnected).get(0)?.id).toBe('track-2-1');
    expect(types).toEqual(['reconnecting 0 0']);
    expect(sockets[1]?.sent[0]).toMatchObject({
      slots: [
        { slot: 0, stream: 'camera7' },
        { slot: 4, stream: 'camera2' },
      ],
    });
    expect(peers.map(({ connectionState }) => connectionState)).toEqual(['closed', 'connected']);
    expect(client.tracks.get(0)?.id).toBe('track-2-1');
  });

  test('calls the reconnect policy of the app, which may give up', async () => {
    const reconnect = vi.fn(() => null);
    const client = makeClient({ reconnect });
    await client.connect(SLOTS);
    const over = new Promise((done) => client.on('disconnected', done));
    peers[0]?.become('failed');
    await over;
    expect(reconnect).toHaveBeenCalledWith({ retry: 0, reason: expect.any(String), defaultDelayMs: 0 });
    expect([client.state, client.tracks.size, peers[0]?.connectionState]).toEqual([
      'disconnected',
      0,
      'closed',
    ]);
  });

  test('computes rates between two readings', async () => {
    const client = makeClient();
    expect(await client.getStats(0)).toBeUndefined();
    await client.connect(SLOTS);
    expect(await client.getStats(0)).toBeUndefined();
    stats.set('c', { id: 'c', type: 'codec', mimeType: 'video/H264' });
    const inbound = {
      id: 'i',
      type: 'inbound-rtp',
      codecId: 'c',
      frameWidth: 1280,
      frameHeight: 720,
      jitter: 0.004,
    };
    stats.set('i', { ...inbound, timestamp: 1_000, framesDecoded: 10, bytesReceived: 1_000 });
    expect(await client.getStats(0)).toMatchObject({
      bitrateBps: 0,
      codec: 'H264',
      width: 1280,
      jitterMs: 4,
    });
    stats.set('i', { ...inbound, timestamp: 3_000, framesDecoded: 70, bytesReceived: 251_000 });
    expect(await client.getStats(0)).toMatchObject({
      slot: 0,
      fps: 30,
      bitrateBps: 1_000_000,
      framesDecoded: 70,
    });
    expect(await client.getStats(9)).toBeUndefined();
  });

  test('reports the network path of the media', async () => {
    const client = makeClient();
    expect(await client.getPath()).toBeUndefined();
    await client.connect(SLOTS);
    expect(await client.getPath()).toBeUndefined();
    stats.set('t', { id: 't', type: 'transport', selectedCandidatePairId: 'p' });
    stats.set('p', { id: 'p', localCandidateId: 'l', remoteCandidateId: 'r', currentRoundTripTime: 0.012 });
    stats.set('l', { id: 'l', candidateType: 'host' });
    stats.set('r', { id: 'r', address: 'fe80::1', port: 8555, protocol: 'tcp', candidateType: 'host' });
    expect(await client.getPath()).toEqual({
      protocol: 'tcp',
      serverAddress: '[fe80::1]:8555',
      type: 'host',
      rttMs: 12,
    });
  });

  test('sends close before it closes the socket', async () => {
    const client = makeClient();
    await client.connect(SLOTS);
    client.close();
    await vi.waitFor(() => expect(sockets[0]?.sent.at(-1)?.type).toBe('multistream/close'));
    expect([peers[0]?.connectionState, client.pcState, client.isConnected]).toEqual([
      'closed',
      'closed',
      false,
    ]);
  });
});
