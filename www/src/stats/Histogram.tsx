// A histogram of the times that the switches of this session took.

interface Props {
  timesMs: readonly number[];
}

/** Where each bar begins, in ms; the last one has no end. */
const BARS_MS: readonly number[] = [0, 25, 50, 100, 200, 400, 800];

export function Histogram({ timesMs }: Props) {
  if (timesMs.length === 0) return <p className="hint">Nothing was switched yet.</p>;
  const counts = BARS_MS.map((from, at) => {
    const to = BARS_MS[at + 1] ?? Number.POSITIVE_INFINITY;
    return timesMs.filter((time) => time >= from && time < to).length;
  });
  const highest = Math.max(...counts);
  const sorted = [...timesMs].sort((a, b) => a - b);
  const quantile = (q: number) => Math.round(sorted[Math.ceil(sorted.length * q) - 1] ?? 0);
  return (
    <>
      <p className="switch-summary">
        <strong>{timesMs.length}</strong> {timesMs.length === 1 ? 'switch' : 'switches'}, median{' '}
        <strong>{quantile(0.5)} ms</strong>, 95 % within <strong>{quantile(0.95)} ms</strong>
      </p>
      <ol className="histogram" aria-label="Switches by the time they took">
        {counts.map((count, at) => (
          <li key={BARS_MS[at]} data-count={count}>
            <span className="count">{count || ''}</span>
            <span className="bar" style={{ height: `${(count / highest) * 44}px` }} />
            <span className="from">
              {BARS_MS[at]}
              <span className="hidden"> ms or more: {count}</span>
            </span>
          </li>
        ))}
      </ol>
      <p className="hint">Milliseconds from the wish to the new picture on the screen.</p>
    </>
  );
}
