import { Button, Progress, Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { cancelBacktest, readBacktest, startBacktest } from '@gatehouse/client/policy.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useDo, question } from '../../kit/ask.ts';
import { useConnectors } from '../../kit/choose.tsx';
import { Days, type DayCounts, type Series } from '../../kit/days.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { count, countOf } from '../../kit/words.ts';
import { both, type Wish } from './draft.ts';
import c from './policy.module.css';

export type Backtest = OutputOf<typeof readBacktest>;
type Report = NonNullable<Backtest['report']>;
type Change = Pick<Report['changes'][number], 'from' | 'to'>;

const series: readonly Series[] = [
  { key: 'denied', name: 'newly denied', tone: 'negative', fill: 'hatched' },
  { key: 'held', name: 'newly held', tone: 'held', fill: 'solid' },
  { key: 'unasked', name: 'no longer held', tone: 'positive', fill: 'outlined', down: true },
  { key: 'allowed', name: 'no longer denied', tone: 'info', fill: 'hatched', down: true },
];
const kindOf = ({ from, to }: Change): string =>
  to === 'denied' ? 'denied' : from === 'denied' ? 'allowed' : to === 'asks' ? 'held' : 'unasked';

const then = { allowed: 'ran unasked', asks: 'were held', denied: 'were denied' } as const;
const would = { allowed: 'run unasked', asks: 'be held', denied: 'be denied' } as const;

function daysOf(r: Report): DayCounts[] {
  const days = new Map<string, Record<string, number>>();
  for (const d of r.days ?? []) {
    const counts = days.get(d.day) ?? {};
    counts[kindOf(d)] = (counts[kindOf(d)] ?? 0) + d.calls;
    days.set(d.day, counts);
  }
  return [...days].map(([day, counts]) => ({ day, counts }));
}

/** The answer in one sentence. */
export function saysOf(r: Report): string {
  const parts = r.changes.map((x) => `${countOf(x.calls, 'call')} that ${then[x.from]} would ${would[x.to]}`);
  return `Of ${countOf(r.calls, 'call')}, ${count(r.changed)} would have ended differently${parts.length > 0 ? `: ${both(parts)}` : ''}.`;
}

/** What a draft would have done to recorded calls: by day, by person, by tool, with examples. */
export function BacktestReport({ of: b }: { of: Backtest }) {
  const connectors = useConnectors();
  const { report: r } = b;
  if (!r) return null;
  const unknown = Object.values(r.unknown).reduce((n, x) => n + x, 0);
  const people = new Map<string, { name: string; calls: number }>();
  for (const p of r.people.items) {
    const known = people.get(p.user) ?? { name: p.person ?? p.user, calls: 0 };
    people.set(p.user, { ...known, calls: known.calls + p.calls });
  }
  const lines = [...people.entries()].toSorted(([, x], [, y]) => y.calls - x.calls);
  const most = Math.max(1, ...lines.map(([, p]) => p.calls));
  const examples = r.changes.flatMap((x) => x.examples).slice(0, 20);
  return (
    <div className={c.bt}>
      <div className={c.dialog}>
        <Days
          name="Calls that would end differently"
          series={series}
          rows={daysOf(r)}
          from={b.since}
          to={b.until}
          says={saysOf(r)}
        />
        <p className="gh-xs gh-3">
          {countOf(r.same, 'call')} would end as they did. {countOf(r.notAsked, 'call')} ended before policy was asked.
          {unknown > 0 &&
            ` ${countOf(unknown, 'call')} cannot be asked about again: what they were decided on is not kept.`}
        </p>
        {r.tools.items.length > 0 && (
          <div className="gh-scroll" tabIndex={0} role="region" aria-label="By tool">
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Tool</th>
                  <th>Then</th>
                  <th>Would</th>
                  <th className="r">Calls</th>
                </tr>
              </thead>
              <tbody>
                {r.tools.items.slice(0, 12).map((t) => (
                  <tr key={`${t.connector} ${t.tool} ${t.from} ${t.to}`}>
                    <td>
                      <span className="gh-mono">{t.tool}</span>{' '}
                      <span className="gh-3">of {connectors.nameOf(t.connector)}</span>
                    </td>
                    <td>{then[t.from]}</td>
                    <td>{would[t.to]}</td>
                    <td className="r">{count(t.calls)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {r.tools.items.length + r.tools.more > 12 && (
              <p className="gh-xs gh-3">and {count(r.tools.items.length + r.tools.more - 12)} more lines</p>
            )}
          </div>
        )}
      </div>
      <div className={c.dialog}>
        <div>
          <h3>Whose calls</h3>
          {lines.length === 0 ? (
            <p className="gh-s gh-2">Nobody’s.</p>
          ) : (
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Person</th>
                  <th className="r">Calls</th>
                  <th style={{ width: '36%' }}>
                    <span className="gh-vh">Share</span>
                  </th>
                </tr>
              </thead>
              <tbody className="gh-tone gh-held">
                {lines.slice(0, 8).map(([id, p]) => (
                  <tr key={id}>
                    <td>{p.name}</td>
                    <td className="r">{count(p.calls)}</td>
                    <td>
                      <i className={c.bar} style={{ width: `${(p.calls / most) * 100}%` }} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {lines.length > 8 && <p className="gh-xs gh-3">and {countOf(lines.length - 8, 'person', 'people')} more</p>}
        </div>
        {examples.length > 0 && (
          <details>
            <summary className="gh-s">
              Look at {examples.length === 1 ? '1 example' : `${examples.length} examples`}
            </summary>
            <ul className={c.examples}>
              {examples.map((e) => (
                <li key={e.call}>
                  <span>
                    {e.person ?? e.user}, <span className="gh-mono">{e.tool}</span>{' '}
                    <span className="gh-3">of {connectors.nameOf(e.connector)}</span>
                    <br />
                    <span className="gh-3">
                      {then[e.from]}, would {would[e.to]}
                    </span>
                  </span>
                  <At at={e.at} />
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

/** How far a backtest is, and what came of it; it runs on when nobody looks. */
export function BacktestRun({ id }: { id: string }) {
  const org = useOrg();
  const { data: b } = useQuery({
    ...question(readBacktest, { org, backtest: id }),
    refetchInterval: (q) => (['waiting', 'running'].includes(q.state.data?.state ?? 'waiting') ? 700 : false),
  });
  const cancel = useDo(cancelBacktest);
  if (!b) return null;
  if (b.state === 'done') return <BacktestReport of={b} />;
  if (b.state === 'failed') return <State is="failed">It failed: {b.says ?? 'for a reason that was not told'}.</State>;
  if (b.state === 'cancelled') return <State is="no">It was cancelled after {countOf(b.seen, 'call')}.</State>;
  const part = b.calls === 0 ? 0 : (b.seen / b.calls) * 100;
  return (
    <div className={c.dialog} role="status">
      <div className="gh-line">
        <Progress value={part} aria-label="Calls looked at" className="gh-grow" color="info" />
        <span className="gh-xs gh-num">
          {count(b.seen)} of {count(b.calls)} calls
        </span>
        <Button size="sm" loading={cancel.busy} onClick={() => void cancel.run({ org, backtest: id, body: {} })}>
          Cancel it
        </Button>
      </div>
      <p className="gh-xs gh-3">You can leave; the report will be under Backtests.</p>
      <Problem of={cancel.refusal} />
    </div>
  );
}

const periods = [7, 30, 90].map((d) => ({ value: String(d), label: `${d} days` }));

/** Asks the recorded calls of some days of a draft. */
export function StartBacktest({ changes, onStarted }: { changes: readonly Wish[]; onStarted(id: string): void }) {
  const org = useOrg();
  const [days, setDays] = useState('30');
  const start = useDo(startBacktest);
  const run = async (): Promise<void> => {
    const b = await start.run({ org, body: { days: Number(days), draft: { changes: [...changes] } } });
    if (b) onStarted(b.id);
  };
  return (
    <>
      <div className={c.row}>
        <Select
          label="Recorded calls of the last"
          data={periods}
          value={days}
          onChange={(d) => d !== null && setDays(d)}
        />
        <Button loading={start.busy} onClick={() => void run()}>
          Ask them of the draft
        </Button>
      </div>
      <Problem of={start.refusal} />
    </>
  );
}
