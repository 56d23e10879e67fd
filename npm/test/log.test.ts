// What is logged, and where.
import { afterEach, expect, test, vi } from 'vitest';
import { Emitter } from '../dist/emitter.js';
import { type Logger, type LogLevel, setLogger, setLogLevel } from '../dist/log.js';

const status = (word: string) =>
  ({
    type: 'status',
    slot: 0,
    status: { slot: 0, camera: 'cam1', stream: 'cam1', status: word, live: false },
  }) as never;

function lines(level: LogLevel): () => string[] {
  const said: string[] = [];
  const line = (at: string) => (message: string) => void said.push(`${at} ${message}`);
  setLogger({ debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') });
  setLogLevel(level);
  return () => said;
}

afterEach(() => {
  setLogger(console);
  setLogLevel('warn');
});

test.each([
  ['debug', ['info state', 'debug status', 'info status', "error a handler of 'state' threw"]],
  ['info', ['info state', 'info status', "error a handler of 'state' threw"]],
  ['warn', ["error a handler of 'state' threw"]],
  ['off', []],
] as const)('at %s these lines are logged', (level, expected) => {
  const said = lines(level);
  const emitter = new Emitter();
  emitter.emit({ type: 'state', state: 'connected' });
  emitter.emit(status('active'));
  emitter.emit(status('offline'));
  setLogLevel(level === 'debug' || level === 'info' ? 'error' : level);
  emitter.on('state', () => {
    throw new Error('mine');
  });
  emitter.emit({ type: 'state', state: 'connected' });
  expect(said()).toEqual(expected.map((line) => line.replace(' ', ' multistream: ')));
});

test('a logger that throws stops neither the handlers nor the client', () => {
  const fails = () => {
    throw new Error('no disk');
  };
  setLogger({ debug: fails, info: fails, warn: fails, error: fails } satisfies Logger);
  setLogLevel('debug');
  const handler = vi.fn();
  const emitter = new Emitter();
  emitter.on('state', handler);
  emitter.emit({ type: 'state', state: 'idle' });
  expect(handler).toHaveBeenCalledOnce();
});
