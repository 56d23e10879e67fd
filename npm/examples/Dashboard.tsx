// A dashboard written against a local `./multistream-client`: it uses the class alone, in one effect, without a `catch`.
import { useEffect, useRef, useState } from 'react';
import { MultiStreamClient, type SlotConfig, type SlotStatus } from './multistream-client.js';

export interface DashboardProps {
  deviceUrl: string;
  /** The same array at every render: another one makes another connection. */
  cameras: readonly { id: string }[];
}

export function Dashboard({ deviceUrl, cameras }: DashboardProps) {
  const clientRef = useRef<MultiStreamClient | null>(null);
  const videos = useRef(new Map<number, HTMLVideoElement>());
  const [statuses, setStatuses] = useState<ReadonlyMap<number, SlotStatus>>(new Map());

  useEffect(() => {
    const client = new MultiStreamClient(deviceUrl);
    clientRef.current = client;
    const slots = cameras.map(({ id }, slot): SlotConfig => ({ slot, stream: id, quality: '360p' }));
    client
      .connect(slots, (slot, status) => setStatuses((all) => new Map(all).set(slot, status)))
      .then((tracks) => {
        for (const [slot, track] of tracks) {
          const video = videos.current.get(slot);
          if (video) video.srcObject = new MediaStream([track]);
        }
      });
    return () => client.disconnect();
  }, [deviceUrl, cameras]);

  return (
    <div className="grid">
      {cameras.map(({ id }, slot) => (
        <button
          key={id}
          type="button"
          data-slot={slot}
          data-status={statuses.get(slot)?.status}
          onClick={() => {
            clientRef.current?.switchStream(slot, id, '1080p');
          }}
        >
          <video
            ref={(video) => {
              if (video) videos.current.set(slot, video);
            }}
            autoPlay
            playsInline
            muted
          />
          <span>{statuses.get(slot)?.status}</span>
        </button>
      ))}
    </div>
  );
}
