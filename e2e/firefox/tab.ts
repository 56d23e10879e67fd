// A tab of Firefox, with those of Playwright's methods that the tests of both browsers use.
import type { Page } from '@playwright/test';
import type { Page as PuppeteerPage } from 'puppeteer-core';
import type { Tab } from '../wall';

type Script = (argument?: unknown) => unknown;

export class FirefoxTab implements Tab {
  constructor(readonly page: PuppeteerPage) {}

  readonly evaluate = ((script: Script, argument?: unknown) =>
    this.page.evaluate(script, argument)) as Page['evaluate'];

  readonly addInitScript = ((script: Script, argument?: unknown) =>
    this.page.evaluateOnNewDocument(script, argument)) as unknown as Page['addInitScript'];

  readonly goto = ((url: string) => this.page.goto(url)) as unknown as Page['goto'];

  waitForTimeout(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Presses a key, or keys together: `Shift+E`. */
  async press(keys: string): Promise<void> {
    const names = keys.split('+') as Parameters<PuppeteerPage['keyboard']['press']>[0][];
    for (const name of names) await this.page.keyboard.down(name);
    for (const name of names.toReversed()) await this.page.keyboard.up(name);
  }
}
