'use client'; // For frameworks with server components, such as Next.js: everything here runs in browsers.

// The React entry.
export { CameraGrid, type CameraGridProps, CameraTile, type CameraTileProps } from './react/grid.js';
export {
  type Connection,
  MultiStreamProvider,
  type MultiStreamProviderProps,
  type StreamList,
  type Tile,
  useConnection,
  useSlotStatus,
  useStreams,
  useTile,
} from './react/provider.js';
export { type MultiStream, useMultiStream } from './react/use-multi-stream.js';
