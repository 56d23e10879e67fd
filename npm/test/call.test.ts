// Tests which rejections reach the app, the console, and the runtime's report of unhandled rejections.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Call } from '../src/call.js';
import { MultiStreamError } from '../src/errors.js';

const refused = () => new MultiStreamError('unknown-quality', 'camera2 has no quality 1080p.', 1);
const rejected = (error: unknown = refused()) => Call.of(Promise.reject(error));

let warn: ReturnType<typeof vi.spyOn>;
let unhandled: unknown[];
const note = (reason: unknown) => unhandled.push(reason);
let others: NodeJS.UnhandledRejectionListener[];

beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  unhandled = [];
  // The test runner's own listener would fail the run.
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
});

afterEach(() => {
  warn.mockRestore();
  process.removeAllListeners('unhandledRejection');
  for (const other of others) process.on('unhandledRejection', other);
});

/** Waits for two tasks: the warning comes one task after the rejection, Node's report after that task's microtasks. */
async function settled(): Promise<void> {
  for (let task = 0; task < 2; task++) await new Promise((done) => setTimeout(done));
}

test.each([
  ['no handler', (call: Promise<unknown>) => call],
  ['then(f)', (call: Promise<unknown>) => call.then(() => {})],
  ['then(f).then(f)', (call: Promise<unknown>) => call.then(() => {}).then(() => {})],
  ['finally(f)', (call: Promise<unknown>) => call.finally(() => {})],
])('a refusal is one warning and no unhandled rejection: %s', async (_, use) => {
  use(rejected());
  await settled();
  expect(warn.mock.calls).toEqual([['multistream: camera2 has no quality 1080p. (unknown-quality)']]);
  expect(unhandled).toEqual([]);
});

test.each(['aborted', 'superseded'] as const)('%s is not reported where no handler is', async (code) => {
  rejected(new MultiStreamError(code, 'It was given up.')).then(() => {});
  await settled();
  expect(warn).not.toHaveBeenCalled();
  expect(unhandled).toEqual([]);
});

test('a handler gets the rejection, and there is no warning', async () => {
  const error = refused();
  const caught: unknown[] = [];
  rejected(error).catch((reason) => caught.push(reason));
  rejected(error)
    .then(() => {})
    .catch((reason) => caught.push(reason));
  rejected(error).then(undefined, (reason) => caught.push(reason));
  await expect(rejected(error)).rejects.toBe(error);
  await expect(Promise.all([rejected(error)])).rejects.toBe(error);
  await settled();
  expect(caught).toEqual([error, error, error]);
  expect(warn).not.toHaveBeenCalled();
  expect(unhandled).toEqual([]);
});

test('an async function that awaits and does not catch rejects unhandled, as with any promise', async () => {
  const error = refused();
  const handler = async () => {
    await rejected(error);
  };
  void handler();
  await settled();
  expect(unhandled).toEqual([error]);
  expect(warn).not.toHaveBeenCalled();
});

test('what a callback of the app throws is an unhandled rejection, as with any promise', async () => {
  const fault = new TypeError('tracks is not iterable');
  Call.of(Promise.resolve(1)).then(() => {
    throw fault;
  });
  await settled();
  expect(unhandled).toEqual([fault]);
  expect(warn).not.toHaveBeenCalled();
});

test('it resolves to the value of the promise it was made of', async () => {
  expect(await Call.of(Promise.resolve(7)).then((value) => value + 1)).toBe(8);
});
