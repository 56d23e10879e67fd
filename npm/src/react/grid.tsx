// Ready-made, unstyled components over the hook: a tile, and a grid of them.
import { type ReactNode, useEffect, useRef } from 'react';
import type { MultiStreamClient } from '../index.js';
import type { ClientOptions, SlotConfig, SlotState, SlotStatus } from '../types.js';
import { useMultiStream } from './use-multi-stream.js';

/** The captions of pictures that stand since they do not arrive. */
const LOST: Partial<Record<string, string>> = {
  'connection-lost': 'connection lost',
  'media-lost': 'no pictures arrive',
};

/** The captions of the states in which nothing is wrong. A caption for any other state is announced by screen readers. */
const FINE: Partial<Record<SlotState, string>> = {
  buffering: 'loading',
  active: 'live',
  paused: 'paused',
};

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
  /** The client that {@link useMultiStream} returns. */
  client: MultiStreamClient | null;
  /** The slot's last status. */
  status: SlotStatus | undefined;
  /** What the camera is called, for people. Default: the name that the status gives it. */
  label?: string | undefined;
  /** For your styles. The element also has `data-slot`, `data-stream` and `data-status`. */
  className?: string | undefined;
  /** Makes the picture a button, for mouse, touch and keyboard. */
  onSelect?: ((slot: number) => void) | undefined;
  /**
   * What is shown below the picture. Default: the label and the state; screen readers announce a state in which something is
   * wrong.
   */
  children?: ReactNode;
}

/**
 * One slot's picture in a `<figure>`, with its state. No styles.
 *
 * @example
 * ```tsx
 * const { client, statuses } = useMultiStream(url, slots);
 * return <CameraTile slot={0} client={client} status={statuses.get(0)} label="Front door" className="tile" />;
 * ```
 */
export function CameraTile(props: CameraTileProps): ReactNode {
  const { slot, client, status, className, onSelect, children } = props;
  const video = useRef<HTMLVideoElement>(null);
  // A picture that turns into a button is a new <video> element, so the effect depends on it.
  const isButton = onSelect !== undefined;
  useEffect(() => {
    if (client && video.current) return client.attach(slot, video.current);
  }, [client, slot, isButton]);
  const label = props.label ?? status?.camera ?? `camera ${slot + 1}`;
  const fine = status === undefined ? 'connecting' : (slowLink(status) ?? fineOf(status));
  const trouble = fine === undefined && status ? troubleOf(status) : undefined;
  const picture = <video ref={video} muted autoPlay playsInline aria-label={label} />;
  return (
    <figure
      className={className}
      data-slot={slot}
      data-stream={status?.stream}
      data-status={status?.status ?? 'connecting'}
    >
      {onSelect ? (
        <button type="button" aria-label={`${label}: ${fine ?? trouble}`} onClick={() => onSelect(slot)}>
          {picture}
        </button>
      ) : (
        picture
      )}
      <figcaption>
        {children ?? (
          <>
            {label}: {fine}
            {/* Always rendered: screen readers announce changes inside it. The other states are not announced. */}
            <span role="status">{trouble}</span>
          </>
        )}
      </figcaption>
    </figure>
  );
}

function fineOf({ status, reason, live }: SlotStatus): string | undefined {
  if (status === 'active' && !live) return 'waiting for pictures';
  return LOST[reason ?? ''] === undefined ? FINE[status] : undefined;
}

function troubleOf({ status, reason, error }: SlotStatus): string {
  return LOST[reason ?? ''] ?? error ?? status;
}

/** What is shown of a tile whose link is too slow for its stream. */
function slowLink({ status, reason, pictureEveryMs, live }: SlotStatus): string | undefined {
  if (reason !== 'bandwidth') return undefined;
  if (status === 'paused') return 'paused, slow link';
  if (pictureEveryMs === undefined || !live) return undefined;
  return `slow link, a picture every ${Math.max(1, Math.round(pictureEveryMs / 1_000))} s`;
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
  /** What to show. Changed streams and qualities are switched on the same connection. */
  slots: readonly SlotConfig[];
  /** As for {@link MultiStreamClient}. */
  options?: ClientOptions;
  /** The name of the wall for screen readers. Default `Cameras`. */
  label?: string | undefined;
  /** The class of the element around the tiles; its `data-state` is the connection's state. */
  className?: string | undefined;
  /** The class of each tile. */
  tileClassName?: string | undefined;
  /** Makes each picture a button: Tab goes from one to the next, Enter and Space select. */
  onSelect?: ((slot: number) => void) | undefined;
}

/**
 * All slots over one connection. No styles: lay the tiles out by `className`.
 *
 * @example
 * ```tsx
 * <CameraGrid url="https://device.example.com" slots={[{ slot: 0, stream: 'camera1' }]} className="wall" />
 * ```
 */
export function CameraGrid(props: CameraGridProps): ReactNode {
  const { url, slots, options, label = 'Cameras', className, tileClassName, onSelect } = props;
  const { client, statuses, state, error, reconnecting } = useMultiStream(url, slots, options);
  // An error of one slot is shown on its tile, but for a refusal, which leaves the tile as it is.
  const isOwn = error?.slot === undefined || error.kept;
  const trouble = (isOwn ? error?.message : undefined) ?? reconnecting?.reason;
  return (
    <section className={className} data-state={state} aria-label={label}>
      {slots.map(({ slot, stream }) => (
        <CameraTile
          key={slot}
          slot={slot}
          client={client}
          status={statuses.get(slot)}
          // What was asked for is the caption only while nothing is shown of anything.
          label={statuses.get(slot)?.camera ?? stream}
          className={tileClassName}
          onSelect={onSelect}
        />
      ))}
      <p role="alert" hidden={trouble === undefined}>
        {trouble}
      </p>
    </section>
  );
}
