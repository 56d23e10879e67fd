// Tests when the app is asked for a token.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Tokens } from '../src/token.js';

/** A token that says when it expires, as every JSON Web Token does. */
function expiring(inMs: number): string {
  const claims = { exp: (Date.now() + inMs) / 1000, streams: ['ä>?'] };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.signature`;
}

const renewed = vi.fn<(token: string) => void>();
const source = vi.fn<() => Promise<string>>();

beforeEach(() => {
  vi.useFakeTimers();
  renewed.mockReset();
  source.mockReset();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a token that the app is asked for', () => {
  test('is asked for once for several uses, and again before it expires', async () => {
    source.mockImplementation(async () => expiring(10_000));
    const tokens = new Tokens(source, renewed);
    const first = await tokens.get();
    expect(await tokens.get()).toBe(first);
    await vi.advanceTimersByTimeAsync(7_900);
    expect(renewed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(renewed.mock.calls).toHaveLength(1);
    expect(await tokens.get()).toBe(renewed.mock.lastCall?.[0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(renewed.mock.calls.length).toBeGreaterThan(6);
    expect(source).toHaveBeenCalledTimes(renewed.mock.calls.length + 1);
  });

  test('is no longer asked for once nothing needs it', async () => {
    source.mockImplementation(async () => expiring(10_000));
    const tokens = new Tokens(source, renewed);
    await tokens.get();
    tokens.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source).toHaveBeenCalledTimes(1);
    // A connection that is made now needs a new one.
    await tokens.get();
    expect(source).toHaveBeenCalledTimes(2);
  });

  test('is asked for again when the app fails, and when it gives one that has expired', async () => {
    const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
    source.mockImplementationOnce(async () => expiring(10_000));
    source.mockImplementationOnce(() => Promise.reject(new Error('offline')));
    source.mockImplementation(async () => expiring(-1_000));
    const tokens = new Tokens(source, renewed);
    await tokens.get();
    await vi.advanceTimersByTimeAsync(8_100);
    expect(complained).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(renewed).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.mock.calls.length).toBeLessThan(15);
    complained.mockRestore();
  });

  test('is asked for when the server refuses the one before, at most every five seconds', async () => {
    source.mockImplementation(async () => 'no-web-token');
    const tokens = new Tokens(source, renewed);
    expect(await tokens.get()).toBe('no-web-token');
    await tokens.refuse();
    expect(source).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(5_000);
    await tokens.refuse();
    await tokens.refuse();
    expect(source).toHaveBeenCalledTimes(2);
    expect(renewed).toHaveBeenCalledTimes(1);
  });

  test('that cannot be had at first fails the connection', async () => {
    source.mockImplementation(() => Promise.reject(new Error('offline')));
    await expect(new Tokens(source, renewed).get()).rejects.toThrow('offline');
  });
});

test.each([['fixed'], [undefined]])('a token that is %s is used as it is', async (fixed) => {
  const tokens = new Tokens(fixed, renewed);
  expect(await tokens.get()).toBe(fixed);
  await tokens.refuse();
  expect(renewed).not.toHaveBeenCalled();
});
