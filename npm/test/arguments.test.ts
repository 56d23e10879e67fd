// Tests what the client says of arguments that it cannot take: always one error class, and a sentence that says what was expected.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isReactive, reactive, ref } from 'vue';
import { type ClientOptions, type ErrorCode, MultiStreamClient, MultiStreamError } from '../dist/inline.js';
import { install, reset, sockets } from './browser.js';

const SLOTS = [{ slot: 0, stream: 'camera1' }];
const clients: MultiStreamClient[] = [];

function make(options?: unknown): MultiStreamClient {
  return makeAt('https://device.example.com', options);
}

function makeAt(url: unknown, options?: unknown): MultiStreamClient {
  const client = new MultiStreamClient(url as string, options as ClientOptions);
  clients.push(client);
  return client;
}

beforeEach(install);
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
  reset();
});

/** What the call is refused with, whether it throws or rejects. */
async function refusal(call: () => unknown): Promise<MultiStreamError> {
  const error = await (async () => call())().then(
    (value) => `it gave ${value}`,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MultiStreamError)) throw new Error(`not refused: ${error}`, { cause: error });
  return error;
}

describe('an address', () => {
  test.each([
    undefined,
    null,
    '',
    7,
    {},
    [],
    'device',
    '/cameras',
    '//device',
    'ftp://device',
    'http://',
    'http://a b',
  ])('%j is refused by connect, and not while an app renders', async (url) => {
    const error = await refusal(() => makeAt(url).connect(SLOTS));
    expect(error).toMatchObject({ code: 'invalid-url', fatal: true });
    expect(error.message).toContain('a URL with its scheme');
  });

  test('that is refused is named without what may be a secret', async () => {
    const error = await refusal(() => makeAt('ftp://admin:hunter2@device/?token=hunter2').connect(SLOTS));
    expect(error.message).toContain('device');
    expect(error.message).not.toContain('hunter2');
  });

  test.each([new URL('https://device.example.com/base/'), 'WSS://device.example.com/base'])(
    '%s is taken',
    async (url) => {
      await makeAt(url).connect(SLOTS);
      expect(sockets[0]?.url).toBe('wss://device.example.com/base/api/ws');
    },
  );
});

const ABOUT: Record<string, (client: MultiStreamClient) => Record<string, (bad: unknown) => unknown>> = {
  'a slot': (client) => ({
    switchStream: (bad) => client.switchStream(bad as number, 'camera1'),
    pause: (bad) => client.pause(bad as number),
    resume: (bad) => client.resume(bad as number),
    requestKeyframe: (bad) => client.requestKeyframe(bad as number),
    getStats: (bad) => client.getStats(bad as number),
    setPriority: (bad) => client.setPriority(bad as number, 1),
    attach: (bad) => client.attach(bad as number, {} as HTMLVideoElement),
  }),
  slots: (client) => ({
    connect: (bad) => client.connect(bad as []),
    switchMany: (bad) => client.switchMany(bad as []),
  }),
  'a stream': (client) => ({
    switchStream: (bad) => client.switchStream(0, bad as string),
    warm: (bad) => client.warm(bad as string),
  }),
  'a quality': (client) => ({
    switchStream: (bad) => client.switchStream(0, 'camera1', bad as string),
    warm: (bad) => client.warm('camera1', bad as string),
  }),
  options: (client) => ({
    'new MultiStreamClient': (bad) => make(bad).connect(SLOTS),
    connect: (bad) => make().connect(SLOTS, undefined, bad as object),
    switchMany: (bad) => client.switchMany(SLOTS, bad as object),
  }),
  'a function': (client) => ({
    connect: (bad) => make().connect(SLOTS, bad as () => void),
    on: (bad) => client.on('status', bad as () => void),
  }),
  'a video': (client) => ({ attach: (bad) => client.attach(0, bad as HTMLVideoElement) }),
  'a priority': (client) => ({ setPriority: (bad) => client.setPriority(0, bad as number) }),
};

const BAD: Record<string, [code: ErrorCode, expected: string, values: unknown[]]> = {
  'a slot': [
    'unknown-slot',
    'A slot is an integer',
    [-1, 1.5, '0', null, undefined, Number.NaN, 2 ** 32, {}],
  ],
  slots: [
    'invalid-slots',
    'an array of { slot, stream, quality? }',
    [undefined, null, 7, 'camera1', {}, [null], ['camera1'], [{ slot: 0 }], [{ slot: 0, stream: 5 }]],
  ],
  'a stream': ['invalid-argument', 'A stream is a name', [undefined, null, 5, {}, ['camera1']]],
  'a quality': ['invalid-argument', 'A quality is a name', [720, {}, false]],
  options: ['invalid-argument', 'an object', [null, 7, 'token']],
  'a function': ['invalid-argument', 'is a function', ['log', {}, 7]],
  'a video': ['invalid-argument', 'is a <video>', [null, undefined, 'video', {}]],
  'a priority': [
    'invalid-argument',
    'A priority is an integer',
    [undefined, '1', 0.5, Number.POSITIVE_INFINITY],
  ],
};

const ROWS = Object.entries(BAD).flatMap(([what, [code, expected, values]]) =>
  Object.keys(ABOUT[what]?.(make()) ?? {}).map((call) => ({ call, what, code, expected, values })),
);

test.each(ROWS)('$call refuses what is not $what', async ({ call, what, code, expected, values }) => {
  const client = make();
  if (call !== 'connect') await client.connect(SLOTS);
  for (const bad of values) {
    const error = await refusal(() => ABOUT[what]?.(client)[call]?.(bad));
    expect(error.code, String(bad)).toBe(code);
    expect(error.message, String(bad)).toContain(expected);
    expect(error.kept).toBe(true);
  }
  // Nothing has come of it.
  expect(client.state).toBe(call === 'connect' ? 'idle' : 'connected');
});

test.each([
  [{ token: 7 }, '`token`'],
  [{ reconnect: 7 }, '`reconnect`'],
  [{ connectionTimeout: 'long' }, '`connectionTimeout`'],
  [{ connectionTimeout: -1 }, '`connectionTimeout`'],
])('the option %j is refused by its name', async (options, name) => {
  const error = await refusal(() => make(options).connect(SLOTS));
  expect(error.code).toBe('invalid-argument');
  expect(error.message).toContain(name);
});

test('a slot of an array is refused with what is wrong with it', async () => {
  for (const slot of [-1, 1.5, '0', undefined]) {
    const error = await refusal(() => make().connect([{ slot: slot as number, stream: 'camera1' }]));
    expect(error.code).toBe('invalid-slots');
  }
});

describe('behind a proxy', () => {
  test.each([
    ['of the language', (client: MultiStreamClient) => new Proxy(client, {})],
    ['by reactive() of Vue', (client: MultiStreamClient) => reactive(client) as MultiStreamClient],
    ['by ref() of Vue', (client: MultiStreamClient) => ref(client).value as MultiStreamClient],
  ])('%s, every call and property works', async (_, wrap) => {
    const client = wrap(make());
    const states: string[] = [];
    const off = client.on('state', ({ state }) => states.push(state));
    expect((await client.connect(SLOTS)).size).toBe(1);
    expect([client.state, client.isConnected, client.wsState, client.pcState]).toEqual([
      'connected',
      true,
      'open',
      'connected',
    ]);
    expect((await client.switchStream(0, 'camera2')).camera).toBe('camera2');
    expect(client.tracks.get(0)?.id).toBe('track-1-0');
    expect(client.stalled.size).toBe(0);
    client.setPriority(0, 5);
    expect(await client.getStats(0)).toBeUndefined();
    off();
    client.disconnect();
    expect(states).toEqual(['connecting', 'connected']);
    expect(client.state).toBe('disconnected');
  });

  test('Vue does make a proxy of it', () => {
    expect(isReactive(reactive(make()))).toBe(true);
  });

  test('a method that a subclass overrides is the one that is called', async () => {
    const said = vi.fn();
    class Loud extends MultiStreamClient {
      override disconnect(): void {
        said();
        super.disconnect();
      }
    }
    const client = new Loud('https://device.example.com');
    await client.connect(SLOTS);
    client.disconnect();
    expect(said).toHaveBeenCalledTimes(1);
    expect(client.state).toBe('disconnected');
  });
});
