// The question to a server that is away, whether it is back.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Knock } from '../src/knock.js';

let isThere = false;
const asked: string[] = [];
const onBack = vi.fn();
let knock: Knock;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    if (!isThere) throw new TypeError('refused');
  });
  isThere = false;
  asked.length = 0;
  onBack.mockClear();
  knock = new Knock('ws://device/base/?a=b', onBack);
});

afterEach(() => {
  knock.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a server that listens again is noticed within a second, once', async () => {
  knock.start();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(asked).toEqual(Array(4).fill('http://device/base/healthz'));
  expect(onBack).not.toHaveBeenCalled();
  isThere = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onBack).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(onBack).toHaveBeenCalledTimes(1);
});

test('a server that was there all the time is no news', async () => {
  isThere = true;
  knock.start();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(onBack).not.toHaveBeenCalled();
});

test('after stop() nothing is asked and nothing is said', async () => {
  knock.start();
  await vi.advanceTimersByTimeAsync(1_500);
  knock.stop();
  isThere = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toHaveLength(1);
  expect(onBack).not.toHaveBeenCalled();
});
