// The words that the page's bar has for its tiles.
import { expect, test } from 'vitest';
import { healthOf, nextOf } from '../../www/src/wall/health.js';
import type { SlotStatus } from '../dist/index.js';

const statuses = (...words: string[]) =>
  new Map(
    words.map(
      (word, slot) => [slot, { status: word === 'live' ? 'active' : word, live: word === 'live' }] as const,
    ),
  ) as unknown as Map<number, SlotStatus>;

test.each([
  [['live', 'live'], '2 live', []],
  [['live', 'offline', 'error'], '1 live · 2 offline', [1, 2]],
  // Active is what the server says; nothing of it was seen.
  [['active', 'buffering', 'offline'], '0 live · 1 offline · 2 waiting', [2, 0, 1]],
  [['paused', 'live'], '1 live', []],
] as const)('%j is told as "%s"', (words, told, troubled) => {
  const slots = words.map((_, slot) => slot);
  expect(healthOf(slots, statuses(...words))).toEqual({ words: told, troubled });
});

test('a slot without a status waits', () => {
  expect(healthOf([0], new Map()).words).toBe('0 live · 1 waiting');
});

test('the troubled tiles are gone through round and round', () => {
  expect([nextOf([4, 1], 0), nextOf([4, 1], 1), nextOf([4, 1], 4), nextOf([], 0)]).toEqual([
    1,
    4,
    1,
    undefined,
  ]);
});
