// The wall entry: how pictures share a box. It has no dependencies and needs neither the client nor a browser.
export { type PackedTile, type PackedWall, type PackOptions, packWall, type Rect } from './wall/pack.js';
