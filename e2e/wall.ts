// Drives a page that uses the npm package as a dashboard would, with one video per slot, and the probe.
import { expect, type Page } from '@playwright/test';
import type { ClientOptions, SlotConfig, SlotStatus, SwitchedStatus, TokenSource } from 'multistream-client';
import { packageHost } from './package-host';
import { installProbe, type Reading } from './probe';
import type { Server } from './server';

/** How many frames may be under way: a third of a second. A stalled slot misses more. */
const FRAMES_ON_THE_WAY = 10;

declare global {
  interface Window {
    /** Asks the test for an access token, where it has one to give. */
    askToken?: TokenSource;
  }
}

/** The address of a server, or of a relay to it, and of the page where it is not that of {@link packageHost}. */
export type Address = Pick<Server, 'url'> & { pageUrl?: string };

/** What was received on an m-line so far. */
export interface Flow {
  /** Complete frames received from the network. */
  received: number;
}

/** The selected candidates of a connection. */
export interface Route {
  type: RTCIceCandidateType;
  protocol: RTCIceProtocol;
  /** How the TURN server is reached: `udp`, `tcp` or `tls`. */
  relayProtocol?: string;
  /** The server's address and port. */
  to: string;
}

/** What the wall needs of a browser's tab. */
export type Tab = Pick<Page, 'evaluate' | 'addInitScript' | 'goto' | 'waitForTimeout'>;

export class Wall<P extends Tab = Page> {
  private constructor(
    readonly page: P,
    private readonly server: Address,
  ) {}

  static async open<P extends Tab>(page: P, server: Address): Promise<Wall<P>> {
    await page.addInitScript(installProbe);
    await page.goto(server.pageUrl ?? (await packageHost()));
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
        const { askToken } = window;
        probe.client = new MultiStreamClient(url, askToken ? { ...options, token: askToken } : options);
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

  /** As {@link play}. Returns how long it took from the call of `connect` until each picture was there, in milliseconds. */
  async timedPlay(cameras: number[], options: ClientOptions = {}): Promise<number> {
    const started = await this.page.evaluate(() => performance.now());
    await this.connect(
      cameras.map((camera, slot) => ({ slot, stream: `camera${camera}` })),
      options,
    );
    return this.page.evaluate(
      async ({ started, cameras }) => {
        const { slots } = window.e2e;
        const isThere = (camera: number, slot: number) => slots.get(slot)?.reading?.camera === camera;
        while (!cameras.every(isThere)) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (performance.now() - started > 20_000) throw new Error('not all pictures came');
        }
        return performance.now() - started;
      },
      { started, cameras },
    );
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

  /** Switches, and measures how long it takes until the video shows the camera, in milliseconds. */
  timedSwitch(slot: number, camera: number): Promise<SwitchedStatus & { seen: number }> {
    return this.page.evaluate(
      async ({ slot, camera }) => {
        const { client, slots } = window.e2e;
        if (client === undefined) throw new Error('not connected');
        const start = performance.now();
        const switched = client.switchStream(slot, `camera${camera}`);
        while (slots.get(slot)?.reading?.camera !== camera) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          if (performance.now() - start > 10_000) throw new Error(`camera${camera} did not come`);
        }
        return { seen: performance.now() - start, ...(await switched) };
      },
      { slot, camera },
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
      // Where the trouble is over sooner than that, a second of frames would say little.
      let sent = 0;
      await expect
        .poll(async () => (sent = (await server.received(stream)).frames - frames), {
          message: `frames that the server got of ${stream}`,
        })
        .toBeGreaterThan(30);
      const received = (await this.flow(mid)).received - start.received;
      expect(received, `of ${sent} frames`).toBeGreaterThanOrEqual(sent - FRAMES_ON_THE_WAY);
    };
  }

  /** The transport of the latest connection, `udp` or `tcp`. */
  async transport(): Promise<string | undefined> {
    return (await this.route())?.protocol;
  }

  /** The way of the latest connection out of the browser, and to whom. With `relay`, `relayProtocol` leads to the TURN server. */
  route(): Promise<Route | undefined> {
    return this.page.evaluate(async () => {
      const report = await window.e2e.peers.at(-1)?.getStats();
      const stats = [...(report?.values() ?? [])] as Record<string, unknown>[];
      const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated);
      const end = (id: unknown) => stats.find((entry) => entry.id === id);
      const [local, remote] = [end(pair?.localCandidateId), end(pair?.remoteCandidateId)];
      if (local === undefined || remote === undefined) return undefined;
      const { candidateType, protocol, relayProtocol } = local;
      const to = `${remote.address}:${remote.port}`;
      return { type: candidateType, protocol, relayProtocol, to } as Route;
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

  /** How old the pictures of the slot's camera are, in milliseconds: the median of 20 readings over a second. */
  age(slot: number): Promise<number> {
    // A camera loops over 300 frames; frame k is sent when floor(now * 30) mod 300 == k.
    return this.page.evaluate(async (slot) => {
      const ages: number[] = [];
      for (let n = 0; n < 20; n++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const frame = window.e2e.slots.get(slot)?.reading?.frame ?? 0;
        ages.push(((((Date.now() * 30) / 1000 - frame + 300) % 300) / 30) * 1000);
      }
      return ages.sort((a, b) => a - b)[10] ?? Number.NaN;
    }, slot);
  }

  /** Records, from now on, the longest time without a new picture on each slot. Returns a function that tells them in ms. */
  async watchGaps(): Promise<() => Promise<number[]>> {
    await this.page.evaluate(() => {
      const gaps = new Map<number, { last: number; longest: number }>();
      Object.assign(window, { gaps });
      for (const [slot, { video }] of window.e2e.slots) {
        const gap = { last: performance.now(), longest: 0 };
        gaps.set(slot, gap);
        const shown = (now: number) => {
          gap.longest = Math.max(gap.longest, now - gap.last);
          gap.last = now;
          video.requestVideoFrameCallback(shown);
        };
        video.requestVideoFrameCallback(shown);
      }
    });
    return () =>
      this.page.evaluate(() => {
        const { gaps } = window as unknown as { gaps: Map<number, { last: number; longest: number }> };
        return [...gaps.values()].map(({ last, longest }) =>
          Math.round(Math.max(longest, performance.now() - last)),
        );
      });
  }

  /** Pictures per second over the next `seconds`. */
  async fps(slot: number, seconds: number): Promise<number> {
    const before = await this.pictures(slot);
    await this.page.waitForTimeout(seconds * 1000);
    return ((await this.pictures(slot)) - before) / seconds;
  }
}
