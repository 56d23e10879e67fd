// The caption of a tile: one word for programs, a tone for its colour, and a text for people.
import type { ClientState, SlotState, SlotStatus } from 'multistream-client';
import type { Picture } from './picture';

/** `data-status` of a tile: the slot's own state while there is a connection, otherwise the connection's state. */
export type TileStatus = SlotState | 'connecting' | 'reconnecting' | 'disconnected';

export interface Caption {
  status: TileStatus;
  tone: 'live' | 'wait' | 'bad' | 'off';
  /** A few words. */
  text: string;
  /** The whole sentence, if there is one. */
  detail?: string | undefined;
}

export interface Known {
  client: ClientState;
  status: SlotStatus | undefined;
  picture: Picture;
  /** When the last frame of a camera that is offline came, in ms since 1970. */
  offlineSince?: number | undefined;
  /** For how many seconds it has been starting, once that is too long. */
  startingForS?: number | undefined;
}

/** Whether the tile is starting, and by which of the server's states. */
export function startsAs({ client, status, picture }: Known): 'active' | 'buffering' | undefined {
  if (client !== 'connected' || picture.state !== 'none') return undefined;
  if (status?.status === 'active') return 'active';
  return status?.status === 'buffering' && !isLost(status) ? 'buffering' : undefined;
}

export function caption({ client, status, picture, offlineSince, startingForS }: Known): Caption {
  if (client === 'disconnected') return { status: 'disconnected', tone: 'bad', text: 'not connected' };
  if (client === 'reconnecting') {
    // Only the WebSocket may be lost while media still flows, so a moving picture counts as live.
    const isLive = picture.state === 'moving';
    return { status: 'reconnecting', tone: isLive ? 'live' : 'wait', text: isLive ? 'live' : 'reconnecting' };
  }
  if (client !== 'connected' || status === undefined)
    return { status: 'connecting', tone: 'wait', text: 'connecting' };
  switch (status.status) {
    case 'active':
      return { status: 'active', ...active(picture, status.pictureEveryMs, startingForS) };
    case 'buffering':
      if (isLost(status)) return { status: status.status, tone: 'wait', text: 'reconnecting' };
      return { status: status.status, ...starting(startingForS) };
    case 'offline':
      return { status: 'offline', tone: 'bad', text: offline(offlineSince), detail: status.error };
    case 'error':
      return { status: 'error', tone: 'bad', text: 'error', detail: status.error };
    case 'paused':
      return status.reason === 'bandwidth'
        ? {
            status: 'paused',
            tone: 'bad',
            text: 'paused, slow link',
            detail: 'The link is too slow for this tile.',
          }
        : { status: 'paused', tone: 'off', text: 'paused' };
  }
}

function isLost({ reason }: SlotStatus): boolean {
  return reason === 'connection-lost' || reason === 'media-lost';
}

type Said = Pick<Caption, 'tone' | 'text' | 'detail'>;

function active(
  picture: Picture,
  pictureEveryMs: number | undefined,
  startingForS: number | undefined,
): Said {
  if (picture.state === 'none') return starting(startingForS);
  if (picture.state === 'moving') {
    if (pictureEveryMs === undefined) return { tone: 'live', text: 'live' };
    const seconds = Math.max(1, Math.round(pictureEveryMs / 1_000));
    const text = `slow link, a picture every ${seconds} s`;
    return { tone: 'live', text, detail: 'The link is too slow for all pictures of this tile.' };
  }
  const age = duration(picture.ageS);
  return { tone: 'bad', text: `frozen for ${age}`, detail: `The last picture is ${age} old.` };
}

function starting(forS: number | undefined): Said {
  const detail = forS === undefined ? undefined : `No picture came for ${forS} s.`;
  return { tone: 'wait', text: 'starting', detail };
}

function offline(since: number | undefined): string {
  if (since === undefined) return 'offline';
  const date = new Date(since);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? '' : `${date.toLocaleDateString('sv')} `;
  return `offline since ${day}${date.toLocaleTimeString('sv', { hour: '2-digit', minute: '2-digit' })}`;
}

/** `4 s`, `3 min`, `2 h`. */
function duration(seconds: number): string {
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
