import type { MultiStreamClient } from 'multistream-client';

declare global {
  interface Window {
    /** For tests and for the browser's console. */
    __multistream?: { client: MultiStreamClient | null };
  }
}
