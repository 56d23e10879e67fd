// The code that runs inside the page: it reads the barcode of each picture and counts what WebRTC does.
import type { MultiStreamClient, SlotStatus } from 'multistream-client';

/** What the barcode of a picture says; see e2e/cameras/barcode.py. */
export interface Reading {
  camera: number;
  frame: number;
}

export interface SlotProbe {
  video: HTMLVideoElement;
  /** The latest picture, and how many there were. */
  reading: Reading | null;
  pictures: number;
  /** The cameras shown since the last `clear`, each named when it follows another; 0 is a picture without barcode. */
  shown: number[];
}

export interface Probe {
  client?: MultiStreamClient;
  slots: Map<number, SlotProbe>;
  statuses: Map<number, SlotStatus[]>;
  peers: RTCPeerConnection[];
  remoteDescriptions: number;
  /** The states and events of the client's connection. */
  events: string[];
  /** The size of all WebAssembly memories. */
  wasmBytes(): number;
  attach(slot: number, track: MediaStreamTrack): void;
  /** Reads the picture in an element of the page. */
  read(picture: HTMLVideoElement | HTMLImageElement): Reading | null;
}

declare global {
  interface Window {
    e2e: Probe;
  }
}

/** Runs in the page before its own scripts. Must not use anything from outside itself. */
export function installProbe(): void {
  const COLUMNS = 16;
  const ROWS = 3;
  const CELLS_PER_WIDTH = 32;

  const canvas = new OffscreenCanvas(COLUMNS, ROWS);
  const context = canvas.getContext('2d', { willReadFrequently: true });

  function read(picture: HTMLVideoElement | HTMLImageElement): Reading | null {
    const width = picture instanceof HTMLVideoElement ? picture.videoWidth : picture.naturalWidth;
    if (context === null || width === 0) return null;
    const cell = width / CELLS_PER_WIDTH;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, COLUMNS * cell, ROWS * cell, 0, 0, COLUMNS, ROWS);
    const pixels = context.getImageData(0, 0, COLUMNS, ROWS).data;
    const rows = Array.from({ length: ROWS }, (_, y) => {
      let bits = 0;
      for (let x = 0; x < COLUMNS; x++)
        bits = bits * 2 + ((pixels[(y * COLUMNS + x) * 4 + 1] ?? 0) > 128 ? 1 : 0);
      return bits;
    });
    const [identity = 0, frame = 0, check = 0] = rows;
    const camera = identity & 0xff;
    const sum = (camera + 7 * (frame >> 8) + 13 * (frame & 0xff)) & 0xff;
    return identity >> 8 === 0xa5 && check === (0x5a00 | sum) ? { camera, frame } : null;
  }

  function watch(slot: SlotProbe): void {
    slot.video.requestVideoFrameCallback(() => {
      watch(slot);
      // For the first frame Chromium calls back before it draws it, and the canvas is black.
      if (slot.video.currentTime === 0) return;
      slot.reading = read(slot.video);
      slot.pictures += 1;
      const camera = slot.reading?.camera ?? 0;
      if (slot.shown.at(-1) !== camera) slot.shown.push(camera);
    });
  }

  const memories: WebAssembly.Memory[] = [];
  const probe: Probe = {
    slots: new Map(),
    statuses: new Map(),
    peers: [],
    remoteDescriptions: 0,
    events: [],
    wasmBytes: () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
    read,
    attach(slot, track) {
      const known = probe.slots.get(slot);
      const video = known?.video ?? document.createElement('video');
      const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks() : [];
      if (!shown.includes(track)) video.srcObject = new MediaStream([track]);
      if (known !== undefined) return;
      Object.assign(video, { muted: true, autoplay: true, playsInline: true, width: 400 });
      document.body.append(video);
      const fresh = { video, reading: null, pictures: 0, shown: [] };
      probe.slots.set(slot, fresh);
      watch(fresh);
    },
  };
  window.e2e = probe;

  const { instantiate, instantiateStreaming } = WebAssembly;
  const note = (instance: WebAssembly.Instance) =>
    memories.push(...Object.values(instance.exports).filter((made) => made instanceof WebAssembly.Memory));
  WebAssembly.instantiateStreaming = async (...args) => {
    const made = await instantiateStreaming(...args);
    note(made.instance);
    return made;
  };
  WebAssembly.instantiate = (async (bytes: BufferSource, imports?: WebAssembly.Imports) => {
    const made = await instantiate(bytes, imports);
    note(made.instance);
    return made;
  }) as typeof instantiate;

  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      probe.peers.push(this);
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      probe.remoteDescriptions += 1;
      return super.setRemoteDescription(description);
    }
  };
}
