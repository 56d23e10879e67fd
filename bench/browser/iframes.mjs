// Measures six cameras that are added to a dashboard: as six iframes of stream.html with a connection each, by one client with
// one connection, and by one client that chooses the quality that fits each tile. An empty dashboard gives what all have in
// common.
import { newClientPage, newPage, openEmpty, sleep } from './chromium.mjs';

const TILES = 6;
/** The size of a tile in pixels. */
const SIZE = { width: 400, height: 225 };
const GIVE_UP_MS = 20_000;
const BETWEEN_RUNS_MS = 400;
const SETTLE_MS = 3_000;
/** How long barcodes are read, after the steady state: reading them costs the browser more than showing the pictures. */
const WATCH_MS = 3_000;
/** How long the dashboard's own page load is given to finish before the tiles are added. */
const LOADED_MS = 1_000;
/** The length of a GOP: each measurement starts at a random moment of one. */
const GOP_MS = 2_000;
const POLL_MS = 5;

/**
 * @typedef {import('./chromium.mjs').Browser} Browser
 * @typedef {import('./chromium.mjs').Page} Page
 * @typedef {{kind: 'none'} | {kind: 'iframes', page: string} | {kind: 'client', autoQuality: boolean}} Tiles
 * @typedef {object} Job
 * @property {string} url The server's.
 * @property {string} home The path of any answer of it.
 * @property {Tiles} tiles How the cameras come into the dashboard.
 * @property {number} runs
 * @property {number} switches
 * @property {number} steadyMs
 * @typedef {object} Way
 * @property {() => Promise<Page>} dashboard A page without cameras.
 * @property {(page: Page) => Promise<number>} open Ms from adding the tiles until all show a picture.
 * @property {(page: Page, tile: number, camera: number) => Promise<number>} change Ms until a tile shows another camera.
 */

/**
 * @param {Browser} browser
 * @param {Job} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function iframes(browser, job, say) {
  const { dashboard, open, change } = wayOf(browser, job);
  const hasTiles = job.tiles.kind !== 'none';
  for (let run = 0; run < job.runs; run++) {
    const page = await dashboard();
    await sleep(LOADED_MS + Math.random() * GOP_MS);
    const ms = await open(page);
    if (hasTiles) say({ event: 'pictures', ms });
    await close(page);
  }
  const page = await dashboard();
  await open(page);
  await steady(page, job.steadyMs, say);
  say({ event: 'watched', tiles: await watch(page) });
  for (let index = 0; hasTiles && index < job.switches; index++) {
    // Every camera is live, since another tile shows it.
    say({ event: 'change', ms: await change(page, 0, 2 + (index % (TILES - 1))) });
    await sleep(500 + Math.random() * GOP_MS);
  }
  await close(page);
}

/** @param {Browser} browser @param {Job} job @returns {Way} */
function wayOf(browser, { url, home, tiles }) {
  const names = Array.from({ length: TILES }, (_, tile) => `camera${tile + 1}`);
  const emptyPage = async () => {
    const page = await newPage(browser);
    await openEmpty(page, url, home);
    return page;
  };
  switch (tiles.kind) {
    case 'none':
      return { dashboard: emptyPage, open: async () => 0, change: async () => 0 };
    case 'iframes': {
      const pages = names.map((name) => tiles.page + name);
      return {
        dashboard: emptyPage,
        open: (page) => openFrames(page, pages),
        change: (page, tile, camera) => changeFrame(page, tile, `${tiles.page}camera${camera}`),
      };
    }
    case 'client': {
      const { autoQuality } = tiles;
      return {
        // The package is loaded with the dashboard's own script, as the iframe element is part of the browser.
        dashboard: () => newClientPage(browser, url, TILES, { options: { autoQuality }, size: SIZE }),
        open: (page) => openTiles(page, names),
        change: changeTile,
      };
    }
  }
}

/** Lets the page be for a while. @param {Page} page @param {number} ms @param {import('./chromium.mjs').Say} say */
async function steady(page, ms, say) {
  await sleep(SETTLE_MS);
  let connections = 0;
  for (const frame of page.frames()) {
    connections += await frame.evaluate(
      () => window.bench.connections.filter(({ connectionState }) => connectionState === 'connected').length,
    );
  }
  say({ event: 'steady', connections });
  await sleep(ms);
  say({ event: 'steady-end' });
}

/** What each tile shows for a while. @param {Page} page */
async function watch(page) {
  const inFrames = page.frames().map((frame) =>
    frame.evaluate(async (ms) => {
      const videos = [...document.querySelectorAll('video')];
      videos.forEach(window.bench.record);
      await new Promise((resolve) => setTimeout(resolve, ms));
      const pictures = await Promise.all(videos.map(window.bench.stop));
      return pictures.map((pictures) => ({ origin: performance.timeOrigin, pictures }));
    }, WATCH_MS),
  );
  return (await Promise.all(inFrames)).flat();
}

/** @param {Page} page */
async function close(page) {
  await page.context().close();
  await sleep(BETWEEN_RUNS_MS);
}

/** @param {Page} page @param {string[]} names */
function openTiles(page, names) {
  return page.evaluate(
    async ({ names, GIVE_UP_MS, POLL_MS }) => {
      const { bench } = window;
      const started = performance.now();
      await window.__multistream?.client?.connect(names.map((stream, slot) => ({ slot, stream })));
      while (bench.firstPictures.size < names.length) {
        if (performance.now() - started > GIVE_UP_MS) throw new Error('some tiles got no picture');
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return Math.max(...bench.firstPictures.values()) - started;
    },
    { names, GIVE_UP_MS, POLL_MS },
  );
}

/** @param {Page} page @param {string[]} pages Their paths. */
async function openFrames(page, pages) {
  const started = await page.evaluate(
    ({ pages, SIZE }) => {
      const frames = pages.map((src) => Object.assign(document.createElement('iframe'), { src, ...SIZE }));
      const now = performance.timeOrigin + performance.now();
      document.body.append(...frames);
      return now;
    },
    { pages, SIZE },
  );
  // Each frame has a time origin of its own, so times are made absolute.
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

/** @param {Page} page @param {number} tile @param {string} src */
async function changeFrame(page, tile, src) {
  const started = await page.evaluate(
    async ({ tile, src }) => {
      const frame = document.querySelectorAll('iframe')[tile];
      if (!frame) throw new Error(`there is no iframe ${tile}`);
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
      const now = performance.timeOrigin + performance.now();
      frame.src = src;
      await loaded;
      return now;
    },
    { tile, src },
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
