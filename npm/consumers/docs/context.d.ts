// Declarations that the documentation's excerpts use without declaring them.
import type { MultiStreamClient as Client, SlotConfig } from 'multistream-client';

declare global {
  const client: Client;
  const url: string;
  const slots: SlotConfig[];
  function banner(text: string | null): void;
  function show(slot: number, track: MediaStreamTrack): void;
}
