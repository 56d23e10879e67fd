// Opens apps in Chromium and reads the title that each of them sets.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium } from '@playwright/test';

const MIME: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

export class Titles {
  private constructor(private readonly browser: Browser) {}

  static async open(): Promise<Titles> {
    const args = ['--no-sandbox', '--disable-gpu'];
    return new Titles(await chromium.launch({ executablePath: '/usr/bin/chromium', args }));
  }

  async of(address: string): Promise<string> {
    const page = await this.browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    try {
      await page.goto(address);
      await page.waitForFunction(() => document.title !== '', null, { timeout: 20_000 });
      return await page.title();
    } catch (error) {
      throw new Error(`the page came to no title; it said: ${said.join('\n')}`, { cause: error });
    } finally {
      await page.close();
    }
  }

  /** The title of the app in `folder`, served as static files. */
  async ofFolder(folder: string): Promise<string> {
    const server: Server = createServer((request, response) => {
      const path = join(folder, request.url === '/' ? 'index.html' : (request.url ?? ''));
      if (!existsSync(path)) return void response.writeHead(404).end();
      response
        .writeHead(200, { 'content-type': MIME[extname(path)] ?? 'text/plain' })
        .end(readFileSync(path));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    try {
      return await this.of(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    } finally {
      server.close();
    }
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}
