// Six cameras added to a dashboard: as six iframes of stream.html with a connection each, by one client with one connection,
// and by one that takes of each camera what its tile's pixels are worth. An empty dashboard is what all have in common.
import { newClientPage, newPage, openEmpty, sleep } from './chromium.mjs';

const TILES = 6;
const GIVE_UP_MS = 20_000;
const BETWEEN_RUNS_MS = 400;
const SETTLE_MS = 3_000;
/** A dashboard that stands: what its own page load left to do is no part of adding the tiles. */
const LOADED_MS = 1_000;
const POLL_MS = 5;

/**
 * @typedef {import('./chromium.mjs').Browser} Browser
 * @typedef {import('./chromium.mjs').Page} Page
 * @typedef {object} Dashboard Of one server.
 * @property {string} home The path of any answer of it.
 * @property {string} iframe The path of a page with one camera, up to its name.
 * @property {string[]} ways What to measure.
 * @typedef {object} Way
 * @property {() => Promise<Page>} dashboard A page without cameras.
 * @property {(page: Page) => Promise<number>} open Ms from adding the tiles until all show a picture.
 * @property {(page: Page, tile: number, camera: number) => Promise<number>} change Ms until a tile shows another camera.
 */

/**
 * @param {Browser} browser
 * @param {{url: string, dashboard: Dashboard, runs: number, switches: number, steadyMs: number}} job
 * @param {import('./chromium.mjs').Say} say
 */
export async function iframes(browser, { url, dashboard: { home, iframe, ways }, ...job }, say) {
  const names = Array.from({ length: TILES }, (_, tile) => `camera${tile + 1}`);
  const emptyPage = async () => {
    const page = await newPage(browser);
    await openEmpty(page, url, home);
    return page;
  };
  /** @param {import('multistream-client').ClientOptions} options @returns {Way} */
  const client = (options) => ({
    // The package is part of the dashboard's own script, as the iframe element is part of the browser.
    dashboard: () => newClientPage(browser, url, TILES, options),
    open: (page) => openTiles(page, names),
    change: changeTile,
  });
  /** @type {Way} */
  const frames = {
    dashboard: emptyPage,
    open: (page) =>
      openFrames(
        page,
        names.map((name) => iframe + name),
      ),
    change: (page, tile, camera) => changeFrame(page, tile, `${iframe}camera${camera}`),
  };
  /** @type {Record<string, Way | undefined>} */
  const known = {
    iframes: frames,
    multistream: client({}),
    'multistream, auto': client({ autoQuality: true }),
    'iframes, go2rtc': frames,
  };
  for (const name of ways) {
    const way = known[name];
    if (way) await measure(name, way, job, say);
    else await measureEmpty(name, emptyPage, job, say);
  }
}

/**
 * @param {string} name
 * @param {() => Promise<Page>} emptyPage
 * @param {{steadyMs: number}} job
 * @param {import('./chromium.mjs').Say} say
 */
async function measureEmpty(name, emptyPage, job, say) {
  const page = await emptyPage();
  await steady(page, name, job.steadyMs, say);
  await close(page);
}

/**
 * @param {string} name
 * @param {Way} way
 * @param {{runs: number, switches: number, steadyMs: number}} job
 * @param {import('./chromium.mjs').Say} say
 */
async function measure(name, { dashboard, open, change }, job, say) {
  for (let run = 0; run < job.runs; run++) {
    const page = await dashboard();
    await sleep(LOADED_MS);
    say({ event: 'pictures', way: name, ms: await open(page) });
    await close(page);
  }
  const page = await dashboard();
  await open(page);
  await steady(page, name, job.steadyMs, say);
  for (let index = 0; index < job.switches; index++) {
    // Every camera is live: the tile takes its neighbour's.
    say({ event: 'change', way: name, ms: await change(page, 0, 2 + (index % (TILES - 1))) });
    await sleep(500 + Math.random() * 1_000);
  }
  await close(page);
}

/** Lets the page be for a while. @param {Page} page @param {string} way @param {number} ms @param {import('./chromium.mjs').Say} say */
async function steady(page, way, ms, say) {
  await sleep(SETTLE_MS);
  let connections = 0;
  for (const frame of page.frames()) {
    connections += await frame.evaluate(
      () => window.bench.connections.filter(({ connectionState }) => connectionState === 'connected').length,
    );
  }
  say({ event: 'steady', way, connections });
  await sleep(ms);
  say({ event: 'steady-end', way });
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
  const started = await page.evaluate((pages) => {
    const frames = pages.map((src) =>
      Object.assign(document.createElement('iframe'), {
        src,
        width: 400,
        height: 225,
      }),
    );
    const now = performance.timeOrigin + performance.now();
    document.body.append(...frames);
    return now;
  }, pages);
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
