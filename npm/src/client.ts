// The face of the Rust core, behind `MultiStreamClient`. It holds handlers and nothing else; the core decides.

import * as check from './arguments.js';
import { bindOwn } from './bound.js';
import { Call } from './call.js';
import { Emitter } from './emitter.js';
import { type ErrorCode, MultiStreamError } from './errors.js';
import type { ClientEvent, ClientEventOf, ClientEventType } from './events.js';
import { log } from './log.js';
import { Refusals } from './refusal.js';
import { Savings } from './savings/savings.js';
import type { Camera } from './streams.js';
import { Tokens } from './token.js';
import type {
  ClientOptions,
  ClientState,
  ConnectOptions,
  KeyframeStatus,
  PeerConnectionState,
  SlotConfig,
  SlotStatus,
  StallCause,
  StatusCallback,
  SwitchManyOptions,
  WebSocketState,
} from './types.js';
import { readArrivals } from './video/arrivals.js';
import { type ConnectionPath, readPath } from './video/path.js';
import { Pictures } from './video/pictures.js';
import { type SlotStats, StatsReader } from './video/stats.js';
import { FirstPictures, type SwitchedStatus } from './video/timing.js';
import { watchNetwork } from './wake.js';
import type { Core, Hooks } from './wasm/glue.js';
import { loadWasm } from './wasm/load.js';
import { Running } from './wasm/running.js';
import { settingsOf } from './wasm/settings.js';

/** The client, whatever the entry; an entry adds where the WebAssembly module is. */
export class Client {
  readonly #serverUrl: string | URL;
  readonly #options: ClientOptions;
  readonly #emitter = new Emitter();
  readonly #pictures: Pictures;
  readonly #stats = new StatsReader();
  readonly #savings: Savings;
  readonly #tokens: Tokens;
  readonly #firstPictures = new FirstPictures();
  readonly #running = new Running();
  /** Of the connection there is: a signal often lives longer, and would keep all of this. */
  #ignoreSignal: (() => void) | undefined;
  #ignoreCrash: (() => void) | undefined;
  #ignoreNetwork: (() => void) | undefined;
  #onStatus: StatusCallback | undefined;
  /** Grows with each disconnect(), so that a connect() still loading WebAssembly learns of it. */
  #disconnects = 0;

  /** Never throws, since it may run while an app renders: what is wrong with its arguments is told by `connect`. */
  constructor(serverUrl: string | URL, options: ClientOptions = {}) {
    bindOwn(this, Client.prototype);
    this.#serverUrl = serverUrl;
    this.#options = options;
    this.#tokens = new Tokens(options?.token, (token) => this.#running.core?.renew(token));
    const askStreams = async () => {
      const [{ fetchStreams, guard }, token] = await Promise.all([loadWasm(), this.#tokens.get()]);
      return guard.settled(fetchStreams(check.address(serverUrl).href, token));
    };
    this.#savings = new Savings(options ?? {}, askStreams, () => this.#running.core);
    const isSeen = (slot: number) => this.#savings.isSeen(slot);
    this.#pictures = new Pictures(isSeen, (event) => this.#emit(event));
  }

  /**
   * Opens the connection. Resolves to one track per slot when media can flow; a slot whose camera is down has its
   * track too, and shows a picture as soon as there is one.
   *
   * @example
   * ```ts
   * const tracks = await client.connect([{ slot: 0, stream: 'camera1' }], (slot, { status }) => setStatus(slot, status));
   * ```
   */
  connect(
    slots: readonly SlotConfig[],
    onStatus?: StatusCallback,
    options: ConnectOptions = {},
  ): Promise<Map<number, MediaStreamTrack>> {
    return Call.run(() => this.#connect(slots, onStatus, options));
  }

  /**
   * Shows another camera in a slot. Resolves when the new picture is being sent, or, where the slot was `attach`ed to a
   * `<video>`, when it is shown, with the time that took. Of two calls for one slot the later wins, and the earlier
   * rejects with `superseded`.
   *
   * @example
   * ```ts
   * const { timing } = await client.switchStream(0, 'camera7', '1080p');
   * ```
   */
  switchStream(slot: number, stream: string, quality?: string): Promise<SwitchedStatus> {
    return Call.run(async () => {
      check.slot(slot);
      check.stream(stream, quality);
      const perform = (core: Core) => this.#savings.switchStream(core, slot, stream, quality);
      const [status] = await this.#timed([slot], async () => [await this.#running.call(perform)]);
      return status as SwitchedStatus;
    });
  }

  /**
   * Many switches as one. Resolves as {@link switchStream} when all are there, rejects with the first that cannot be shown;
   * the others go on. With `atomic`, all slots change at the same moment or none does, so that a wall turns its page as
   * one picture.
   *
   * @example
   * ```ts
   * await client.switchMany([{ slot: 0, stream: 'camera3' }, { slot: 1, stream: 'camera4', quality: '360p' }]);
   * await client.switchMany(nextPage, { atomic: true });
   * ```
   */
  switchMany(slots: readonly SlotConfig[], options: SwitchManyOptions = {}): Promise<SwitchedStatus[]> {
    return Call.run(() => {
      check.slots(slots);
      check.options(options);
      const perform = (core: Core) => this.#savings.switchMany(core, slots, options.atomic === true);
      const indices = slots.map(({ slot }) => slot);
      return this.#timed(indices, () => this.#running.call(perform));
    });
  }

  /** Stops a slot's picture, and the work for it on the server. The track stays. @example `await client.pause(1);` */
  pause(slot: number): Promise<SlotStatus> {
    return this.#told(slot, (core) => this.#savings.pause(core, slot));
  }

  /** Shows a paused slot again. Resolves when its picture is being sent. @example `await client.resume(1);` */
  resume(slot: number): Promise<SlotStatus> {
    return this.#told(slot, (core) => this.#savings.resume(core, slot));
  }

  /**
   * Asks for a key frame now: `sent` (from the server's cache) or `unsupported`.
   *
   * @example `if ((await client.requestKeyframe(0)) === 'unsupported') wait();`
   */
  requestKeyframe(slot: number): Promise<KeyframeStatus> {
    return this.#callFor(slot, (core) => core.requestKeyframe(slot));
  }

  /**
   * Starts a stream that may be shown soon, so that showing it takes no time: on hover, or before a tour goes on.
   * The server keeps it running for a while. Resolves to the stream's resolved name.
   *
   * @example
   * ```ts
   * button.onpointerenter = () => client.warm('camera7', '720p').catch(() => {});
   * ```
   */
  warm(stream: string, quality?: string): Promise<string> {
    return Call.run(() => {
      check.stream(stream, quality);
      return this.#running.call((core) => this.#savings.warm(core, stream, quality));
    });
  }

  /**
   * The server's cameras, with what is known of each, and their qualities as `variants`. Needs no connection.
   *
   * @example
   * ```ts
   * for (const { name, state } of await client.listStreams()) console.log(name, state);
   * ```
   */
  listStreams(): Promise<Camera[]> {
    return Call.of(this.#savings.listStreams());
  }

  /**
   * Says how important a slot is to the viewer, as an integer. On a slow link, slots with a lower number are shown smaller, or
   * with fewer pictures, before this one is. Without a call the larger of the attached videos are the more important ones.
   *
   * @example
   * ```ts
   * client.setPriority(0, 100); // the tile that has the operator's attention
   * ```
   */
  setPriority(slot: number, priority: number): void {
    check.slot(slot);
    check.priority(priority);
    this.#savings.setPriority(slot, priority);
  }

  /**
   * How a slot's picture arrives. Rates are since the call before for the same slot; `undefined` while nothing arrives.
   *
   * @example
   * ```ts
   * setInterval(async () => console.log((await client.getStats(0))?.fps), 1_000);
   * ```
   */
  async getStats(slot: number): Promise<SlotStats | undefined> {
    check.slot(slot);
    const receiver = this.#running.core?.receiver(slot);
    return receiver && this.#stats.read(slot, receiver);
  }

  /**
   * The way the pictures take through the network; `undefined` while there is no connection.
   *
   * @example
   * ```ts
   * if ((await client.getPath())?.protocol === 'tcp') console.log('this network lets no UDP through');
   * ```
   */
  async getPath(): Promise<ConnectionPath | undefined> {
    // All slots take the same one.
    const [slot] = this.#pictures.tracks.keys();
    const receiver = slot === undefined ? undefined : this.#running.core?.receiver(slot);
    return receiver && readPath(receiver);
  }

  /**
   * Keeps a slot's picture in a `<video>` element, also across reconnects. Returns how to stop.
   * May be called before `connect`. The attribute `data-picture` of the video is `live`, `frozen` or `waiting`. The picture of
   * another camera than one that is `offline` or in `error` is removed.
   *
   * @example
   * ```ts
   * const detach = client.attach(0, document.querySelector('video')!);
   * ```
   */
  attach(slot: number, video: HTMLVideoElement): () => void {
    check.slot(slot);
    check.video(video);
    const ends = [this.#pictures, this.#savings, this.#firstPictures].map((part) => part.watch(slot, video));
    return () => {
      for (const end of ends) end();
    };
  }

  /**
   * Calls `handler` for each event of this type. Returns how to stop.
   *
   * @example
   * ```ts
   * const off = client.on('reconnecting', ({ delayMs, reason }) => console.log(reason, delayMs));
   * off();
   * ```
   */
  on<T extends ClientEventType>(type: T, handler: (event: ClientEventOf<T>) => void): () => void {
    check.callable(handler);
    return this.#emitter.on(type, handler);
  }

  /** Undoes `on`. @example `client.off('status', handler);` */
  off<T extends ClientEventType>(type: T, handler: (event: ClientEventOf<T>) => void): void {
    this.#emitter.off(type, handler);
  }

  /**
   * Ends everything: calls that wait reject with `aborted`. `connect` may be called again.
   *
   * @example `window.addEventListener('pagehide', () => client.disconnect());`
   */
  disconnect(): void {
    this.#disconnects += 1;
    this.#running.disconnect();
  }

  /** The same as {@link disconnect}. @example `client.close();` */
  close(): void {
    this.disconnect();
  }

  /** Ends with its scope. @example `using client = new MultiStreamClient(url);` */
  [Symbol.dispose](): void {
    this.disconnect();
  }

  /** Where the connection is in its life. @example `client.state === 'reconnecting'` */
  get state(): ClientState {
    return this.#running.state;
  }

  /** Whether media can flow. @example `if (!client.isConnected) await client.connect(slots);` */
  get isConnected(): boolean {
    return this.#running.core?.isConnected ?? false;
  }

  /** The state of the control connection. @example `client.wsState === 'open'` */
  get wsState(): WebSocketState {
    return this.#running.core?.wsState ?? 'closed';
  }

  /** The state of the media connection. @example `client.pcState === 'connected'` */
  get pcState(): PeerConnectionState {
    return this.#running.core?.pcState ?? 'new';
  }

  /** The current track of each slot. @example `client.tracks.get(0)?.readyState` */
  get tracks(): ReadonlyMap<number, MediaStreamTrack> {
    return this.#pictures.tracks;
  }

  /** The slots whose picture stands still, and why. @example `client.stalled.get(0) === 'network'` */
  get stalled(): ReadonlyMap<number, StallCause> {
    return this.#pictures.stalled;
  }

  async #connect(
    slots: readonly SlotConfig[],
    onStatus: StatusCallback | undefined,
    options: ConnectOptions,
  ): Promise<Map<number, MediaStreamTrack>> {
    check.connection(this.#serverUrl, this.#options);
    check.connect(slots, onStatus, options);
    const { signal } = options;
    const disconnects = this.#disconnects;
    const onAbort = () => this.disconnect();
    const ignoreSignal = () => signal?.removeEventListener('abort', onAbort);
    const assertWanted = () => {
      if (signal?.aborted || disconnects !== this.#disconnects) {
        throw new MultiStreamError('aborted', 'The connection was given up before it was made.');
      }
    };
    assertWanted();
    const [, planned] = await Promise.all([loadWasm(), this.#savings.plan(slots)]);
    const token = await this.#tokens.get();
    assertWanted();
    // The same one, unless it crashed meanwhile.
    const instance = await loadWasm();
    const core = this.#running.coreOf(instance, (CoreClass) => this.#makeCore(CoreClass));
    if (core.state === 'idle' || core.state === 'disconnected') {
      this.#onStatus = onStatus;
      this.#savings.begin(planned);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#ignoreNetwork ??= watchNetwork(() => this.#running.core?.wake());
    this.#ignoreCrash ??= instance.guard.onCrash((error) => this.#crashed(error));
    try {
      const tracks = await instance.guard.settled(core.connect(planned, token));
      this.#ignoreSignal = ignoreSignal;
      return tracks;
    } catch (error) {
      ignoreSignal();
      if (this.state === 'idle' || this.state === 'disconnected') this.#release();
      throw error;
    }
  }

  /** A switch, with what it took, told to who asked and to who listens. */
  async #timed(slots: readonly number[], perform: () => Promise<SlotStatus[]>): Promise<SwitchedStatus[]> {
    const statuses = await this.#firstPictures.time(slots, perform);
    for (const status of statuses) {
      status.live = this.#pictures.isLive(status.slot);
      this.#emitter.emit({ type: 'switched', slot: status.slot, status });
    }
    return statuses;
  }

  /** A call for a slot that resolves to its status. */
  #told(slot: number, call: (core: Core) => Promise<SlotStatus>): Promise<SlotStatus> {
    return this.#callFor(slot, async (core) => {
      const status = await call(core);
      return { ...status, live: this.#pictures.isLive(status.slot) };
    });
  }

  #callFor<T>(slot: number, call: (core: Core) => Promise<T>): Promise<T> {
    return Call.run(() => {
      check.slot(slot);
      return this.#running.call(call);
    });
  }

  #makeCore(CoreClass: typeof Core): Core {
    const address = check.address(this.#serverUrl);
    return new CoreClass(settingsOf(address, this.#options), Client.#hooks(new WeakRef(this), address));
  }

  /**
   * What the core calls. WebAssembly keeps it for as long as the core exists, and the client has the core: with the client itself in
   * it neither would ever be collected. While there is a connection, what listens to the network keeps the client.
   */
  static #hooks(weak: WeakRef<Client>, address: URL): Hooks {
    const of = <T>(read: (client: Client) => T): T | undefined => {
      const client = weak.deref();
      return client && read(client);
    };
    const refusals = new Refusals(address);
    return {
      event: (event) => of((client) => client.#handle(event)),
      error: (code, message, slot, kept) => refusals.error(code as ErrorCode, message, slot, kept),
      look: (attempt, pc, tracks) => {
        // A connection that is closed meanwhile has no statistics.
        readArrivals(pc, tracks)
          .then((numbers) =>
            of((client) => {
              client.#running.core?.received(attempt, numbers);
              client.#pictures.arrived(numbers);
            }),
          )
          .catch(() => {});
      },
      refusal: async (url) => {
        await of((client) => client.#tokens)?.refuse();
        return refusals.explain(url, of((client) => client.state) === 'connecting');
      },
      reconnectDelay: (retry, reason, defaultDelayMs) => {
        const reconnect = of((client) => client.#options.reconnect);
        if (reconnect === false) return null;
        return reconnect ? reconnect({ retry, reason, defaultDelayMs }) : defaultDelayMs;
      },
    };
  }

  #handle(event: ClientEvent): void {
    this.#savings.handle(event);
    this.#pictures.handle(event);
    if (event.type === 'disconnected') this.#release();
    this.#emit(event);
  }

  #emit(event: ClientEvent): void {
    if (event.type === 'status') {
      try {
        this.#onStatus?.(event.slot, event.status);
      } catch (error) {
        log('error', 'the status callback threw', error);
      }
    }
    this.#emitter.emit(event);
  }

  /** The core can tell nothing any more. */
  #crashed(error: MultiStreamError): void {
    this.#handle({ type: 'error', error });
    this.#handle({ type: 'state', state: 'disconnected' });
    this.#handle({ type: 'disconnected', reason: error.message });
  }

  /** Lets go of what outlives the client: there is no connection now. */
  #release(): void {
    this.#tokens.stop();
    this.#ignoreSignal?.();
    this.#ignoreCrash?.();
    this.#ignoreNetwork?.();
    [this.#ignoreCrash, this.#ignoreNetwork] = [undefined, undefined];
  }
}
