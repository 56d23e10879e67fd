// A React dashboard written against a local `./multistream-client`, with the class alone.
import { useEffect, useRef, useState } from 'react';
import { MultiStreamClient, type SlotConfig, type SlotStatus } from './multistream-client.js';

const SLOTS: SlotConfig[] = [
  { slot: 0, stream: 'camera1', quality: '720p' },
  { slot: 1, stream: 'camera2', quality: '720p' },
  { slot: 2, stream: 'camera3' },
  { slot: 3, stream: 'camera4' },
];

export function Dashboard({ url }: { url: string }) {
  const clientRef = useRef<MultiStreamClient | null>(null);
  const [tracks, setTracks] = useState<Map<number, MediaStreamTrack>>(new Map());
  const [statuses, setStatuses] = useState<Map<number, SlotStatus>>(new Map());

  useEffect(() => {
    const client = new MultiStreamClient(url, {
      pcConfig: { iceServers: [{ urls: 'stun:stun.example.com:3478' }] },
      connectionTimeout: 10_000,
      debug: true,
    });
    clientRef.current = client;
    client
      .connect(SLOTS, (slot, status) => setStatuses((all) => new Map(all).set(slot, status)))
      .then(setTracks, (error: unknown) => console.error(error));
    return () => client.disconnect();
  }, [url]);

  return (
    <div className="grid">
      {SLOTS.map(({ slot }) => (
        <figure key={slot}>
          <Video track={tracks.get(slot)} />
          <figcaption>
            {statuses.get(slot)?.stream} {statuses.get(slot)?.actualQuality} {statuses.get(slot)?.status}
          </figcaption>
          <button type="button" onClick={() => clientRef.current?.switchStream(slot, 'camera7', '1080p')}>
            Camera 7
          </button>
        </figure>
      ))}
    </div>
  );
}

function Video({ track }: { track: MediaStreamTrack | undefined }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (ref.current) ref.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  return <video ref={ref} autoPlay muted playsInline />;
}
