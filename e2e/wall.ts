// Drives a page that uses the npm package as a dashboard would, with one video per slot, and the probe.
import { expect, type Page } from '@playwright/test';
import type { ClientOptions, SlotConfig, SlotStatus, SwitchedStatus } from 'multistream-client';
import { packageHost } from './package-host';
import { installProbe, type Reading } from './probe';
import type { Server } from './server';

/** How many frames may be under way: a third of a second. A stalled slot misses more. */
const FRAMES_ON_THE_WAY = 10;

/** The address of a server, or of a relay to it. */
export type Address = Pick<Server, 'url'>;

/** What was received on an m-line so far. */
export interface Flow {
  /** Complete frames received from the network. */
  received: number;
}

export class Wall {
  private constructor(
    readonly page: Page,
    private readonly server: Address,
  ) {}

  static async open(page: Page, server: Address): Promise<Wall> {
    await page.addInitScript(installProbe);
    await page.goto(await packageHost());
    return new Wall(page, server);
  }

  /** Connects, and plays each track in a video of its own. Returns the slots that have a track. */
  connect(slots: SlotConfig[], options: ClientOptions = {}): Promise<number[]> {
    return this.page.evaluate(
      async ({ slots, url, options }) => {
        const { MultiStreamClient } = (await import(
          '/index.js' as string
        )) as typeof import('multistream-client');
        const probe = window.e2e;
        probe.client = new MultiStreamClient(url, options);
        for (const type of ['state', 'reconnecting', 'reconnected', 'disconnected'] as const) {
          probe.client.on(type, (event) => {
            probe.events.push(event.type === 'state' ? event.state : type);
          });
        }
        probe.client.on('track', ({ slot, track }) => probe.attach(slot, track));
        const tracks = await probe.client.connect(slots, (slot, status) => {
          probe.statuses.set(slot, [...(probe.statuses.get(slot) ?? []), status]);
        });
        for (const [slot, track] of tracks) probe.attach(slot, track);
        return [...tracks.keys()];
      },
      { slots, url: this.server.url, options },
    );
  }

  /** Connects with a slot for each camera, by number, and waits for their pictures. */
  async play(...cameras: number[]): Promise<void> {
    await this.connect(cameras.map((camera, slot) => ({ slot, stream: `camera${camera}` })));
    for (const [slot, camera] of cameras.entries()) await this.expectCamera(slot, camera);
  }

  /** Attaches the slot's video, which has its track already, with `client.attach`. */
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

  /** Every status of a slot so far, in order. */
  statuses(slot: number): Promise<SlotStatus[]> {
    return this.page.evaluate((slot) => window.e2e.statuses.get(slot) ?? [], slot);
  }

  /** States and events of the connection, in order. */
  events(): Promise<string[]> {
    return this.page.evaluate(() => window.e2e.events);
  }

  async forgetEvents(): Promise<void> {
    await this.page.evaluate(() => window.e2e.events.splice(0));
  }

  async expectEvent(event: string, timeout = 15_000): Promise<void> {
    await expect.poll(() => this.events(), { timeout, intervals: [20] }).toContain(event);
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

  /** What a switch must not change: the peer connections, transceivers and tracks. */
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

  /** What was received from the network, per mid, however fast this machine draws. */
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

  /** What was received on one m-line of the latest connection. */
  flow(mid: string): Promise<Flow> {
    return this.page.evaluate(async (mid) => {
      const stats = [...((await window.e2e.peers.at(-1)?.getStats())?.values() ?? [])] as Record<
        string,
        unknown
      >[];
      const line = stats.find((entry) => entry.type === 'inbound-rtp' && entry.mid === mid) ?? {};
      return {
        received: Number(line.framesReceived),
      };
    }, mid);
  }

  /**
   * Returns a function that checks that since this call the m-line has received each frame that the server has received of the
   * stream. It compares counts, not times: a busy machine makes both late but leaves both equal.
   */
  async watchFrames(mid: string, server: Server, stream: string): Promise<() => Promise<void>> {
    // The page's statistics are read before the server's counts here and after them later, so frames that are under way count
    // for the m-line.
    const [start, { frames }] = [await this.flow(mid), await server.received(stream)];
    return async () => {
      const sent = (await server.received(stream)).frames - frames;
      const received = (await this.flow(mid)).received - start.received;
      expect(sent, `frames that the server got of ${stream}`).toBeGreaterThan(30);
      expect(received, `of ${sent} frames`).toBeGreaterThanOrEqual(sent - FRAMES_ON_THE_WAY);
    };
  }

  /** The transport of the latest connection, `udp` or `tcp`. */
  transport(): Promise<string | undefined> {
    return this.page.evaluate(async () => {
      const report = await window.e2e.peers.at(-1)?.getStats();
      const stats = [...(report?.values() ?? [])] as Record<string, unknown>[];
      const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
      const local = stats.find((entry) => entry.id === pair?.localCandidateId);
      return local && String(local.protocol);
    });
  }

  /** Waits until each slot, in order, has displayed a picture of its camera since this call. */
  async expectNewPictures(cameras: number[], withinMs: number): Promise<void> {
    const took = await this.page.evaluate(
      async ({ cameras, withinMs }) => {
        const [start, { slots }] = [performance.now(), window.e2e];
        const before = cameras.map((_, slot) => slots.get(slot)?.pictures);
        const isBack = (camera: number, slot: number) =>
          slots.get(slot)?.pictures !== before[slot] && slots.get(slot)?.reading?.camera === camera;
        while (!cameras.every(isBack) && performance.now() - start < withinMs) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        return performance.now() - start;
      },
      { cameras, withinMs },
    );
    const readings = await Promise.all(cameras.map(async (_, slot) => (await this.reading(slot))?.camera));
    expect(took, `ms until cameras ${cameras} are back; there are ${readings}`).toBeLessThan(withinMs);
  }

  /** Pictures per second over the next `seconds`. */
  async fps(slot: number, seconds: number): Promise<number> {
    const before = await this.pictures(slot);
    await this.page.waitForTimeout(seconds * 1000);
    return ((await this.pictures(slot)) - before) / seconds;
  }
}
