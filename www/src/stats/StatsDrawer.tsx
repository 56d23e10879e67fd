// The panel of statistics: the connection, the switches of this session, and four plots for each tile.
import type { ConnectionPath, MultiStreamClient } from 'multistream-client';
import { Icon } from '../ui/icons';
import { Histogram } from './Histogram';
import type { Meters } from './meters';
import { Sparkline } from './Sparkline';
import { type History, useReadings } from './stats-history';

interface Props {
  client: MultiStreamClient | null;
  meters: Meters;
  /** The visible tiles, with their streams. */
  slots: readonly { slot: number; stream: string }[];
  onClose: () => void;
}

const WAYS: Record<ConnectionPath['type'], (protocol: string) => string> = {
  host: (protocol) => `${protocol}, direct`,
  srflx: (protocol) => `${protocol}, through an address translation`,
  prflx: (protocol) => `${protocol}, through an address translation`,
  relay: (protocol) => `${protocol}, over a relay`,
};

export function StatsDrawer({ client, meters, slots, onClose }: Props) {
  const numbers = slots.map(({ slot }) => slot);
  const { histories, path } = useReadings(client, numbers, meters);
  return (
    <aside className="panel stats-panel" id="stats" aria-label="Statistics">
      <h2>
        Statistics
        <button type="button" aria-label="Close the statistics" onClick={onClose}>
          <Icon name="close" />
        </button>
      </h2>
      <section>
        <h3>Connection</h3>
        <dl className="facts">
          <dt>Transport</dt>
          <dd data-fact="transport">{path ? WAYS[path.type](path.protocol.toUpperCase()) : '–'}</dd>
          <dt>Server</dt>
          <dd data-fact="server">{path?.serverAddress ?? '–'}</dd>
          <dt>Round trip</dt>
          <dd data-fact="rtt">{path?.rttMs === undefined ? '–' : `${path.rttMs.toFixed(1)} ms`}</dd>
        </dl>
      </section>
      <section>
        <h3>Switches</h3>
        <Histogram timesMs={meters.switchTimes} />
      </section>
      {slots.map(({ slot, stream }) => (
        <SlotSection key={slot} slot={slot} stream={stream} history={histories.get(slot)} />
      ))}
      <p className="hint">
        Delay: from the network to the screen, without the camera and the way here. Drops: packets lost and
        frames dropped per second.
      </p>
    </aside>
  );
}

interface SlotProps {
  slot: number;
  stream: string;
  history: History | undefined;
}

function SlotSection({ slot, stream, history }: SlotProps) {
  const samples = history?.samples ?? [];
  const last = samples.at(-1);
  const { width, height, codec } = history?.latest ?? {};
  const plots = [
    { name: 'fps', text: last?.fps.toFixed(0), values: samples.map(({ fps }) => fps) },
    { name: 'Mbit/s', text: megabits(last?.bitrateBps), values: samples.map(({ bitrateBps }) => bitrateBps) },
    { name: 'delay', text: milliseconds(last?.delayMs), values: samples.map(({ delayMs }) => delayMs) },
    { name: 'drops', text: last?.drops.toFixed(0), values: samples.map(({ drops }) => drops) },
  ];
  return (
    <section className="slot-stats" data-slot-stats={slot}>
      <h3>
        <span className="name">
          {slot + 1} {stream}
        </span>
        <span className="what">{width ? `${codec} ${width} × ${height}` : 'no picture'}</span>
      </h3>
      <dl>
        {plots.map(({ name, text, values }) => (
          <div key={name} data-plot={name}>
            <dt>{name}</dt>
            <dd>
              {text ?? '–'}
              <Sparkline label={`${name} of tile ${slot + 1}`} values={values} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function megabits(bps: number | undefined): string | undefined {
  return bps === undefined ? undefined : (bps / 1e6).toFixed(2);
}

function milliseconds(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${ms.toFixed(0)} ms`;
}
