// A page with one video per slot on the npm package, as a dashboard would use it, under the eyes of the probe.
import { expect, type Page } from '@playwright/test';
import type { ClientOptions, SlotConfig, SlotStatus, SwitchedStatus } from 'multistream-client';
import { packageHost } from './package-host';
import { installProbe, type Reading } from './probe';
import type { Server } from './server';

export class Wall {
  private constructor(
    readonly page: Page,
    private readonly server: Server,
  ) {}

  static async open(page: Page, server: Server): Promise<Wall> {
    await page.addInitScript(installProbe);
    await page.goto(await packageHost());
    return new Wall(page, server);
  }

  /** Connects; the tracks play in videos of their own. Returns the slots that have a track. */
  connect(slots: SlotConfig[], options: ClientOptions = {}): Promise<number[]> {
    return this.page.evaluate(
      async ({ slots, url, options }) => {
        const { MultiStreamClient } = (await import(
          '/index.js' as string
        )) as typeof import('multistream-client');
        const probe = window.e2e;
        probe.client = new MultiStreamClient(url, options);
        const tracks = await probe.client.connect(slots, (slot, status) => {
          probe.statuses.set(slot, [...(probe.statuses.get(slot) ?? []), status]);
        });
        for (const [slot, track] of tracks) probe.attach(slot, track);
        return [...tracks.keys()];
      },
      { slots, url: this.server.url, options },
    );
  }

  /** Gives the slot's video, which has its track already, to the client as well. */
  async attach(slot: number): Promise<void> {
    await this.page.evaluate((slot) => {
      const video = window.e2e.slots.get(slot)?.video;
      if (video) window.e2e.client?.attach(slot, video);
    }, slot);
  }

  /** Styles the slot's video. */
  async style(slot: number, style: Record<string, string>): Promise<void> {
    await this.page.evaluate(
      ({ slot, style }) => Object.assign(window.e2e.slots.get(slot)?.video.style ?? {}, style),
      { slot, style },
    );
  }

  switch(slot: number, stream: string, quality?: string): Promise<SwitchedStatus> {
    return this.page.evaluate(
      ({ slot, stream, quality }) => {
        const client = window.e2e.client;
        if (client === undefined) throw new Error('not connected');
        return client.switchStream(slot, stream, quality);
      },
      { slot, stream, quality },
    );
  }

  async pause(slot: number): Promise<void> {
    await this.page.evaluate((slot) => window.e2e.client?.pause(slot), slot);
  }

  async resume(slot: number): Promise<void> {
    await this.page.evaluate((slot) => window.e2e.client?.resume(slot), slot);
  }

  /** The latest status of a slot. */
  status(slot: number): Promise<SlotStatus | undefined> {
    return this.page.evaluate((slot) => window.e2e.statuses.get(slot)?.at(-1), slot);
  }

  reading(slot: number): Promise<Reading | null> {
    return this.page.evaluate((slot) => window.e2e.slots.get(slot)?.reading ?? null, slot);
  }

  pictures(slot: number): Promise<number> {
    return this.page.evaluate((slot) => window.e2e.slots.get(slot)?.pictures ?? 0, slot);
  }

  /** The cameras that a slot has shown since `forget`, in order; 0 stands for a picture that could not be read. */
  shown(slot: number): Promise<number[]> {
    return this.page.evaluate((slot) => window.e2e.slots.get(slot)?.shown ?? [], slot);
  }

  async forget(slot: number): Promise<void> {
    await this.page.evaluate((slot) => window.e2e.slots.get(slot)?.shown.splice(0), slot);
  }

  height(slot: number): Promise<number> {
    return this.page.evaluate((slot) => window.e2e.slots.get(slot)?.video.videoHeight ?? 0, slot);
  }

  /** What must not change when slots switch. */
  connection(): Promise<{
    peers: number;
    remoteDescriptions: number;
    transceivers: string[];
    tracks: string[];
  }> {
    return this.page.evaluate(() => {
      const transceivers = window.e2e.peers.flatMap((peer) => peer.getTransceivers());
      return {
        peers: window.e2e.peers.length,
        remoteDescriptions: window.e2e.remoteDescriptions,
        transceivers: transceivers.map((transceiver) => `${transceiver.mid} ${transceiver.direction}`),
        tracks: transceivers.map((transceiver) => transceiver.receiver.track.id),
      };
    });
  }

  async expectCamera(slot: number, camera: number): Promise<void> {
    await expect.poll(async () => (await this.reading(slot))?.camera, `camera on slot ${slot}`).toBe(camera);
  }

  async expectStatus(slot: number, status: SlotStatus['status'], timeout = 15_000): Promise<void> {
    await expect
      .poll(async () => (await this.status(slot))?.status, { message: `slot ${slot}`, timeout })
      .toBe(status);
  }

  /** What has come over the network, per mid: independent of how fast this machine draws. */
  received(): Promise<{ mid: string; frames: number; packetsLost: number }[]> {
    return this.page.evaluate(async () => {
      const reports = await Promise.all(window.e2e.peers.map((peer) => peer.getStats()));
      return reports
        .flatMap((report) => [...report.values()] as Record<string, unknown>[])
        .filter((stats) => stats.type === 'inbound-rtp')
        .map((stats) => ({
          mid: String(stats.mid),
          frames: Number(stats.framesReceived),
          packetsLost: Number(stats.packetsLost),
        }));
    });
  }

  /** Pictures per second over the next `seconds`. */
  async fps(slot: number, seconds: number): Promise<number> {
    const before = await this.pictures(slot);
    await this.page.waitForTimeout(seconds * 1000);
    return ((await this.pictures(slot)) - before) / seconds;
  }
}
