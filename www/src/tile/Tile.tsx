// A tile: its picture, its status, and its tools.
import type { ClientState, MultiStreamClient, SlotStatus } from 'multistream-client';
import type { PackedTile } from 'multistream-client/wall';
import { type CSSProperties, type MouseEvent, type PointerEvent, useEffect, useRef } from 'react';
import { AUTO, type Choice } from '../cameras/choice';
import type { Meters } from '../stats/meters';
import { Icon } from '../ui/icons';
import { Menu } from '../ui/Menu';
import { caption, startsAs } from './caption';
import { useFrames } from './frames';
import { Minimap } from './Minimap';
import { useOfflineSince } from './offline-since';
import { usePicture } from './picture';
import { useStarting } from './starting';
import { stretch } from './stretch';
import { saveSnapshot, toggleFullScreen } from './tile-element';
import { useZoom } from './use-zoom';
import { transformOf, WHOLE, type Zoom } from './zoom';

interface Props {
  slot: number;
  choice: Choice;
  client: MultiStreamClient | null;
  state: ClientState;
  status: SlotStatus | undefined;
  /** The qualities to choose from besides `auto`; `undefined`: the quality cannot be changed. */
  qualities?: readonly string[];
  /** Whether the keyboard and the list of cameras act on this tile. */
  selected?: boolean;
  /** Whether the tile fills the whole grid. */
  enlarged?: boolean;
  /** Whether only a larger layout has this tile. It keeps its slot, so that its picture is there at once in that layout. */
  hidden?: boolean;
  meters?: Meters;
  /** Whether something is being dragged over it. */
  target?: boolean;
  /** Where the tile is in a wall without a grid. */
  packed?: PackedTile | undefined;
  /** Which part of the picture is shown; `undefined`: the tile cannot be zoomed. */
  zoom?: Zoom;
  onZoom?: (zoom: Zoom) => void;
  /** Asks for the next camera, or for the one before it. */
  onSwipe?: (by: 1 | -1) => void;
  onSelect?: () => void;
  onChoose?: () => void;
  onEnlarge?: () => void;
  onQuality?: (quality: string) => void;
  onPress?: ((event: PointerEvent) => void) | undefined;
}

export function Tile(props: Props) {
  const { slot, choice, client, state, status, qualities, enlarged, meters } = props;
  const video = useRef<HTMLVideoElement>(null);
  const figure = useRef<HTMLElement>(null);
  useEffect(() => {
    if (client && video.current) return client.attach(slot, video.current);
  }, [client, slot]);
  // The caption is that of what is shown.
  const camera = status?.camera ?? choice.stream;
  const picture = usePicture(client, slot, status);
  useFrames(video, (frame) => meters?.frame(slot, frame));
  const { zoom = WHOLE, onZoom } = props;
  const onSwipe = (by: 1 | -1) => props.onSwipe?.(by);
  useZoom(
    figure,
    onZoom && { zoom, onZoom, onSwipe, selected: props.selected === true, enlarged: enlarged === true },
  );
  const isZoomed = zoom.scale > 1;
  const offlineSince = useOfflineSince(status);
  const known = { client: state, status, picture, offlineSince };
  const starting = useStarting(client, slot, choice, startsAs(known));
  const { status: word, tone, text, detail } = caption({ ...known, startingForS: starting.forS });
  return (
    <figure
      ref={figure}
      className="tile"
      hidden={props.hidden}
      style={props.packed && at(props.packed)}
      data-caption={isZoomed ? 'over' : props.packed?.caption}
      data-cell={slot}
      data-slot={slot}
      data-stream={status?.stream ?? choice.stream}
      data-status={word}
      data-picture={picture.state}
      data-tone={tone}
      data-selected={props.selected || undefined}
      data-enlarged={enlarged || undefined}
      data-target={props.target || undefined}
      data-zoomed={isZoomed || undefined}
    >
      <video
        ref={video}
        muted
        autoPlay
        playsInline
        aria-label={camera}
        style={{ '--stretch': stretch(status), transform: transformOf(zoom) } as CSSProperties}
      />
      {isZoomed && <Minimap video={video} zoom={zoom} />}
      {tone !== 'live' && (
        <p className="notice">
          {tone === 'wait' && <span className="spinner" aria-hidden="true" />}
          {detail ?? text}
        </p>
      )}
      <figcaption>
        <span className="dot" aria-hidden="true" />
        <strong>{camera}</strong>
        <span className="quality">{qualityShown(choice, status)}</span>
        <span className="state">{text}</span>
      </figcaption>
      {props.onSelect && <Surface {...props} onPress={isZoomed ? undefined : props.onPress} text={text} />}
      {starting.forS !== undefined && (
        <button type="button" className="retry" onClick={starting.retry}>
          Retry
        </button>
      )}
      {qualities && (
        <div className="tools">
          {props.onChoose && <Tool icon="choose" label="Choose camera or quality" onClick={props.onChoose} />}
          <Menu
            className="tool quality-menu"
            label={`Quality of tile ${slot + 1}: ${choice.quality}`}
            choices={[AUTO, ...qualities].map((value) => ({ value, text: value }))}
            value={choice.quality}
            onChoice={(quality) => props.onQuality?.(quality)}
          >
            {choice.quality}
          </Menu>
          <Tool
            icon="camera"
            label="Save the picture"
            disabled={tone !== 'live'}
            onClick={() => figure.current && saveSnapshot(figure.current)}
          />
          {props.onEnlarge && (
            <Tool
              icon={enlarged ? 'shrink' : 'enlarge'}
              label={enlarged ? 'Back to the wall' : 'Enlarge'}
              onClick={props.onEnlarge}
            />
          )}
          <Tool
            icon="screen"
            label="Full screen"
            onClick={() => figure.current && toggleFullScreen(figure.current)}
          />
        </div>
      )}
    </figure>
  );
}

/** The area that takes clicks, double clicks and drags: all of the tile below its tools. */
function Surface({ slot, choice, text, onSelect, onChoose, onEnlarge, onPress }: Props & { text: string }) {
  const onClick = (event: MouseEvent<HTMLElement>) => {
    // Not every browser focuses a button that is clicked.
    event.currentTarget.focus();
    // A press of the space bar is a click without a count.
    if (event.detail === 0) onChoose?.();
    else if (event.detail === 2) onEnlarge?.();
  };
  return (
    <button
      type="button"
      className="choose"
      aria-label={`Tile ${slot + 1}: ${choice.stream}, ${text}. Space chooses camera or quality.`}
      onClick={onClick}
      onFocus={onSelect}
      onPointerDown={onPress}
    />
  );
}

function at({ cell: { x, y, width, height } }: PackedTile) {
  return { left: x, top: y, width, height };
}

interface ToolProps {
  icon: 'camera' | 'choose' | 'enlarge' | 'shrink' | 'screen';
  label: string;
  disabled?: boolean;
  onClick: () => void;
}

function Tool({ icon, label, disabled, onClick }: ToolProps) {
  return (
    <button
      type="button"
      className="tool"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A cell without a camera. */
export function VacantTile({
  cell,
  selected,
  target,
  packed,
  onSelect,
  onChoose,
}: {
  cell: number;
  selected: boolean;
  target: boolean;
  packed?: PackedTile | undefined;
  onSelect: () => void;
  onChoose: () => void;
}) {
  return (
    <figure
      className="tile vacant"
      style={packed && at(packed)}
      data-cell={cell}
      data-selected={selected || undefined}
      data-target={target || undefined}
    >
      <button
        type="button"
        className="choose"
        aria-label={`Tile ${cell + 1}: empty. Choose a camera.`}
        onClick={onChoose}
        onFocus={onSelect}
      >
        Choose a camera
      </button>
    </figure>
  );
}

function qualityShown({ quality }: Choice, status: SlotStatus | undefined): string {
  const size = status?.width && status.height ? `${status.width} × ${status.height}` : '';
  const actual = status?.actualQuality ?? (quality === AUTO ? 'native' : quality);
  return actual === 'native' ? size : actual;
}
