// A line plot of the last minute: the newest second is at the right, and the top is the highest value.
import { KEPT } from './stats-history';

interface Props {
  /** What the plot shows, for screen readers. */
  label: string;
  values: readonly (number | undefined)[];
}

const HEIGHT = 20;

export function Sparkline({ label, values }: Props) {
  const top = Math.max(1, ...values.map((value) => value ?? 0));
  const points = values.flatMap((value, at) => {
    if (value === undefined) return [];
    const x = KEPT - values.length + at;
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    return [`${x},${y.toFixed(1)}`];
  });
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${KEPT - 1} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}, the last minute`}
    >
      <polyline points={points.join(' ')} />
    </svg>
  );
}
