// Measures switches of one of six tiles before, while and after the machine is busy; the harness makes it so at the event `phase`.
import { sleep } from './chromium.mjs';
import { next, observe, openWall, target } from './switching.mjs';

const BEFORE_MS = 300;
const AFTER_MS = 700;
const PAUSE_MS = 500;

/**
 * @param {import('./chromium.mjs').Browser} browser
 * @param {{url: string, phases: {ms: number, silent: boolean}[]}} job In a silent phase nothing is measured.
 * @param {import('./chromium.mjs').Say} say
 */
export async function busy(browser, { url, phases }, say) {
  const { page, shown } = await openWall(browser, url);
  for (const [index, { ms, silent }] of phases.entries()) {
    say({ event: 'phase', index });
    if (silent) {
      await sleep(ms);
      continue;
    }
    const end = Date.now() + ms;
    while (Date.now() < end) {
      const changes = next('one', shown);
      await sleep(Math.random() * PAUSE_MS);
      const seen = await page.evaluate(observe, {
        targets: changes.map(target),
        atomic: false,
        BEFORE_MS,
        AFTER_MS,
        SHOWN_MS: 0,
      });
      say({ event: 'switch', index, slots: changes.map((change, at) => ({ ...change, ...seen[at] })) });
      for (const { slot, to } of changes) shown[slot] = to.camera;
    }
  }
}
