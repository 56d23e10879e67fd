// One connection for any number of components: what they read, and what they ask for. Nothing of React is in here.
import { Call } from '../call.js';
import { type ClientOptions, MultiStreamClient, MultiStreamError } from '../index.js';
import type { SlotConfig, SlotStatus, TokenSource } from '../types.js';
import type { SwitchedStatus } from '../video/timing.js';
import { NOTHING, type View, withError, withoutError } from './view.js';
import { Wishes } from './wishes.js';

/** The pause before a new connection after a crash of the client, so that one that crashes each time does no harm. */
const CRASHED_MS = 2_000;

interface Shown {
  slot: number;
  video: HTMLVideoElement;
  detach: (() => void) | undefined;
}

export class Store {
  #view = NOTHING;
  readonly #listeners = new Set<() => void>();
  readonly #wishes = new Wishes();
  /** The videos of the components. They are mounted before there is a client, and outlive it. */
  readonly #shown = new Set<Shown>();
  #options: ClientOptions = {};
  #url: string | undefined;
  #restart: ReturnType<typeof setTimeout> | undefined;
  /** Some component shows the list of cameras. */
  #wantsStreams = false;
  #listing: MultiStreamClient | undefined;
  /** How many switches of a slot are on their way from here. */
  readonly #switching = new Map<number, number>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get view(): View {
    return this.#view;
  }

  /** Takes what was rendered: changed entries are switched, or wait for the connection. */
  render(slots: readonly SlotConfig[], options: ClientOptions): void {
    this.#options = options;
    this.#wishes.render(slots);
    this.#send();
  }

  /** Connects. Returns how to end it, after which it may be opened again. */
  open(url: string): () => void {
    if (this.#url !== undefined && this.#url !== url) this.#wishes.reset();
    this.#url = url;
    const options = withDefaults(this.#options);
    // The function of the latest render: another one each time is no other token.
    if (typeof options.token === 'function') options.token = () => (this.#options.token as TokenSource)();
    const client = new MultiStreamClient(url, options);
    this.#listen(client, options.retryConnect);
    this.#set({ ...NOTHING, client });
    for (const shown of this.#shown) shown.detach = client.attach(shown.slot, shown.video);
    this.#connect(client);
    if (this.#wantsStreams) this.listStreams();
    return () => {
      clearTimeout(this.#restart);
      for (const shown of this.#shown) {
        shown.detach?.();
        shown.detach = undefined;
      }
      this.#set(NOTHING);
      client.disconnect();
    };
  }

  /** Keeps a slot's picture in a video, whichever client there is. Returns how to stop. */
  attach(slot: number, video: HTMLVideoElement): () => void {
    const shown: Shown = { slot, video, detach: this.#view.client?.attach(slot, video) };
    this.#shown.add(shown);
    return () => {
      this.#shown.delete(shown);
      shown.detach?.();
    };
  }

  readonly switchStream = (slot: number, stream: string, quality?: string): Promise<SwitchedStatus> => {
    const takeBack = this.#wishes.ask({ slot, stream, quality });
    const call = (client: MultiStreamClient) =>
      this.#during([slot], client.switchStream(slot, stream, quality));
    return this.#call(slot, call, takeBack);
  };

  pause(slot: number): Promise<SlotStatus> {
    return this.#call(slot, (client) => client.pause(slot));
  }

  resume(slot: number): Promise<SlotStatus> {
    return this.#call(slot, (client) => client.resume(slot));
  }

  /** Asks again for what the slot shall show; connects again where the connection was given up. What goes wrong is an error. */
  retry(slot?: number): void {
    const { client, state } = this.#view;
    if (client && state === 'disconnected') {
      this.#connect(client);
      return;
    }
    const wish = slot === undefined ? undefined : this.#wishes.of(slot);
    if (wish) this.switchStream(wish.slot, wish.stream, wish.quality).catch(() => {});
  }

  /** Some component shows the list of cameras from now on. */
  wantStreams(): void {
    this.#wantsStreams = true;
    if (this.#view.streams === undefined) this.listStreams();
  }

  /** Asks for the list of cameras; several components ask once. */
  readonly listStreams = (): void => {
    const { client } = this.#view;
    if (client === null || client === this.#listing) return;
    this.#listing = client;
    const told = (change: Partial<View>) => this.#update(client, () => change);
    client
      .listStreams()
      .then(
        (streams) => told({ streams, streamsError: null }),
        (error: unknown) => told({ streamsError: asError(error) }),
      )
      .finally(() => {
        if (this.#listing === client) this.#listing = undefined;
      });
  };

  #connect(client: MultiStreamClient): void {
    const slots = this.#wishes.takeAll();
    if (slots.length === 0) return;
    this.#update(client, () => ({ state: 'connecting' }));
    client
      .connect(slots)
      .catch((error: unknown) =>
        this.#update(client, (view) => ({ ...withError(view, asError(error)), state: 'disconnected' })),
      );
  }

  #listen(client: MultiStreamClient, restarts: boolean | undefined): void {
    const update = (change: (view: View) => Partial<View>) => this.#update(client, change);
    client.on('state', ({ state }) => {
      // The server may have another config than before the loss.
      const isNew = this.#view.streams === undefined || this.#view.state === 'reconnecting';
      update(() =>
        state === 'connected' ? { state, errors: NOTHING.errors, reconnecting: null } : { state },
      );
      if (client !== this.#view.client || state !== 'connected') return;
      this.#send();
      if (this.#wantsStreams && isNew) this.listStreams();
    });
    client.on('status', ({ slot, status }) => {
      // A refusal says nothing of what the slot goes on to show.
      if (status.kept) return;
      update((view) => ({
        statuses: new Map(view.statuses).set(slot, status),
        ...(status.status === 'active' && !view.errors.get(slot)?.kept && withoutError(view, slot)),
      }));
    });
    client.on('switched', ({ slot, status }) => {
      // A switch that was asked of the client itself counts as one that was asked for here.
      if (!this.#switching.has(slot)) this.#wishes.ask(wishOf(status));
      update((view) => withoutError(view, slot));
    });
    client.on('stalled', () => update(() => ({ stalled: new Map(client.stalled) })));
    client.on('track', ({ slot, track }) =>
      update(({ tracks }) => ({ tracks: new Map(tracks).set(slot, track) })),
    );
    client.on('reconnecting', ({ retry, delayMs, reason }) =>
      update(() => ({ reconnecting: { retry, delayMs, reason } })),
    );
    client.on('error', ({ error }) => {
      update((view) => withError(view, error));
      // After any other error the client reconnects by itself.
      if (error.code === 'client-crashed' && restarts && client === this.#view.client)
        this.#restart = setTimeout(() => this.#connect(client), CRASHED_MS);
    });
  }

  /** Tells the client of entries that changed, once it can be told. */
  #send(): void {
    const { client, state } = this.#view;
    if (client === null || (state !== 'connected' && state !== 'reconnecting')) return;
    const wishes = this.#wishes.takeUnsent();
    if (wishes.length === 0) return;
    const slots = wishes.map(({ slot }) => slot);
    this.#during(slots, client.switchMany(wishes)).catch((reason: unknown) => {
      const { kept, slot } = asError(reason);
      const status = slot === undefined ? undefined : this.#view.statuses.get(slot);
      // The slot goes on with what it shows, and so does a new connection.
      if (kept && status && wishes.includes(this.#wishes.of(status.slot) as SlotConfig))
        this.#wishes.ask(wishOf(status));
      this.#failed(client, reason);
    });
  }

  #call<T>(slot: number, call: (client: MultiStreamClient) => Promise<T>, takeBack?: () => void): Promise<T> {
    const { client } = this.#view;
    if (client === null) {
      takeBack?.();
      const message = 'The connection is not there yet.';
      return Call.of<T>(Promise.reject(new MultiStreamError('not-connected', message, slot, true)));
    }
    const settled = call(client).then(
      (result) => {
        this.#update(client, (view) => withoutError(view, slot));
        return result;
      },
      (error: unknown) => {
        if (asError(error).kept) takeBack?.();
        this.#failed(client, error, slot);
        throw error;
      },
    );
    return Call.of(settled);
  }

  async #during<T>(slots: readonly number[], call: Promise<T>): Promise<T> {
    const count = (slot: number, by: number) => {
      const open = (this.#switching.get(slot) ?? 0) + by;
      if (open === 0) this.#switching.delete(slot);
      else this.#switching.set(slot, open);
    };
    for (const slot of slots) count(slot, 1);
    try {
      return await call;
    } finally {
      for (const slot of slots) count(slot, -1);
    }
  }

  #failed(client: MultiStreamClient, reason: unknown, slot?: number): void {
    const error = asError(reason);
    // `superseded` by a later change, or `aborted` since the connection has ended: the app need not be told.
    if (error.code === 'superseded' || error.code === 'aborted') return;
    // An error without a slot is about the one that was asked for.
    this.#update(client, (view) =>
      error.slot === undefined && slot !== undefined
        ? withError(view, new MultiStreamError(error.code, error.message, slot, error.kept))
        : withError(view, error),
    );
  }

  /** Changes the view, unless the client is one of the past. */
  #update(client: MultiStreamClient, change: (view: View) => Partial<View>): void {
    if (client === this.#view.client) this.#set({ ...this.#view, ...change(this.#view) });
  }

  #set(view: View): void {
    this.#view = view;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The options' defaults in React, where they differ from those of the client. */
function withDefaults(options: ClientOptions): ClientOptions {
  const { retryConnect = true, pauseHidden = true, autoQuality = true } = options;
  return { ...options, retryConnect, pauseHidden, autoQuality };
}

function wishOf({ slot, camera, quality }: SlotStatus): SlotConfig {
  return { slot, stream: camera, quality };
}

function asError(error: unknown): MultiStreamError {
  return error instanceof MultiStreamError ? error : new MultiStreamError('client-crashed', String(error));
}
