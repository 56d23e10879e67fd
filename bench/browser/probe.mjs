// The code that runs in every frame before its own scripts: it records each video's pictures as they are presented, and counts
// connections. It reads the barcode of e2e/cameras/barcode.py from the luma plane of the decoded picture, which costs far less
// than drawing it.

/**
 * @typedef {object} Picture
 * @property {number} t When the page was told of it, ms since the page began.
 * @property {number} presented How many pictures this video has presented so far; more than one may pass between two notes.
 * @property {number} width
 * @property {number | null} camera `null` without a barcode that can be read.
 * @property {number | null} frame
 *
 * @typedef {object} Probe
 * @property {Map<HTMLVideoElement, number>} firstPictures When each showed its first picture, ms since the page began.
 * @property {RTCPeerConnection[]} connections
 * @property {(video: HTMLVideoElement) => void} record Notes its pictures from now on.
 * @property {(video: HTMLVideoElement) => Promise<Picture[]>} stop And hands them out.
 */

/** Must not use anything from outside itself. */
export function installProbe() {
  const COLUMNS = 16;
  const ROWS = 3;
  const CELLS_PER_WIDTH = 32;

  /** @type {Map<HTMLVideoElement, Promise<Picture>[]>} */
  const recordings = new Map();
  /** @type {Probe} */
  const probe = {
    firstPictures: new Map(),
    connections: [],
    record: (video) => recordings.set(video, []),
    stop: (video) => {
      const pictures = recordings.get(video) ?? [];
      recordings.delete(video);
      return Promise.all(pictures);
    },
  };
  window.bench = probe;

  /** @param {Uint8Array} luma @param {number} stride @param {number} cell */
  function decode(luma, stride, cell) {
    const rows = Array.from({ length: ROWS }, (_, y) => {
      let bits = 0;
      for (let x = 0; x < COLUMNS; x++) {
        const at = Math.floor((y + 0.5) * cell) * stride + Math.floor((x + 0.5) * cell);
        bits = bits * 2 + ((luma[at] ?? 0) > 128 ? 1 : 0);
      }
      return bits;
    });
    const [identity = 0, frame = 0, check = 0] = rows;
    const camera = identity & 0xff;
    const sum = (camera + 7 * (frame >> 8) + 13 * (frame & 0xff)) & 0xff;
    return identity >> 8 === 0xa5 && check === (0x5a00 | sum)
      ? { camera, frame }
      : { camera: null, frame: null };
  }

  /** @param {HTMLVideoElement} video @param {number} t @param {number} presented */
  async function read(video, t, presented) {
    const picture = new VideoFrame(video);
    try {
      const cell = picture.codedWidth / CELLS_PER_WIDTH;
      // Planes are subsampled: the rectangle's sides must be even.
      const rect = { x: 0, y: 0, width: COLUMNS * cell, height: 2 * Math.ceil((ROWS * cell) / 2) };
      const bytes = new Uint8Array(picture.allocationSize({ rect }));
      const [plane] = await picture.copyTo(bytes, { rect });
      const code = decode(bytes.subarray(plane?.offset ?? 0), plane?.stride ?? rect.width, cell);
      return { t, presented, width: picture.codedWidth, ...code };
    } finally {
      picture.close();
    }
  }

  /** @param {HTMLVideoElement} video */
  function watch(video) {
    video.requestVideoFrameCallback((_, { presentedFrames }) => {
      const t = performance.now();
      if (!probe.firstPictures.has(video)) probe.firstPictures.set(video, t);
      recordings.get(video)?.push(read(video, t, presentedFrames));
      watch(video);
    });
  }

  // Not a MutationObserver: an iframe keeps its window, and what this script has set up, when its first document is loaded.
  const srcObject = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  /** @type {WeakSet<HTMLVideoElement>} */
  const watched = new WeakSet();
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...srcObject,
    /** @this {HTMLVideoElement} @param {MediaProvider | null} media */
    set(media) {
      srcObject?.set?.call(this, media);
      if (watched.has(this)) return;
      watched.add(this);
      watch(this);
    },
  });

  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      probe.connections.push(this);
    }
  };
}
