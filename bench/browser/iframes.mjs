// Six cameras in two ways: six iframes of stream.html with a connection each, and one wall on one connection.
import { newPage, openEmpty, sleep } from './chromium.mjs';
import { firstPictures, wallAddress } from './connect.mjs';

const TILES = 6;
const GIVE_UP_MS = 20_000;
const BETWEEN_RUNS_MS = 400;
const SETTLE_MS = 3_000;
const POLL_MS = 5;

/**
 * @typedef {import('./chromium.mjs').Page} Page
 * @typedef {object} Way
 * @property {(page: Page) => Promise<number>} open Ms from the start until all tiles show a picture.
 * @property {(page: Page, tile: number, camera: number) => Promise<number>} change Ms until a tile shows another camera.
 */

/**
 * @param {import('./chromium.mjs').Browser} browser
 * @param {{url: string, runs: number, switches: number, steadyMs: number}} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function iframes(browser, job, say) {
  const names = Array.from({ length: TILES }, (_, tile) => `camera${tile + 1}`);
  /** @type {Record<string, Way>} */
  const ways = {
    iframes: { open: (page) => openFrames(page, job.url, names), change: changeFrame },
    multistream: { open: (page) => openWall(page, job.url, names), change: changeTile },
  };
  for (const [way, { open, change }] of Object.entries(ways)) {
    for (let run = 0; run < job.runs; run++) {
      const page = await newPage(browser);
      say({ event: 'pictures', way, ms: await open(page) });
      await page.context().close();
      await sleep(BETWEEN_RUNS_MS);
    }
    const page = await newPage(browser);
    await open(page);
    await sleep(SETTLE_MS);
    let connections = 0;
    for (const frame of page.frames()) {
      connections += await frame.evaluate(
        () =>
          window.bench.connections.filter(({ connectionState }) => connectionState === 'connected').length,
      );
    }
    say({ event: 'steady', way, connections });
    await sleep(job.steadyMs);
    say({ event: 'steady-end', way });
    for (let index = 0; index < job.switches; index++) {
      // Every camera is live: the tile takes its neighbour's.
      say({ event: 'change', way, ms: await change(page, 0, 2 + (index % (TILES - 1))) });
      await sleep(500 + Math.random() * 1_000);
    }
    await page.context().close();
    await sleep(BETWEEN_RUNS_MS);
  }
}

/** @param {Page} page @param {string} url @param {string[]} names */
async function openWall(page, url, names) {
  await page.goto(wallAddress(url, names), { waitUntil: 'commit' });
  return Math.max(...(await page.evaluate(firstPictures, { tiles: TILES, GIVE_UP_MS })));
}

/** The page around the iframes is there already: only they are counted. @param {Page} page @param {string} url @param {string[]} names */
async function openFrames(page, url, names) {
  await openEmpty(page, url);
  const started = await page.evaluate((names) => {
    const frames = names.map((name) =>
      Object.assign(document.createElement('iframe'), {
        src: `/stream.html?src=${name}`,
        width: 400,
        height: 225,
      }),
    );
    const now = performance.timeOrigin + performance.now();
    document.body.append(...frames);
    return now;
  }, names);
  // Each frame has a clock of its own: absolute times make them one.
  const ends = [];
  for (let tile = 0; tile < TILES; tile++) ends.push(await firstPictureOfFrame(page, tile));
  return Math.max(...ends) - started;
}

/** When the iframe's document showed its first picture, Unix ms. @param {Page} page @param {number} tile */
async function firstPictureOfFrame(page, tile) {
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    const at = await page.evaluate((tile) => {
      const inside = document.querySelectorAll('iframe')[tile]?.contentWindow;
      const [first] = inside?.bench?.firstPictures.values() ?? [];
      return inside && first !== undefined ? inside.performance.timeOrigin + first : null;
    }, tile);
    if (at !== null) return at;
    if (Date.now() > deadline) throw new Error(`iframe ${tile} got no picture`);
    await sleep(POLL_MS);
  }
}

/** @param {Page} page @param {number} tile @param {number} camera */
async function changeFrame(page, tile, camera) {
  const started = await page.evaluate(
    async ({ tile, camera }) => {
      const frame = document.querySelectorAll('iframe')[tile];
      if (!frame) throw new Error(`there is no iframe ${tile}`);
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
      const now = performance.timeOrigin + performance.now();
      frame.src = `/stream.html?src=camera${camera}`;
      await loaded;
      return now;
    },
    { tile, camera },
  );
  return (await firstPictureOfFrame(page, tile)) - started;
}

/** @param {Page} page @param {number} tile @param {number} camera */
function changeTile(page, tile, camera) {
  return page.evaluate(
    async ({ tile, camera }) => {
      const video = document.querySelectorAll('video')[tile];
      if (!video) throw new Error(`there is no tile ${tile}`);
      const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
      window.bench.record(video);
      const started = performance.now();
      await window.__multistream?.client?.switchStream(tile, `camera${camera}`);
      await wait(500);
      const pictures = await window.bench.stop(video);
      const first = pictures.find((picture) => picture.t > started && picture.camera === camera);
      if (first === undefined) throw new Error(`no picture of camera ${camera} within 500 ms`);
      return first.t - started;
    },
    { tile, camera },
  );
}
