import type { MultiStreamClient } from 'multistream-client';

declare global {
  interface Window {
    /** For tests and for a look from the console. */
    __multistream?: { client: MultiStreamClient | null };
  }
}
