// The page at `/` as its user sees it: tiles, and the cameras in their pictures.
import type { Locator, Page } from '@playwright/test';
import { expect } from '../fixtures';
import { installProbe } from '../probe';
import type { Server } from '../server';

export class WallPage {
  private constructor(readonly page: Page) {}

  /** `query` as in the address, with its `?`. */
  static async open(page: Page, server: Server, query = ''): Promise<WallPage> {
    await page.addInitScript(installProbe);
    await page.goto(`${server.url}/${query}`);
    const wall = new WallPage(page);
    await expect(wall.tile(0)).toBeVisible();
    return wall;
  }

  /** By cell, from 0. */
  tile(cell: number): Locator {
    return this.page.locator(`.tile[data-cell="${cell}"]`);
  }

  /** In the list beside the wall. */
  camera(name: string): Locator {
    return this.page.locator(`.cameras-panel [data-camera="${name}"]`);
  }

  get visibleTiles(): Locator {
    return this.page.locator('.tile:visible');
  }

  /** Waits until the tile says that it is live, and its picture is this camera's. */
  async expectLive(cell: number, camera: number): Promise<void> {
    await expect(this.tile(cell)).toHaveAttribute('data-tone', 'live');
    await expect.poll(() => this.pictureOf(cell), `camera in the picture of tile ${cell + 1}`).toBe(camera);
  }

  pictureOf(cell: number): Promise<number | undefined> {
    return this.tile(cell)
      .locator('video')
      .evaluate((video: HTMLVideoElement) => window.e2e.read(video)?.camera);
  }

  height(cell: number): Promise<number> {
    return this.tile(cell)
      .locator('video')
      .evaluate((video: HTMLVideoElement) => video.videoHeight);
  }

  query(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }

  /** How many peer connections the page has made. */
  connections(): Promise<number> {
    return this.page.evaluate(() => window.e2e.peers.length);
  }

  /** With the mouse, by way of what lies between. */
  async drag(from: Locator, to: Locator): Promise<void> {
    const [start, end] = [await centre(from), await centre(to)];
    await this.page.mouse.move(start.x, start.y);
    await this.page.mouse.down();
    await this.page.mouse.move(end.x, end.y, { steps: 5 });
    await this.page.mouse.up();
  }
}

export async function centre(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error('it is not on the page');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
