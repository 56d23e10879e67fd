// What a tile says about itself: one word for programs, a tone for the eye, a sentence for people.
import type { ClientState, SlotState, SlotStatus } from 'multistream-client';
import type { Picture } from './picture';

/** `data-status` of a tile: the slot's own state, while the connection it came over is there. */
export type TileStatus = SlotState | 'connecting' | 'reconnecting' | 'disconnected';

export interface Caption {
  status: TileStatus;
  tone: 'live' | 'wait' | 'bad' | 'off';
  /** A few words. */
  text: string;
  /** The whole sentence, if there is one. */
  detail?: string | undefined;
}

export function caption(client: ClientState, status: SlotStatus | undefined, picture: Picture): Caption {
  if (client === 'disconnected') return { status: 'disconnected', tone: 'bad', text: 'not connected' };
  if (client === 'reconnecting') return { status: 'reconnecting', tone: 'wait', text: 'reconnecting' };
  if (client !== 'connected' || status === undefined)
    return { status: 'connecting', tone: 'wait', text: 'connecting' };
  switch (status.status) {
    case 'active':
      return { status: 'active', ...active(picture) };
    case 'pending':
    case 'buffering':
      return { status: status.status, tone: 'wait', text: 'starting' };
    case 'offline':
      return { status: 'offline', tone: 'bad', text: 'offline', detail: status.error };
    case 'error':
      return { status: 'error', tone: 'bad', text: 'error', detail: status.error };
    case 'paused':
      return { status: 'paused', tone: 'off', text: 'paused' };
    case 'inactive':
      return { status: 'inactive', tone: 'off', text: 'nothing chosen' };
  }
}

function active(picture: Picture): Pick<Caption, 'tone' | 'text'> {
  if (picture.state === 'moving') return { tone: 'live', text: 'live' };
  if (picture.state === 'none') return { tone: 'wait', text: 'starting' };
  return { tone: 'bad', text: `frozen for ${picture.ageS} s` };
}
