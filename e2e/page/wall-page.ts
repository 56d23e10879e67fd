// Drives the page at `/`: its tiles, and the cameras in their pictures.
import type { Locator, Page } from '@playwright/test';
import { expect } from '../fixtures';
import { installProbe } from '../probe';
import type { Server } from '../server';

export class WallPage {
  private constructor(readonly page: Page) {}

  /** `query` is that of the address, with its `?`. */
  static async open(page: Page, server: Pick<Server, 'url'>, query = ''): Promise<WallPage> {
    await page.addInitScript(installProbe);
    await page.goto(`${server.url}/${query}`);
    const wall = new WallPage(page);
    await expect(wall.tile(0)).toBeVisible();
    return wall;
  }

  /** The tile of a cell, from 0. */
  tile(cell: number): Locator {
    return this.page.locator(`.tile[data-cell="${cell}"]`);
  }

  /** A camera's button in the list. */
  camera(name: string): Locator {
    return this.page.locator(`.cameras-panel [data-camera="${name}"]`);
  }

  get visibleTiles(): Locator {
    return this.page.locator('.tile:visible');
  }

  /** Waits until the tile is marked live and its picture shows this camera. */
  async expectLive(cell: number, camera: number): Promise<void> {
    await expect(this.tile(cell)).toHaveAttribute('data-tone', 'live');
    await expect.poll(() => this.pictureOf(cell), `camera in the picture of tile ${cell + 1}`).toBe(camera);
  }

  pictureOf(cell: number): Promise<number | undefined> {
    return this.tile(cell)
      .locator('video')
      .evaluate((video: HTMLVideoElement) => window.e2e.read(video)?.camera);
  }

  /** Opens the chooser of a tile by its button. */
  async choose(cell: number): Promise<void> {
    await this.tile(cell).hover();
    await this.tile(cell).getByRole('button', { name: 'Choose camera or quality', exact: true }).click();
  }

  /** The cameras of the tiles in sight, in their order, as `tiles` of an address names them. */
  async shown(): Promise<string> {
    const streams = await this.visibleTiles.evaluateAll((tiles) =>
      tiles.map((tile) => (tile as HTMLElement).dataset.stream),
    );
    return streams.join();
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

  /** Drags with the mouse, in several steps. */
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
