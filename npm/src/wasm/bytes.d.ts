// Written by scripts/build.mjs.
export const wasmBase64: string;
