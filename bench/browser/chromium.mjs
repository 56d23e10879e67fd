// Starts Chromium, and opens pages on the server's origin that the server itself does not have.
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { installProbe } from './probe.mjs';

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').Page} Page
 * @typedef {(line: unknown) => void} Say Tells the harness.
 */

/** The package lives below this path. */
const PREFIX = '/__bench__';
/** Its module. */
export const ENTRY = `${PREFIX}/index.js`;
const PACKAGE = fileURLToPath(new URL('../../npm/dist', import.meta.url));
/** @type {Record<string, string>} */
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** @returns {Promise<Browser>} */
export function launch() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox', // Chromium refuses to run as root without it
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A page with an empty cache and the probe in each of its frames.
 *
 * @param {Browser} browser
 * @returns {Promise<Page>}
 */
export async function newPage(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.addInitScript(installProbe);
  return page;
}

/**
 * Opens an empty document of the server's origin, with the package below `PREFIX`. The document itself is a real answer of the
 * server: Chromium treats one from Playwright's `fulfill` as public, and blocks connections of public pages to this machine.
 *
 * @param {Page} page
 * @param {string} url The server's.
 * @param {string} [home] The path of any answer of it.
 */
export async function openEmpty(page, url, home = '/healthz') {
  await page.route(`${url}${PREFIX}/**`, async (route) => {
    const file = join(PACKAGE, new URL(route.request().url()).pathname.slice(PREFIX.length));
    if (!existsSync(file)) return route.fulfill({ status: 404 });
    return route.fulfill({ contentType: TYPES[extname(file)] ?? 'text/plain', body: readFileSync(file) });
  });
  await page.goto(url + home);
  await page.evaluate(() => document.body.replaceChildren());
}

/**
 * A page with a client of the package, ready to connect, and one video per slot.
 *
 * @param {Browser} browser
 * @param {string} url
 * @param {number} slots
 * @param {{options?: import('multistream-client').ClientOptions, size?: {width: number, height: number}}} [settings] Without a
 *   size the tiles fill the page.
 */
export async function newClientPage(browser, url, slots, { options = {}, size } = {}) {
  const page = await newPage(browser);
  await openEmpty(page, url);
  await page.evaluate(
    async ({ entry, slots, options, size }) => {
      const { MultiStreamClient, preload } = await import(entry);
      await preload();
      const client = new MultiStreamClient(location.origin, options);
      window.__multistream = { client };
      const style = size
        ? { width: `${size.width}px`, height: `${size.height}px` }
        : { width: `${100 / Math.ceil(Math.sqrt(slots))}%`, float: 'left' };
      for (let slot = 0; slot < slots; slot++) {
        const video = document.createElement('video');
        Object.assign(video.style, style);
        document.body.append(video);
        client.attach(slot, video);
      }
    },
    { entry: ENTRY, slots, options, size },
  );
  return page;
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
