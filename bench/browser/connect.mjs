// Measures from `connect()`, and from a page load, to the first picture of every tile. The cameras are live.
import { newClientPage, newPage, sleep } from './chromium.mjs';

const GIVE_UP_MS = 15_000;
/** By then the server has ended the last session; its cameras linger longer than that. */
const BETWEEN_RUNS_MS = 400;
/** @type {Record<number, string>} */
const LAYOUTS = { 1: '1', 6: '3x2', 9: '3x3' };

/**
 * @param {import('./chromium.mjs').Browser} browser
 * @param {{url: string, tiles: number, runs: number}} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function connect(browser, { url, tiles, runs }, say) {
  const names = Array.from({ length: tiles }, (_, slot) => `camera${slot + 1}`);
  const page = await newClientPage(browser, url, tiles);
  const slots = names.map((stream, slot) => ({ slot, stream }));
  // The first call is not counted: it loads WebAssembly and starts the cameras, which the page loads below measure.
  for (let run = -1; run < runs; run++) {
    const pictures = await page.evaluate(connectOnce, { slots, GIVE_UP_MS });
    if (run >= 0) say({ event: 'connect', pictures });
    await sleep(BETWEEN_RUNS_MS);
  }
  await page.context().close();

  for (let run = 0; run < runs; run++) {
    const fresh = await newPage(browser);
    await fresh.goto(wallAddress(url, names), { waitUntil: 'commit' });
    say({ event: 'page', pictures: await fresh.evaluate(firstPictures, { tiles, GIVE_UP_MS }) });
    await fresh.context().close();
    await sleep(BETWEEN_RUNS_MS);
  }
}

/** The server's own page with these cameras. @param {string} url @param {string[]} names */
function wallAddress(url, names) {
  return `${url}/?layout=${LAYOUTS[names.length]}&tiles=${names.join(',')}`;
}

/**
 * In the page: ms from `connect()` to the first picture of each tile.
 *
 * @param {{slots: {slot: number, stream: string}[], GIVE_UP_MS: number}} options
 */
async function connectOnce({ slots, GIVE_UP_MS }) {
  const { bench } = window;
  const client = window.__multistream?.client;
  bench.firstPictures.clear();
  const started = performance.now();
  await client?.connect(slots);
  while (bench.firstPictures.size < slots.length) {
    if (performance.now() - started > GIVE_UP_MS) throw new Error('some tiles got no picture');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  client?.disconnect();
  return [...bench.firstPictures.values()].map((t) => t - started);
}

/**
 * In the page: ms from its navigation to the first picture of each tile.
 *
 * @param {{tiles: number, GIVE_UP_MS: number}} options
 */
async function firstPictures({ tiles, GIVE_UP_MS }) {
  while (window.bench.firstPictures.size < tiles) {
    if (performance.now() > GIVE_UP_MS) throw new Error('some tiles got no picture');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return [...window.bench.firstPictures.values()];
}
