// Tests the client's HTTP requests against a real HTTP server: the list of streams, and `/healthz` of a server that was
// unreachable.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MultiStreamClient } from '../dist/inline.js';
import { install, reset, sockets, server as webSockets } from './browser.js';

/** `METHOD path authorization` of each request. */
const asked: string[] = [];
let answer: { status: number; body: string };
let http: Server | undefined;
const clients: MultiStreamClient[] = [];

async function listen(port = 0): Promise<number> {
  http = createServer(({ method, url, headers }, response) => {
    asked.push([method, url, headers.authorization].filter(Boolean).join(' '));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => http?.listen(port, '127.0.0.1', resolve));
  return (http.address() as AddressInfo).port;
}

async function close(): Promise<void> {
  http?.closeAllConnections();
  await new Promise((closed) => (http ? http.close(closed) : closed(undefined)));
  http = undefined;
}

function makeClient(port: number, options = {}): MultiStreamClient {
  const client = new MultiStreamClient(`http://127.0.0.1:${port}/base/?a=b`, options);
  clients.push(client);
  return client;
}

beforeEach(() => {
  install();
  asked.length = 0;
  answer = { status: 200, body: '{}' };
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  reset();
  await close();
});

describe('GET /api/streams', () => {
  const slots = [{ slot: 0, stream: 'camera1', quality: 'auto' }];

  test('is requested below the base path with the token, when a quality is auto', async () => {
    const port = await listen();
    await makeClient(port, { token: 't' }).connect(slots);
    expect(asked).toEqual(['GET /base/api/streams Bearer t']);
  });

  test.each([
    ['a refusal', { status: 401, body: '{}' }],
    ['no JSON', { status: 200, body: '<html>' }],
  ])('does not keep the client from connecting when the answer is %s', async (_, bad) => {
    answer = bad;
    const port = await listen();
    const tracks = await makeClient(port).connect(slots);
    expect(tracks.size).toBe(1);
  });

  test('does not keep the client from connecting when no server answers', async () => {
    const port = await listen();
    await close();
    expect((await makeClient(port).connect(slots)).size).toBe(1);
  });
});

describe('listStreams', () => {
  const variant = (quality: string, stream: string) => ({ quality, stream, width: null, height: null });
  const stream = (...variants: object[]) => ({ state: 'live', codec: 'h264', variants });

  test('resolves to the cameras in the order of the config, each with its variants, without a connection', async () => {
    const variants = [variant('native', 'yard'), variant('360p', 'yard-360p')];
    const list = {
      yard: stream(...variants),
      'yard-360p': stream(),
      door: stream(variant('native', 'door')),
    };
    answer = { status: 200, body: JSON.stringify(list) };
    const cameras = await makeClient(await listen(), { token: 't' }).listStreams();
    expect(cameras.map(({ name }) => name)).toEqual(['yard', 'door']);
    expect(cameras[0]).toEqual({ name: 'yard', ...list.yard });
    expect(asked).toEqual(['GET /base/api/streams Bearer t']);
    expect(sockets).toEqual([]);
  });

  test('rejects when the server refuses', async () => {
    answer = { status: 401, body: '{}' };
    await expect(makeClient(await listen()).listStreams()).rejects.toMatchObject({ code: 'list-failed' });
  });
});

describe('GET /healthz', () => {
  const slots = [{ slot: 0, stream: 'camera1' }];

  /** A client whose server has just become unreachable, with the longest jitter before its attempts. */
  async function lostClient(port: number, options = {}): Promise<MultiStreamClient> {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const client = makeClient(port, options);
    await client.connect(slots);
    webSockets.accepts = false;
    sockets.at(-1)?.drop(1006);
    await vi.waitFor(() => expect(client.state).toBe('reconnecting'));
    return client;
  }

  const healthz = () => asked.filter((request) => request === 'GET /base/healthz').length;

  test('an answer after none makes the client reconnect at once', async () => {
    const port = await listen();
    await close();
    const client = await lostClient(port);
    // By then the attempts are seconds apart.
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    expect(client.state).toBe('reconnecting');
    const before = sockets.length;
    await listen(port);
    webSockets.accepts = true;
    await vi.waitFor(() => expect(healthz()).toBeGreaterThan(0), { timeout: 1_500, interval: 5 });
    await vi.waitFor(() => expect(client.state).toBe('connected'), { timeout: 500, interval: 5 });
    expect(sockets.length).toBe(before + 1);
    const asks = healthz();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(healthz(), 'no more requests').toBe(asks);
  }, 20_000);

  test('is not requested when the app has a reconnect policy of its own', async () => {
    const port = await listen();
    await lostClient(port, { reconnect: () => 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(healthz()).toBe(0);
  });
});

describe('the WebSocket', () => {
  const slots = [{ slot: 0, stream: 'camera1' }];

  test('is closed without a code, after multistream/close when the app disconnects', async () => {
    const client = makeClient(await listen());
    await client.connect(slots);
    client.disconnect();
    await vi.waitFor(() => expect(sockets[0]?.readyState).toBe(3));
    expect(sockets[0]?.closedWith).toBe('no code');
    expect(sockets[0]?.sent.at(-1)?.type).toBe('multistream/close');
  });

  test('is reported with its close code when lost, and with the cause when it never opened', async () => {
    const reasons: string[] = [];
    const client = makeClient(await listen(), { reconnect: () => 60_000 });
    client.on('reconnecting', ({ reason }) => reasons.push(reason));
    await client.connect(slots);
    sockets[0]?.drop(1012);
    await vi.waitFor(() => expect(reasons).toHaveLength(1));
    expect(reasons[0]).toContain('1012');
    webSockets.accepts = false;
    await expect(makeClient(1).connect(slots)).rejects.toThrow('Nothing answers at http://127.0.0.1:1/base.');
  });

  test('stays open after a binary frame, which is reported', async () => {
    const client = makeClient(await listen());
    const errors: string[] = [];
    client.on('error', ({ error }) => errors.push(error.message));
    await client.connect(slots);
    sockets[0]?.dispatchEvent(new MessageEvent('message', { data: new ArrayBuffer(3) }));
    await vi.waitFor(() => expect(errors.join()).toContain('binary'));
    expect(client.isConnected).toBe(true);
  });
});
