// Measures switches of six tiles on one connection at random moments: one at a time, all at once with or without `atomic`, or one
// to a stream that is not running.
import { newClientPage, sleep } from './chromium.mjs';

const SLOTS = 6;
/** How long decoders and clocks are given to settle. */
const WARM_UP_MS = 3_000;
/** How long pictures are recorded before a switch and after it. */
const BEFORE_MS = 500;
const AFTER_MS = 1_000;
/** How long a tile is recorded at least once it shows its new stream, which may take longer than that to come. */
const SHOWN_MS = 300;
/** The longest random pause before a switch, so that switches fall on every part of a GOP. */
const PAUSE_MS = 1_200;

/**
 * @typedef {object} Job
 * @property {string} url
 * @property {'one' | 'all' | 'atomic' | 'cold'} kind
 * @property {number} switches
 *
 * @typedef {{slot: number, stream: string, quality?: string}} Target
 */

/**
 * A page with one camera in each slot, whose decoders and clocks have settled, and which camera each slot shows.
 *
 * @param {import('./chromium.mjs').Browser} browser
 * @param {string} url
 */
export async function openWall(browser, url) {
  const page = await newClientPage(browser, url, SLOTS);
  const shown = Array.from({ length: SLOTS }, (_, slot) => slot + 1);
  await page.evaluate(
    async (slots) => {
      await window.__multistream?.client?.connect(slots);
    },
    shown.map((camera, slot) => ({ slot, stream: `camera${camera}` })),
  );
  await sleep(WARM_UP_MS);
  return { page, shown };
}

/**
 * @param {import('./chromium.mjs').Browser} browser
 * @param {Job} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function switching(browser, { url, kind, switches }, say) {
  const { page, shown } = await openWall(browser, url);
  const pliBefore = await plis(page);
  for (let index = 0; index < switches; index++) {
    const changes = next(kind, shown);
    await sleep(Math.random() * PAUSE_MS);
    if (kind === 'cold') await untilIdle(url, changes);
    const atomic = kind === 'atomic';
    const times = { BEFORE_MS, AFTER_MS, SHOWN_MS };
    const seen = await page.evaluate(observe, { targets: changes.map(target), atomic, ...times });
    say({ event: 'switch', slots: changes.map((change, at) => ({ ...change, ...seen[at] })) });
    for (const { slot, to } of changes) shown[slot] = to.camera;
    if (kind === 'cold') {
      await page.evaluate(observe, { targets: changes.map(back), atomic, ...times, BEFORE_MS: 0 });
    }
  }
  say({ event: 'plis', count: (await plis(page)) - pliBefore });
}

/**
 * @typedef {{camera: number, quality?: string}} Shown
 * @typedef {{slot: number, from: Shown, to: Shown}} Change
 *
 * @param {Job['kind']} kind
 * @param {number[]} shown
 * @returns {Change[]}
 */
export function next(kind, shown) {
  const camera = (/** @type {number} */ slot) => shown[slot] ?? 0;
  // Every camera is shown somewhere and thus live: each tile switches to its neighbour's.
  if (kind === 'all' || kind === 'atomic') {
    return shown.map((from, slot) => ({
      slot,
      from: { camera: from },
      to: { camera: camera((slot + 1) % SLOTS) },
    }));
  }
  const slot = Math.floor(Math.random() * SLOTS);
  const from = { camera: camera(slot) };
  if (kind === 'cold') return [{ slot, from, to: { ...from, quality: '360p' } }];
  const other = 1 + Math.floor(Math.random() * (SLOTS - 1));
  return [{ slot, from, to: { camera: ((from.camera - 1 + other) % SLOTS) + 1 } }];
}

/** @param {Change} change @returns {Target} */
export const target = ({ slot, to: { camera, ...quality } }) => ({
  slot,
  stream: `camera${camera}`,
  ...quality,
});
/** @param {Change} change @returns {Target} */
const back = ({ slot, from: { camera } }) => ({ slot, stream: `camera${camera}` });

/**
 * In the page: switches, and notes what the tiles show around it.
 *
 * @param {{targets: Target[], atomic: boolean, BEFORE_MS: number, AFTER_MS: number, SHOWN_MS: number}} options
 */
export async function observe({ targets, atomic, BEFORE_MS, AFTER_MS, SHOWN_MS }) {
  const client = window.__multistream?.client;
  const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const tiles = document.querySelectorAll('video');
  const videos = targets.map(({ slot }) => /** @type {HTMLVideoElement} */ (tiles[slot]));
  videos.forEach(window.bench.record);
  await wait(BEFORE_MS);
  const requested = performance.now();
  const [first] = targets;
  const switched =
    targets.length === 1 && first
      ? client?.switchStream(first.slot, first.stream, first.quality)
      : client?.switchMany(targets, { atomic });
  await Promise.all([switched?.then(() => wait(SHOWN_MS)), wait(AFTER_MS)]);
  const pictures = await Promise.all(videos.map(window.bench.stop));
  return pictures.map((pictures) => ({ requested, origin: performance.timeOrigin, pictures }));
}

/** Waits until nobody runs what will be switched to. @param {string} url @param {Change[]} changes */
async function untilIdle(url, changes) {
  const names = changes.map(({ to }) => `camera${to.camera}-${to.quality}`);
  for (;;) {
    const streams = await (await fetch(`${url}/api/streams`)).json();
    if (names.every((name) => streams[name]?.state === 'idle')) return;
    await sleep(50);
  }
}

/** How often the page has asked for a key frame (RFC 4585, picture loss indication). @param {import('./chromium.mjs').Page} page */
function plis(page) {
  return page.evaluate(async () => {
    let count = 0;
    for (const connection of window.bench.connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp') count += report.pliCount ?? 0;
      }
    }
    return count;
  });
}
