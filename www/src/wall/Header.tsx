// The bar above the tiles: the state of the connection, and the controls of the whole page.
import { Icon, type IconName } from '../ui/icons';
import { Menu } from '../ui/Menu';
import type { Theme } from '../ui/theme';
import { LayoutIcon } from './LayoutIcon';
import type { Layout } from './layouts';
import { INTERVALS_S, type TourState } from './tour';

interface Props {
  /** The connection's state, for programs and in words. */
  state: string;
  words: string;
  reason: string | undefined;
  /** How many tiles have no live picture. */
  troubled: number;
  onTroubled: () => void;
  layouts: readonly Layout[];
  layout: Layout;
  onLayout: (layout: Layout) => void;
  tour: { state: TourState; intervalS: number | null; onInterval: (intervalS: number | null) => void };
  theme: Theme;
  onTheme: () => void;
  listOpen: boolean;
  onList: () => void;
  statsOpen: boolean;
  onStats: () => void;
  onHelp: () => void;
}

const OFF = 'off';

export function Header(props: Props) {
  const { layouts, layout, tour, theme } = props;
  return (
    <header>
      <Control
        name="list"
        icon="list"
        label="Cameras"
        pressed={props.listOpen}
        onClick={props.onList}
        controls="cameras"
      />
      <h1>Multistream</h1>
      <p className="connection" data-state={props.state} role="status">
        <span className="dot" aria-hidden="true" />
        <span className="words" title={props.reason}>
          {props.words} {props.reason}
        </span>
      </p>
      {props.troubled > 0 && (
        <button
          type="button"
          className="troubled"
          title="Selects the next tile without a live picture"
          onClick={props.onTroubled}
        >
          Show
        </button>
      )}
      <fieldset className="layouts" aria-label="Layout">
        {layouts.map((choice) => (
          <button
            key={choice.name}
            type="button"
            data-layout={choice.name}
            aria-label={choice.label}
            title={choice.label}
            aria-pressed={choice.name === layout.name}
            onClick={() => props.onLayout(choice)}
          >
            <LayoutIcon layout={choice} />
          </button>
        ))}
      </fieldset>
      <div className="controls">
        <Menu
          className="tour"
          label={`Tour: ${tour.state}`}
          choices={[
            { value: OFF, text: 'no tour' },
            ...intervals(tour.intervalS).map((seconds) => ({
              value: String(seconds),
              text: `every ${seconds} s`,
            })),
          ]}
          value={tour.intervalS === null ? OFF : String(tour.intervalS)}
          onChoice={(value) => tour.onInterval(value === OFF ? null : Number(value))}
        >
          <Icon name={tour.state === 'paused' ? 'pause' : 'play'} />
          <span className="label">Tour</span>
          {tour.intervalS !== null && (
            <span className="value">{tour.state === 'running' ? `${tour.intervalS} s` : tour.state}</span>
          )}
        </Menu>
        <Control
          name="stats"
          icon="stats"
          label="Statistics"
          pressed={props.statsOpen}
          onClick={props.onStats}
          controls="stats"
        />
        <Control
          name="theme"
          icon={theme === 'dark' ? 'sun' : 'moon'}
          label={theme === 'dark' ? 'Light' : 'Dark'}
          onClick={props.onTheme}
        />
        <Control name="help" icon="help" label="Help" onClick={props.onHelp} />
      </div>
    </header>
  );
}

interface ControlProps {
  name: string;
  icon: IconName;
  label: string;
  pressed?: boolean;
  controls?: string;
  onClick: () => void;
}

/** A button of the bar. Its label is visible when there is enough space. */
function Control({ name, icon, label, pressed, controls, onClick }: ControlProps) {
  return (
    <button
      type="button"
      className={name}
      aria-label={label}
      title={label}
      aria-expanded={pressed}
      aria-controls={pressed ? controls : undefined}
      onClick={onClick}
    >
      <Icon name={icon} />
      <span className="label">{label}</span>
    </button>
  );
}

/** The menu's intervals, with the current one, which the address may have set to another value. */
function intervals(current: number | null): number[] {
  return [...new Set([...INTERVALS_S, ...(current === null ? [] : [current])])].sort((a, b) => a - b);
}
