// Tests a viewer whose network changes under it: another address, a link that goes down and comes back. The browser runs in a
// network namespace of its own, so that the changes are real ones, which the browser's system reports too.
import { away as base, CAMERAS, expect, needsNamespaces } from './away';
import type { Netns } from './netns';
import type { Wall } from './wall';

needsNamespaces();

const away = base.extend<{ away: { netns: Netns; wall: Wall } }>({
  away: async ({ leave }, use) => {
    const { netns, wall } = await leave();
    await wall.play(...CAMERAS);
    await use({ netns, wall });
  },
});

for (const overlap of [false, true]) {
  const when = overlap ? 'before the old one goes' : 'after the old one went';
  away(
    `all tiles go on within 2 s when the viewer gets another address ${when}`,
    async ({ away: { netns, wall } }) => {
      // Nothing of the start disturbs the figures.
      await wall.page.waitForTimeout(1_500);
      const longest = await wall.watchGaps();
      netns.move({ overlap });
      await wall.page.waitForTimeout(3_000);
      await wall.expectNewPictures(CAMERAS, 30_000);
      const gaps = await longest();
      console.log(`another address ${when}: longest gap per tile ${gaps.join(', ')} ms`);
      expect(Math.max(...gaps)).toBeLessThan(2_000);
    },
  );
}

// After 45 s Chromium has given the old connection up, and takes up to 3.5 s to know its interfaces again.
for (const [seconds, how, withinMs] of [
  [8, 'goes down', 1_000],
  [8, 'swallows all packets', 1_000],
  [45, 'goes down', 5_000],
  [45, 'swallows all packets', 2_500],
] as const) {
  away(
    `all tiles go on within ${withinMs / 1_000} s after a link that ${how} for ${seconds} s`,
    async ({ away: { netns, wall } }) => {
      away.setTimeout(120_000);
      if (how === 'goes down') netns.down();
      else netns.blackhole(true);
      await wall.page.waitForTimeout(seconds * 1_000);
      if (how === 'goes down') netns.up();
      else netns.blackhole(false);
      const backAt = Date.now();
      await wall.expectNewPictures(CAMERAS, 30_000);
      const took = Date.now() - backAt;
      console.log(`${how} for ${seconds} s: all tiles go on ${took} ms after the link is back`);
      expect(took).toBeLessThan(withinMs);
    },
  );
}
