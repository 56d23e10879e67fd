// The entry for tools that cannot ship a .wasm file: the module is inside the script (a third larger).
import { wasmBase64 } from './wasm/bytes.js';
import { provideInline } from './wasm/load.js';

provideInline(() => Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0)));

export * from './api.js';
