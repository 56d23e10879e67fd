// The browser's part of a benchmark. The harness (bench/src/browser.rs) starts it with one job as JSON. It prints what it
// measured as one JSON object per line, without evaluating it.

import { busy } from './busy.mjs';
import { launch } from './chromium.mjs';
import { connect } from './connect.mjs';
import { iframes } from './iframes.mjs';
import { soak } from './soak.mjs';
import { squeeze } from './squeeze.mjs';
import { switching } from './switching.mjs';

/** @type {Record<string, (browser: import('./chromium.mjs').Browser, job: any, say: import('./chromium.mjs').Say) => Promise<void>>} */
const SCRIPTS = { busy, connect, iframes, soak, squeeze, switching };

const [name = '', job = '{}'] = process.argv.slice(2);
const script = SCRIPTS[name];
if (script === undefined) throw new Error(`there is no browser script '${name}'`);

/** @type {import('./chromium.mjs').Say} */
const say = (line) => console.log(JSON.stringify(line));

const browser = await launch();
try {
  say({ event: 'browser', version: browser.version() });
  await script(browser, JSON.parse(job), say);
} finally {
  await browser.close();
}
