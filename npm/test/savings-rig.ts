// A `Savings` on the WebAssembly core, with a virtual clock, the fake server of `browser.ts` and the fake screen of `screen.ts`.
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import '../dist/inline.js';
import { type Instance, loadWasm } from '../dist/wasm/load.js';
import { type ErrorCode, MultiStreamError } from '../src/errors.js';
import type { ClientMessage, Streams, SlotStatus as WireStatus } from '../src/generated/protocol.js';
import type { AskStreams } from '../src/savings/catalogue.js';
import { Savings } from '../src/savings/savings.js';
import type { ClientOptions, SlotConfig, SlotStatus } from '../src/types.js';
import type { Core, Hooks, Settings } from '../src/wasm/glue.js';
import { install, reset, server, sockets } from './browser.js';
import { installScreen } from './screen.js';

/** An answer of `GET /api/streams`, with only the fields that are read. */
export const LIST = {
  camera1: {
    state: 'live',
    variants: [
      { quality: 'native', stream: 'camera1', width: 1280, height: 720 },
      { quality: '360p', stream: 'camera1-360p', width: null, height: 360 },
    ],
  },
  'camera1-360p': { state: 'idle', variants: [] },
} as unknown as Streams;

export const askStreams = vi.fn<AskStreams>();

const SETTINGS: Settings = {
  serverUrl: 'https://device.example.com',
  pcConfig: undefined,
  connectionTimeoutMs: 10_000,
  retryConnect: false,
  keepsWatch: false,
  knock: false,
  debug: false,
};

let wasm: Instance;
/** The core of the last {@link connect}. */
export let core: Core;
/** What the server was asked for, as text: `pause 0`, `switch 0 camera1 360p`. */
let told: string[];
/** The statuses that the app hears. */
export let heard: SlotStatus[];
/** Whether the test answers this request itself. */
let answers: (request: Request) => boolean;

/** A message that asks for something of slots. */
type Request = Extract<ClientMessage, { type: `multistream/${'switch' | 'layout' | 'pause' | 'resume'}` }>;
type OneSlot = Exclude<Request, { type: 'multistream/layout' }>;

function texts(message: ClientMessage): string[] {
  const kind = message.type.replace('multistream/', '');
  switch (message.type) {
    case 'multistream/init':
    case 'multistream/layout':
      return message.slots.map(({ slot, stream, quality }) => `${kind} ${slot} ${stream} ${quality}`);
    case 'multistream/switch':
      return [`switch ${message.slot} ${message.stream} ${message.quality}`];
    case 'multistream/pause':
    case 'multistream/resume':
      return [`${kind} ${message.slot}`];
    default:
      return [];
  }
}

function isRequest(message: ClientMessage): message is Request {
  return /switch|layout|pause|resume/.test(message.type);
}

function say(request: Request, status: WireStatus): void {
  const { request_id } = request;
  sockets.at(-1)?.say({ type: 'multistream/status', request_id, slot: status.slot, status });
}

export function wireStatus(slot: number, stream: string, quality?: string): WireStatus {
  const name = quality === undefined || quality === 'native' ? stream : `${stream}-${quality}`;
  return { slot, stream: name, status: 'active', ...(quality !== undefined && { quality }) };
}

/** Does what was asked, as the server does. */
export function grant(request: Request): void {
  const slots = request.type === 'multistream/layout' ? request.slots : [request];
  for (const wish of slots) {
    const { slot, stream = 'camera1', quality } = wish as OneSlot & { stream?: string; quality?: string };
    const status = wireStatus(slot, stream, quality);
    say(request, request.type === 'multistream/pause' ? { ...status, status: 'paused' } : status);
  }
}

/** Refuses what was asked: the slot goes on as it was. */
export function refuse(request: Request, slot = (request as OneSlot).slot): true {
  const reason = 'unknown-quality';
  say(request, { slot, stream: 'refused', status: 'error', reason, error: 'No.', kept: true });
  return true;
}

/** Answers every request in this way: {@link refuse}, or as the server does where it returns `false`. */
export function answerBy(answer: (request: Request) => boolean): void {
  answers = answer;
}

/** Answers every request as the server does. */
export const grantAll = () => answerBy(() => false);

/** Leaves requests without an answer. Returns them as they come. */
export function hold(): Request[] {
  const held: Request[] = [];
  answers = (request) => held.push(request) > 0;
  return held;
}

export async function connect(options: ClientOptions, slots: SlotConfig[]): Promise<Savings> {
  const hooks: Hooks = {
    event: (event) => {
      savings.handle(event);
      if (event.type === 'status') heard.push(event.status);
    },
    error: (code, message, slot, kept) => new MultiStreamError(code as ErrorCode, message, slot, kept),
    look: () => {},
    refusal: async () => '',
    reconnectDelay: () => 0,
  };
  const own: Core = new wasm.Core(SETTINGS, hooks);
  core = own;
  const savings = new Savings(options, askStreams, () => own);
  const planned = await savings.plan(slots);
  savings.begin(planned);
  const connecting = own.connect(planned, undefined);
  await isConnected();
  await connecting;
  return savings;
}

export async function isConnected(): Promise<void> {
  for (let ms = 0; core.state !== 'connected' && ms < 100; ms++) await vi.advanceTimersByTimeAsync(1);
  expect(core.state).toBe('connected');
}

/** What the server was asked for since the last time. */
export const news = () => told.splice(0);

/** A call that the server refuses. */
export async function refused(call: Promise<unknown>): Promise<void> {
  await expect(call).rejects.toMatchObject({ kept: true });
}

/** Installs the fakes before each test, and removes them after it. */
export function useFakes(): void {
  beforeAll(async () => {
    wasm = (await loadWasm()) as Instance;
  });

  beforeEach(() => {
    told = [];
    heard = [];
    grantAll();
    vi.useFakeTimers();
    install();
    installScreen();
    server.answer = (_, message) => {
      told.push(...texts(message));
      if (!isRequest(message)) return false;
      if (!answers(message)) grant(message);
      return true;
    };
    askStreams.mockReset().mockResolvedValue(LIST);
  });

  afterEach(() => {
    core?.disconnect();
    reset();
    vi.useRealTimers();
  });
}
