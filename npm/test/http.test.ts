// What the client asks over HTTP, of a real server: which streams there are, and whether a server that is away is back.
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

  test('is asked below the base path with the token, for qualities that are chosen here', async () => {
    const port = await listen();
    await makeClient(port, { token: 't' }).connect(slots);
    expect(asked).toEqual(['GET /base/api/streams Bearer t']);
  });

  test.each([
    ['a refusal', { status: 401, body: '{}' }],
    ['no JSON', { status: 200, body: '<html>' }],
  ])('is no reason not to connect when the answer is %s', async (_, bad) => {
    answer = bad;
    const port = await listen();
    const tracks = await makeClient(port).connect(slots);
    expect(tracks.size).toBe(1);
  });

  test('is no reason not to connect when nobody answers', async () => {
    const port = await listen();
    await close();
    expect((await makeClient(port).connect(slots)).size).toBe(1);
  });
});

describe('GET /healthz', () => {
  const slots = [{ slot: 0, stream: 'camera1' }];

  /** A client whose server has just gone away, and which would try again after a minute only. */
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

  test('a server that listens again is noticed, and the client tries at once', async () => {
    const port = await listen();
    await close();
    const client = await lostClient(port);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(client.state).toBe('reconnecting');
    const before = sockets.length;
    await listen(port);
    webSockets.accepts = true;
    await vi.waitFor(() => expect(client.state).toBe('connected'), { timeout: 2_500, interval: 20 });
    expect(sockets.length).toBeGreaterThan(before);
    const asks = healthz();
    expect(asks).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(healthz(), 'nothing is asked any more').toBe(asks);
  });

  test('a policy of the app is kept to: nothing is asked', async () => {
    const port = await listen();
    await lostClient(port, { reconnect: () => 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(healthz()).toBe(0);
  });
});

describe('the WebSocket', () => {
  const slots = [{ slot: 0, stream: 'camera1' }];

  test('is closed without a code, which leaves the session to be resumed, unless the app ends it', async () => {
    const client = makeClient(await listen());
    await client.connect(slots);
    client.disconnect();
    await vi.waitFor(() => expect(sockets[0]?.readyState).toBe(3));
    expect(sockets[0]?.closedWith).toBe('no code');
    expect(sockets[0]?.sent.at(-1)?.type).toBe('multistream/close');
  });

  test('that is lost is told with its real code, and one that never opened with what to look at', async () => {
    const reasons: string[] = [];
    const client = makeClient(await listen(), { reconnect: () => 60_000 });
    client.on('reconnecting', ({ reason }) => reasons.push(reason));
    await client.connect(slots);
    sockets[0]?.drop(1012);
    await vi.waitFor(() => expect(reasons).toHaveLength(1));
    expect(reasons[0]).toContain('1012');
    webSockets.accepts = false;
    await expect(makeClient(1).connect(slots)).rejects.toThrow('api.origin');
  });

  test('that sends what is no text ends nothing', async () => {
    const client = makeClient(await listen());
    const errors: string[] = [];
    client.on('error', ({ error }) => errors.push(error.message));
    await client.connect(slots);
    sockets[0]?.dispatchEvent(new MessageEvent('message', { data: new ArrayBuffer(3) }));
    await vi.waitFor(() => expect(errors.join()).toContain('binary'));
    expect(client.isConnected).toBe(true);
  });
});
