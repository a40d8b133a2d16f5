import { useEffect, useState } from 'react';
import { moment } from '../../kit/words.ts';
import c from './approvals.module.css';

const two = (n: number): string => String(n).padStart(2, '0');

/** Counts down to when a request expires; tells once when it has. */
export function TimeLeft({ until, onOver }: { until: string; onOver(): void }) {
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.floor((Date.parse(until) - now) / 1000));
  const over = left === 0;
  useEffect(() => {
    const t = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(t);
  }, []);
  useEffect(() => {
    // Told when the time is over, not whenever somebody else listens.
    if (over) onOver();
  }, [over]);
  const hours = Math.floor(left / 3600);
  return (
    <span className={c.clock} role="timer" aria-label="Time left" title={moment(until)}>
      {hours > 0 ? `${hours}:${two(Math.floor(left / 60) % 60)}` : Math.floor(left / 60)}:{two(left % 60)}
    </span>
  );
}
