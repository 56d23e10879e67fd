// One camera of the wall: its picture, and the truth about it.
import type { ClientState, MultiStreamClient, SlotStatus } from 'multistream-client';
import { useEffect, useRef } from 'react';
import { caption } from './caption';
import { usePicture } from './picture';
import type { Choice } from './wall-state';

interface Props {
  slot: number;
  choice: Choice;
  client: MultiStreamClient | null;
  state: ClientState;
  status: SlotStatus | undefined;
  onChoose?: (slot: number) => void;
}

export function Tile({ slot, choice, client, state, status, onChoose }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (client && video.current) return client.attach(slot, video.current);
  }, [client, slot]);
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
          onClick={() => onChoose(slot)}
        />
      )}
    </figure>
  );
}
