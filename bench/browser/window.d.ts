import type { MultiStreamClient } from 'multistream-client';
import type { Probe } from './probe.mjs';

declare global {
  interface Window {
    bench: Probe;
    __multistream?: { client: MultiStreamClient | null };
  }
}
