// Watches six tiles while the rate of the path changes; the harness changes it at the event `phase`. In a phase with switches,
// the focused tile goes from camera to camera.
import { newClientPage, newPage, openEmpty, sleep } from './chromium.mjs';

const TILES = 6;
const WARM_UP_MS = 5_000;
/** How long pictures are recorded after a switch, and the pause before it. */
const AFTER_MS = 1_500;
const PAUSE_MS = 1_500;
const GIVE_UP_MS = 20_000;

/**
 * @typedef {import('./chromium.mjs').Browser} Browser
 * @typedef {import('./chromium.mjs').Page} Page
 * @typedef {object} Job
 * @property {string} url
 * @property {'client' | 'iframes'} kind
 * @property {{ms: number, switches: number}[]} phases
 */

/** @param {Browser} browser @param {Job} job @param {import('./chromium.mjs').Say} say */
export async function squeeze(browser, { url, kind, phases }, say) {
  const page = kind === 'client' ? await openClient(browser, url) : await openIframes(browser, url);
  await sleep(WARM_UP_MS);
  for (const [index, { ms, switches }] of phases.entries()) {
    say({ event: 'phase', index });
    if (switches > 0) {
      await sleep(ms);
      for (let count = 0; count < switches; count++) {
        await sleep(Math.random() * PAUSE_MS);
        // Tile 0 shows camera 1 to 6 in turn; each is shown by another tile too.
        say({
          event: 'switch',
          index,
          ...(await page.evaluate(observe, { from: camera(count), to: camera(count + 1), AFTER_MS })),
        });
      }
    } else {
      say({ event: 'pictures', index, tiles: await watch(page, ms) });
    }
  }
}

/** @param {number} count */
const camera = (count) => (count % TILES) + 1;

/** @param {Browser} browser @param {string} url */
async function openClient(browser, url) {
  const page = await newClientPage(browser, url, TILES);
  await page.evaluate(async (count) => {
    const client = window.__multistream?.client;
    await client?.connect(
      Array.from({ length: count }, (_, slot) => ({ slot, stream: `camera${slot + 1}` })),
    );
    client?.setPriority(0, 1);
  }, TILES);
  return page;
}

/** @param {Browser} browser @param {string} url */
async function openIframes(browser, url) {
  const page = await newPage(browser);
  await openEmpty(page, url);
  await page.evaluate((count) => {
    const style = { width: '400px', height: '225px' };
    for (let tile = 1; tile <= count; tile++) {
      const frame = Object.assign(document.createElement('iframe'), {
        src: `/stream.html?src=camera${tile}`,
      });
      Object.assign(frame.style, style);
      document.body.append(frame);
    }
  }, TILES);
  const deadline = Date.now() + GIVE_UP_MS;
  const playing = async () => {
    const counts = await Promise.all(
      page.frames().map((frame) => frame.evaluate(() => window.bench?.firstPictures.size ?? 0)),
    );
    return counts.reduce((a, b) => a + b, 0);
  };
  while ((await playing()) < TILES) {
    if (Date.now() > deadline) throw new Error('some iframes got no picture');
    await sleep(100);
  }
  return page;
}

/** What each tile shows in this time. @param {Page} page @param {number} ms */
async function watch(page, ms) {
  const inFrames = page.frames().map((frame) =>
    frame.evaluate(async (ms) => {
      const videos = [...document.querySelectorAll('video')];
      videos.forEach(window.bench.record);
      const from = performance.now();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const to = performance.now();
      const pictures = await Promise.all(videos.map(window.bench.stop));
      return pictures.map((pictures) => ({ origin: performance.timeOrigin, from, to, pictures }));
    }, ms),
  );
  return (await Promise.all(inFrames)).flat();
}

/**
 * In the page: switches the first tile, and notes what it shows around that.
 *
 * @param {{from: number, to: number, AFTER_MS: number}} options
 */
async function observe({ from, to, AFTER_MS }) {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector('video'));
  const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  window.bench.record(video);
  await wait(500);
  const requested = performance.now();
  await Promise.all([
    window.__multistream?.client?.switchStream(0, `camera${to}`).catch(() => {}),
    wait(AFTER_MS),
  ]);
  return { requested, from, to, pictures: await window.bench.stop(video) };
}
