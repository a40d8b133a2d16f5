import { useState } from 'react';
import { clock, count, day } from '../../kit/words.ts';
import type { Totals } from './use-log.ts';
import c from './audit.module.css';

type Picture = NonNullable<Totals['picture']>;

const minutes = (ms: number): string => {
  const m = ms / 60_000;
  if (m < 1) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return m < 90 ? `${Math.round(m)} min` : m < 60 * 36 ? `${Math.round(m / 60)} h` : `${Math.round(m / 1440)} days`;
};
const short = (at: string): string => `${day(at)} ${clock(at).slice(0, 5)}`;

/** When the events were that were found: bars, whose dark caps did not end as answered; the same as a table for whoever asks. */
export function Strip({ picture }: { picture: Picture }) {
  const [table, setTable] = useState(false);
  const { intervals } = picture;
  const top = Math.max(1, ...intervals.map((i) => i.count));
  const step = (Date.parse(picture.to) - Date.parse(picture.from)) / intervals.length;
  const sum = intervals.reduce((n, i) => n + i.count, 0);
  const odd = intervals.reduce((n, i) => n + i.odd, 0);
  return (
    <div className={c.tools}>
      <div
        className={c.strip}
        role="img"
        aria-label={`${count(sum)} events between ${short(picture.from)} and ${short(picture.to)} UTC; ${count(odd)} of them did not end as answered. Available as a table.`}
      >
        {intervals.map((i) => (
          <i key={i.at}>
            <s style={{ height: `${(Math.min(i.odd, i.count) / top) * 100}%` }} />
            <u style={{ height: `${(Math.max(i.count - i.odd, 0) / top) * 100}%` }} />
          </i>
        ))}
      </div>
      <div className={c.ends}>
        <span>{short(picture.from)}</span>
        <span>
          events per {minutes(step)}; the caps were not answered{' '}
          <button
            type="button"
            className={`gh-plain ${c.asTable}`}
            aria-expanded={table}
            onClick={() => setTable(!table)}
          >
            {table ? 'Picture only' : 'As a table'}
          </button>
        </span>
        <span>{short(picture.to)}</span>
      </div>
      {table && (
        <div className={c.figures} tabIndex={0} role="region" aria-label="Events by time">
          <table className="gh-table">
            <thead>
              <tr>
                <th>From, UTC</th>
                <th className="r">Events</th>
                <th className="r">Not answered</th>
              </tr>
            </thead>
            <tbody>
              {intervals
                .filter((i) => i.count > 0)
                .map((i) => (
                  <tr key={i.at}>
                    <td>{short(i.at)}</td>
                    <td className="r">{count(i.count)}</td>
                    <td className="r">{count(i.odd)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
