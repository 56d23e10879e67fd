// Tests the store of the React entry: who decides what a slot shows, and what changes for whom.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import '../dist/inline.js';
import { Store } from '../dist/react/store.js';
import type { SlotConfig } from '../src/types.js';
import { install, reset, server, sockets } from './browser.js';

const URL = 'http://127.0.0.1:1';
const OPTIONS = { autoQuality: false };
const slots = (...streams: string[]): SlotConfig[] => streams.map((stream, slot) => ({ slot, stream }));

let store: Store;
let close: () => void;

/** As a component that is rendered: one with other slots makes a new connection. */
function open(...streams: string[]): void {
  store.render(slots(...streams), OPTIONS);
  close = store.open(URL);
}

async function connected(): Promise<void> {
  await vi.waitFor(() => expect(store.view.state).toBe('connected'));
}

/** What the newest connection was made with. */
function initial(): string[] {
  const init = sockets.at(-1)?.sent.find((message) => message.type === 'multistream/init');
  return init?.type === 'multistream/init' ? init.slots.map(({ stream }) => stream) : [];
}

/** What was asked of the newest connection since. */
function switches(): string[] {
  return (sockets.at(-1)?.sent ?? []).flatMap((message) => {
    if (message.type === 'multistream/switch') return [`${message.slot} ${message.stream}`];
    if (message.type === 'multistream/layout')
      return message.slots.map((slot) => `${slot.slot} ${slot.stream}`);
    return [];
  });
}

beforeEach(() => {
  install();
  store = new Store();
  server.answer = (socket, message) => {
    const id = 'request_id' in message ? message.request_id : undefined;
    const say = (slot: number, stream: string) => {
      const status =
        stream === 'nosuch'
          ? ({
              slot,
              stream,
              status: 'error',
              reason: 'unknown-stream',
              error: 'no such',
              kept: true,
            } as const)
          : ({ slot, stream, status: 'active' } as const);
      socket.say({ type: 'multistream/status', request_id: id, slot, status } as never);
    };
    if (message.type === 'multistream/switch') say(message.slot, message.stream);
    else if (message.type === 'multistream/layout')
      for (const slot of message.slots) say(slot.slot, slot.stream);
    else return false;
    return true;
  };
});

afterEach(() => {
  close();
  reset();
});

describe('what a slot shows', () => {
  test('is what a call asked for, until the entry of that slot changes', async () => {
    open('camera1', 'camera2');
    await connected();
    await store.switchStream(0, 'camera7');
    store.render(slots('camera1', 'camera2'), OPTIONS);
    expect(switches()).toEqual(['0 camera7']);
    store.render(slots('camera1', 'camera3'), OPTIONS);
    await vi.waitFor(() => expect(switches()).toEqual(['0 camera7', '1 camera3']));
    store.render(slots('camera5', 'camera3'), OPTIONS);
    await vi.waitFor(() => expect(switches().at(-1)).toBe('0 camera5'));
  });

  test('is not reverted when another slot comes or goes', async () => {
    open('camera1', 'camera2');
    await connected();
    await store.switchStream(0, 'camera7');
    close();
    open('camera1', 'camera2', 'camera3');
    await connected();
    expect(initial()).toEqual(['camera7', 'camera2', 'camera3']);
    close();
    open('camera1');
    await connected();
    expect(initial()).toEqual(['camera7']);
  });

  test('is kept where it was asked of the client itself', async () => {
    open('camera1');
    await connected();
    await store.view.client?.switchStream(0, 'camera7');
    close();
    open('camera1', 'camera2');
    await connected();
    expect(initial()).toEqual(['camera7', 'camera2']);
  });

  test.each([
    ['a call', async () => store.switchStream(0, 'nosuch').catch(() => {})],
    ['the array', async () => store.render(slots('nosuch', 'camera2'), OPTIONS)],
  ])(
    'stays when what %s asks for is refused, and the refusal is told for that slot alone',
    async (_, ask) => {
      open('camera1', 'camera2');
      await connected();
      await ask();
      await vi.waitFor(() =>
        expect(store.view.errors.get(0)).toMatchObject({ code: 'unknown-stream', kept: true }),
      );
      expect([...store.view.errors.keys()]).toEqual([0]);
      await store.switchStream(0, 'camera7');
      expect(store.view.errors.size).toBe(0);
    },
  );

  test('comes again from the array where the address is another one', async () => {
    open('camera1');
    await connected();
    await store.switchStream(0, 'camera7');
    close();
    store.render(slots('camera1'), OPTIONS);
    close = store.open('http://127.0.0.1:2');
    await connected();
    expect(initial()).toEqual(['camera1']);
  });

  test('is switched as soon as there is a connection where the entry changed before', async () => {
    open('camera1');
    await vi.waitFor(() => expect(initial()).toEqual(['camera1']));
    store.render(slots('camera2'), OPTIONS);
    await connected();
    await vi.waitFor(() => expect(switches()).toEqual(['0 camera2']));
  });
});

test('a status changes what is read of its slot, and of no other one', async () => {
  open('camera1', 'camera2');
  await connected();
  const { statuses, errors, state } = store.view;
  expect(statuses.size).toBe(2);
  await store.switchStream(0, 'camera7');
  expect(store.view.statuses.get(0)).not.toBe(statuses.get(0));
  expect(store.view.statuses.get(1)).toBe(statuses.get(1));
  expect([store.view.errors, store.view.state]).toEqual([errors, state]);
});

test('opened, closed and opened again, as by StrictMode, it has one session', async () => {
  open('camera1');
  close();
  open('camera1');
  await connected();
  const inits = sockets.flatMap(({ sent }) => sent).filter(({ type }) => type === 'multistream/init');
  expect(inits).toHaveLength(1);
});

test('a call without a connection is refused, and changes nothing', async () => {
  store.render(slots('camera1'), OPTIONS);
  await expect(store.switchStream(0, 'camera7')).rejects.toMatchObject({
    code: 'not-connected',
    slot: 0,
    kept: true,
  });
  open('camera1');
  await connected();
  expect(initial()).toEqual(['camera1']);
});

test('after a disconnect, a retry connects again', async () => {
  open('camera1');
  await connected();
  store.view.client?.disconnect();
  await vi.waitFor(() => expect(store.view.state).toBe('disconnected'));
  store.retry(0);
  await connected();
});
