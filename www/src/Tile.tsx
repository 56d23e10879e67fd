// One camera of the wall: its picture, and the truth about it.
import type { ClientState, MultiStreamClient, SlotStatus } from 'multistream-client';
import { type MouseEvent, useEffect, useRef } from 'react';
import { caption } from './caption';
import { usePicture } from './picture';
import type { Choice } from './wall-state';

interface Props {
  slot: number;
  choice: Choice;
  client: MultiStreamClient | null;
  state: ClientState;
  status: SlotStatus | undefined;
  /** Fills the wall. */
  enlarged?: boolean;
  onChoose?: (slot: number) => void;
  onEnlarge?: (slot: number) => void;
}

/** How long a click may become a double click. */
const DOUBLE_CLICK_MS = 220;

export function Tile({ slot, choice, client, state, status, enlarged, onChoose, onEnlarge }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (client && video.current) return client.attach(slot, video.current);
  }, [client, slot]);
  const click = useRef(0);
  useEffect(() => () => window.clearTimeout(click.current), []);
  const onClick = (event: MouseEvent) => {
    window.clearTimeout(click.current);
    // The second click of a double click is not a wish to choose; a key press has no clicks to wait for.
    if (event.detail > 1) onEnlarge?.(slot);
    else click.current = window.setTimeout(() => onChoose?.(slot), event.detail === 0 ? 0 : DOUBLE_CLICK_MS);
  };
  const picture = usePicture(video, status?.stream);
  const { status: word, tone, text, detail } = caption(state, status, picture);
  const quality = status?.actualQuality ?? choice.quality;
  const size = status?.width && status.height ? `${status.width} × ${status.height}` : '';
  return (
    <figure
      className="tile"
      data-slot={slot}
      data-stream={status?.stream ?? choice.stream}
      data-status={word}
      data-picture={picture.state}
      data-tone={tone}
      data-enlarged={enlarged || undefined}
    >
      <video ref={video} muted autoPlay playsInline aria-label={choice.stream} />
      {tone !== 'live' && <p className="notice">{detail ?? text}</p>}
      <figcaption>
        <span className="dot" aria-hidden="true" />
        <strong>{choice.stream}</strong>
        <span className="quality">{quality === 'native' ? size : quality}</span>
        <span className="state">{text}</span>
      </figcaption>
      {onChoose && (
        <button
          type="button"
          className="choose"
          aria-label={`Tile ${slot + 1}: ${choice.stream}, ${text}. Choose camera or quality.`}
          onClick={onClick}
        />
      )}
    </figure>
  );
}
