// Ready-made, unstyled components over the hook: a tile, and a grid of them.
import { type ReactNode, useEffect, useRef } from 'react';
import type { MultiStreamClient } from './client.js';
import type { ClientOptions, SlotConfig, SlotStatus } from './types.js';
import { useMultiStream } from './use-multi-stream.js';

/**
 * Properties of a {@link CameraTile}.
 *
 * @example
 * ```tsx
 * const props: CameraTileProps = { slot: 0, client, status: statuses.get(0), className: 'tile' };
 * ```
 */
export interface CameraTileProps {
  /** Index of the slot. */
  slot: number;
  /** Of {@link useMultiStream}. */
  client: MultiStreamClient | null;
  /** The slot's last status. */
  status: SlotStatus | undefined;
  /** For your styles; `data-slot`, `data-stream` and `data-status` are there for them too. */
  className?: string | undefined;
  /** What stands below the picture. Default: the stream and its status or error, read out when they change. */
  children?: ReactNode;
}

/**
 * One slot's picture in a `<figure>`, with its state. No styles.
 *
 * @example
 * ```tsx
 * const { client, statuses } = useMultiStream(url, slots);
 * return <CameraTile slot={0} client={client} status={statuses.get(0)} className="tile" />;
 * ```
 */
export function CameraTile({ slot, client, status, className, children }: CameraTileProps): ReactNode {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (client && video.current) return client.attach(slot, video.current);
  }, [client, slot]);
  return (
    <figure
      className={className}
      data-slot={slot}
      data-stream={status?.stream}
      data-status={status?.status ?? 'pending'}
    >
      <video ref={video} muted autoPlay playsInline aria-label={status?.stream} />
      <figcaption aria-live="polite">
        {children ?? (status ? `${status.stream}: ${status.error ?? status.status}` : 'connecting')}
      </figcaption>
    </figure>
  );
}

/**
 * Properties of a {@link CameraGrid}.
 *
 * @example
 * ```tsx
 * const props: CameraGridProps = { url: 'https://device.example.com', slots, className: 'wall' };
 * ```
 */
export interface CameraGridProps {
  /** The device's address. */
  url: string;
  /** What to show; changed streams and qualities are switched, without a new connection. */
  slots: readonly SlotConfig[];
  /** As for {@link MultiStreamClient}. */
  options?: ClientOptions;
  /** Of the element around the tiles; `data-state` is the connection's state. */
  className?: string | undefined;
  /** Of each tile. */
  tileClassName?: string | undefined;
}

/**
 * All slots over one connection. No styles: lay the tiles out by `className`.
 *
 * @example
 * ```tsx
 * <CameraGrid url="https://device.example.com" slots={[{ slot: 0, stream: 'camera1' }]} className="wall" />
 * ```
 */
export function CameraGrid({ url, slots, options, className, tileClassName }: CameraGridProps): ReactNode {
  const { client, statuses, state } = useMultiStream(url, slots, options);
  return (
    <div className={className} data-state={state}>
      {slots.map(({ slot }) => (
        <CameraTile
          key={slot}
          slot={slot}
          client={client}
          status={statuses.get(slot)}
          className={tileClassName}
        />
      ))}
    </div>
  );
}
