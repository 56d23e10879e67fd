// The main entry: the WebAssembly module is the file client.wasm beside this one.
import { provideUrl } from './wasm/load.js';

// Written out in full: this is the form that Vite, webpack and plain browsers understand.
provideUrl(() => new URL('./client.wasm', import.meta.url));

export * from './api.js';
