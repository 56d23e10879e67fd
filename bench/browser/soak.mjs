// Switches one connection very often, then mounts and unmounts a wall very often, and says what the page holds meanwhile.
import { ENTRY, openEmpty, sleep } from './chromium.mjs';
import { openWall } from './switching.mjs';

const SLOTS = 6;
/** By then the server has ended the session of a page that has closed it, and the browser has closed its connection. */
const QUIET_MS = 3_000;
const GIVE_UP_MS = 20_000;

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {number} switches
 * @property {number} mounts
 * @property {number} parts After how many parts of each a sample is taken.
 *
 * @typedef {import('./chromium.mjs').Page} Page
 * @typedef {{count: number, SLOTS: number, GIVE_UP_MS: number, entry: string}} Wishes
 */

/**
 * @param {import('./chromium.mjs').Browser} browser
 * @param {Job} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function soak(browser, { url, switches, mounts, parts }, say) {
  const { page } = await openWall(browser, url);
  await repeat(page, say, 'switches', switches, parts, switchOften);
  await page.context().close();

  // Without the probe, which keeps every video and connection of its page.
  const second = await (await browser.newContext()).newPage();
  await openEmpty(second, url);
  await repeat(second, say, 'mounts', mounts, parts, mountOften);
  await second.context().close();
}

/**
 * @param {Page} page
 * @param {import('./chromium.mjs').Say} say
 * @param {string} part
 * @param {number} total
 * @param {number} parts
 * @param {(options: Wishes) => Promise<number[]>} act
 */
async function repeat(page, say, part, total, parts, act) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  await devtools.send('HeapProfiler.enable');
  const count = Math.ceil(total / parts);
  for (let done = 0; done < total; done += count) {
    const ms = await page.evaluate(act, { count, SLOTS, GIVE_UP_MS, entry: ENTRY });
    await sleep(QUIET_MS);
    await devtools.send('HeapProfiler.collectGarbage');
    const { metrics } = await devtools.send('Performance.getMetrics');
    const metric = (/** @type {string} */ name) => metrics.find((metric) => metric.name === name)?.value;
    say({
      event: 'sample',
      part,
      done: done + count,
      ms,
      heap_bytes: metric('JSHeapUsedSize'),
      connections: metric('RTCPeerConnections'),
      nodes: metric('Nodes'),
      listeners: metric('JSEventListeners'),
    });
  }
}

/**
 * In the page: switches one slot after the other, each as soon as the one before is shown. Returns how long each took.
 *
 * @param {Wishes} options
 */
async function switchOften({ count, SLOTS }) {
  const client = window.__multistream?.client;
  const took = [];
  for (let at = 0; at < count; at++) {
    const before = performance.now();
    // Each slot goes through all cameras.
    await client?.switchStream(
      at % SLOTS,
      `camera${1 + (((at % SLOTS) + Math.floor(at / SLOTS) + 1) % SLOTS)}`,
    );
    took.push(performance.now() - before);
  }
  return took;
}

/**
 * In the page: walls that come, show a picture in each tile, and go. Returns how long each took to its last first picture.
 *
 * @param {Wishes} options
 */
async function mountOften({ count, SLOTS, GIVE_UP_MS, entry }) {
  const { MultiStreamClient } = await import(entry);
  const took = [];
  for (let at = 0; at < count; at++) {
    const before = performance.now();
    const client = new MultiStreamClient(location.origin);
    const videos = Array.from({ length: SLOTS }, (_, slot) => {
      const video = document.createElement('video');
      Object.assign(video.style, { width: '33%', float: 'left' });
      document.body.append(video);
      client.attach(slot, video);
      return video;
    });
    const pictures = videos.map(
      (video) => new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(undefined))),
    );
    // Cleared, since a timer holds all that is in its scope.
    let timer = 0;
    const late = new Promise((_, reject) => {
      timer = window.setTimeout(() => reject(new Error('a tile of a wall got no picture')), GIVE_UP_MS);
    });
    await client.connect(videos.map((_, slot) => ({ slot, stream: `camera${slot + 1}` })));
    await Promise.race([Promise.all(pictures), late]);
    took.push(performance.now() - before);
    window.clearTimeout(timer);
    client.disconnect();
    for (const video of videos) video.remove();
  }
  return took;
}
