import { SegmentedControl } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import c from './days.module.css';
import { count, day } from './words.ts';

/** One kind of thing that is counted by day. Series differ by fill before hue; `down` stands below the line. */
export type Series = {
  key: string;
  name: string;
  tone: 'held' | 'positive' | 'negative' | 'caution' | 'info' | 'neutral';
  fill: 'solid' | 'hatched' | 'outlined';
  down?: boolean;
};
export type DayCounts = { day: string; counts: Readonly<Record<string, number>> };

const DAY = 86_400_000;
/** Every day of a period, also those on which there was nothing. */
function filled(rows: readonly DayCounts[], from: string, to: string): DayCounts[] {
  const known = new Map(rows.map((r) => [r.day, r]));
  const first = Date.parse(`${from.slice(0, 10)}T00:00:00Z`);
  const days = Math.min(366, Math.floor((Date.parse(to) - first) / DAY) + 1);
  return Array.from({ length: days }, (_, i) => {
    const at = new Date(first + i * DAY).toISOString().slice(0, 10);
    return known.get(at) ?? { day: at, counts: {} };
  });
}
const short = (at: string): string => day(`${at}T00:00:00Z`).replace(/ \d{4}$/, '');

/** A few days to write under the picture: the first, the last and some between. */
function marks(days: readonly DayCounts[]): string[] {
  const n = Math.min(5, days.length);
  return Array.from({ length: n }, (_, i) => days[Math.round((i * (days.length - 1)) / Math.max(1, n - 1))]?.day ?? '');
}

/** Counts by day as a picture and as a table. The sentence above it, which gives the answer, is the caller's; days are UTC. */
export function Days({
  name,
  series,
  rows,
  from,
  to,
  says,
}: {
  name: string;
  series: readonly Series[];
  rows: readonly DayCounts[];
  from: string;
  to: string;
  says: ReactNode;
}) {
  const [as, setAs] = useState('picture');
  const days = filled(rows, from, to);
  const shown = series.filter((s) => days.some((d) => (d.counts[s.key] ?? 0) > 0));
  const sum = (s: Series): number => days.reduce((n, d) => n + (d.counts[s.key] ?? 0), 0);
  const reach = (down: boolean): number =>
    Math.max(
      0,
      ...days.map((d) =>
        series.filter((s) => (s.down ?? false) === down).reduce((n, s) => n + (d.counts[s.key] ?? 0), 0),
      ),
    );
  const [above, below] = [Math.max(1, reach(false)), reach(true)];
  const stack = (d: DayCounts, down: boolean): ReactNode =>
    series
      .filter((s) => (s.down ?? false) === down && (d.counts[s.key] ?? 0) > 0)
      .map((s) => (
        <i
          key={s.key}
          className={`gh-tone gh-${s.tone} ${c[s.fill]}`}
          style={{ height: `${((d.counts[s.key] ?? 0) / (down ? below : above)) * 100}%` }}
        />
      ));
  const told = shown.map((s) => `${s.name} ${count(sum(s))}`).join(', ');
  return (
    <div className={c.days}>
      <div className={c.head}>
        <p className={c.says}>{says}</p>
        <SegmentedControl
          aria-label={`Show ${name} as`}
          value={as}
          onChange={setAs}
          data={[
            { value: 'picture', label: 'Picture' },
            { value: 'table', label: 'Table' },
          ]}
        />
      </div>
      {as === 'picture' ? (
        <figure>
          <div
            className={c.chart}
            role="img"
            aria-label={`${name} by day from ${short(days[0]?.day ?? '')} to ${short(days.at(-1)?.day ?? '')}: ${told || 'none'}; at most ${above} a day. Also as a table.`}
          >
            <div className={c.axis} aria-hidden>
              <span>{count(above)}</span>
              <span>0</span>
            </div>
            <div className={c.plot} style={{ gridTemplateRows: below > 0 ? '112px 40px' : '112px' }} aria-hidden>
              {days.map((d) => (
                <span key={d.day} className={c.up} title={short(d.day)}>
                  {stack(d, false)}
                </span>
              ))}
              {below > 0 &&
                days.map((d) => (
                  <span key={d.day} className={c.down}>
                    {stack(d, true)}
                  </span>
                ))}
            </div>
            <div className={c.marks} aria-hidden>
              {marks(days).map((m) => (
                <span key={m}>{short(m)}</span>
              ))}
            </div>
          </div>
          <figcaption className={`gh-s ${c.key}`}>
            {shown.map((s) => (
              <span key={s.key}>
                <i className={`gh-tone gh-${s.tone} ${c[s.fill]}`} /> {s.name}, {count(sum(s))}
              </span>
            ))}
          </figcaption>
        </figure>
      ) : (
        <div className={`gh-scroll ${c.table}`} tabIndex={0} role="region" aria-label={`${name} by day`}>
          <table className="gh-table">
            <thead>
              <tr>
                <th>Day, UTC</th>
                {series.map((s) => (
                  <th key={s.key} className="r">
                    {s.name.slice(0, 1).toUpperCase() + s.name.slice(1)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days.map((d) => (
                <tr key={d.day}>
                  <td>{short(d.day)}</td>
                  {series.map((s) => (
                    <td key={s.key} className="r">
                      {count(d.counts[s.key] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
