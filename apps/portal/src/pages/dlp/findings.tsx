import { Drawer, Select } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { countFindings, listBaseline, listFindings } from '@gatehouse/client/dlp.ts';
import { Facts, Hash, Head, Section } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { Days, type Series } from '../../kit/days.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { count, countOf, moment } from '../../kit/words.ts';
import { To } from '../../shell/rooms.tsx';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';
import { Found } from './found.tsx';
import { ActionState, actionDone, classesOf, isPhase, phaseNames, useClasses, type FoundIn } from './words.tsx';

const DAY = 86_400_000;
const shown = { days: 30, found: '' };
const periods = [7, 30, 90, 365];
const daysOf = (n: number): number => (periods.includes(n) ? n : shown.days);
/** From the beginning of a day, so that the same question is asked all day. */
const periodOf = (days: number): { from: string; to: string } => {
  const to = Math.ceil(Date.now() / DAY) * DAY;
  return { from: new Date(to - days * DAY).toISOString(), to: new Date(to).toISOString() };
};
const queryOf = (found: string) => (found === '' ? {} : { detector: found });

export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(listBaseline, classesOf(org)),
    ask(countFindings, { org, query: periodOf(daysOf(Number(search['days']))) }),
    askRows(listFindings, {
      org,
      query: { ...queryOf(search['found'] ?? ''), ...(search['q'] ? { q: search['q'] } : {}) },
    }),
  ]);

const series: readonly Series[] = [
  { key: 'block', name: 'stopped', tone: 'negative', fill: 'solid' },
  { key: 'quarantine', name: 'kept for review', tone: 'held', fill: 'solid' },
  { key: 'require_approval', name: 'asked first', tone: 'held', fill: 'hatched' },
  { key: 'redact', name: 'taken out', tone: 'info', fill: 'hatched' },
  { key: 'alert', name: 'passed and told', tone: 'neutral', fill: 'solid' },
  { key: 'allow', name: 'passed', tone: 'neutral', fill: 'outlined' },
];

/** What was found in content: by day, by what it is, and each time. Never the match. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(shown);
  const days = daysOf(at.days);
  const period = useMemo(() => periodOf(days), [days]);
  const counted = useAsk(countFindings, { org, query: period });
  const classes = useClasses();
  const connectors = useConnectors();
  const [open, setOpen] = useState<FoundIn>();
  const events = counted.days.reduce((n, d) => n + d.events, 0);
  const stopped = counted.days
    .filter((d) => d.action === 'block' || d.action === 'quarantine')
    .reduce((n, d) => n + d.events, 0);
  const rows = [...Map.groupBy(counted.days, (d) => d.day)].map(([day, all]) => ({
    day,
    counts: Object.fromEntries(all.map((d) => [d.action, d.events])),
  }));
  const most = Math.max(1, ...counted.detectors.map((d) => d.events));
  const whatOf = (f: FoundIn): string => [...new Set(f.findings.map((x) => classes.nameOf(x.detector)))].join(', ');
  const whereOf = (f: FoundIn): string =>
    f.tool === null
      ? isPhase(f.phase)
        ? phaseNames[f.phase]
        : ''
      : `${f.tool}${f.connector === null ? '' : ` of ${connectors.nameOf(f.connector)}`}`;
  return (
    <div className="gh-page">
      <Head
        room="DLP"
        roomHref={`/portal/${org}/dlp/findings`}
        title="Findings"
        actions={
          <Select
            aria-label="Period"
            data={periods.map((n) => ({ value: String(n), label: `${n} days` }))}
            value={String(days)}
            onChange={(n) => set({ days: Number(n ?? shown.days) })}
            w={120}
          />
        }
      >
        What was found in content on its way: what it is, where, and how often. The text itself is not kept.
      </Head>
      <div className={c.cols}>
        <Section title="By day" note="UTC, by what was done">
          <Days
            name="Events with findings"
            series={series}
            rows={rows}
            from={counted.from}
            to={new Date(Date.parse(counted.to) - 1).toISOString()}
            says={
              events === 0
                ? `Nothing was found in ${days} days.`
                : `Something was found ${countOf(events, 'time')} in ${days} days; ${count(stopped)} of them did not pass.`
            }
          />
        </Section>
        <Section title="What it is">
          {counted.detectors.length === 0 ? (
            <p className="gh-s gh-2">Nothing yet.</p>
          ) : (
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Found</th>
                  <th className="r">Times</th>
                  <th style={{ width: '36%' }}>
                    <span className="gh-vh">Share</span>
                  </th>
                </tr>
              </thead>
              <tbody className="gh-tone gh-neutral">
                {counted.detectors.slice(0, 10).map((d) => (
                  <tr key={d.detector} data-on={at.found === d.detector || undefined}>
                    <td>
                      <button
                        type="button"
                        className="gh-plain"
                        aria-pressed={at.found === d.detector}
                        onClick={() => set({ found: at.found === d.detector ? '' : d.detector })}
                      >
                        {classes.nameOf(d.detector)}
                      </button>
                    </td>
                    <td className="r">{count(d.events)}</td>
                    <td>
                      <i className={c.bar} style={{ width: `${(d.events / most) * 100}%` }} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Section>
      </div>
      <Section
        title="Each time"
        note={at.found === '' ? 'newest first' : `only ${classes.nameOf(at.found)}`}
        aside={
          at.found !== '' && (
            <button type="button" className="gh-plain gh-s" onClick={() => set({ found: '' })}>
              Show all
            </button>
          )
        }
      >
        <DataTable
          key={at.found}
          op={listFindings}
          input={{ org, query: queryOf(at.found) }}
          name="findings"
          row={(f) => String(f.seq)}
          onRow={setOpen}
          searchable="Search person, tool, call or what was found"
          columns={[
            { head: 'Found', cell: (f) => <b>{whatOf(f)}</b>, value: whatOf, width: 'minmax(200px, 2fr)' },
            {
              head: 'Done',
              cell: (f) => <ActionState of={f.action} done />,
              value: (f) => actionDone[f.action],
              width: '130px',
            },
            { head: 'Where', cell: whereOf, value: whereOf, width: 'minmax(160px, 1.4fr)' },
            {
              head: 'Person',
              cell: (f) => f.name ?? f.actor ?? '',
              value: (f) => f.name ?? f.actor ?? '',
              width: 'minmax(140px, 1fr)',
            },
            { head: 'Time, UTC', cell: (f) => <At at={f.at} exact />, value: (f) => f.at, width: '190px' },
          ]}
          empty={
            <>
              <h2>Nothing was found yet</h2>
              <p>
                Every call’s arguments and results are looked at on their way. What is found stands here, with what was
                done about it.
              </p>
            </>
          }
        />
      </Section>
      <Drawer
        opened={open !== undefined}
        onClose={() => setOpen(undefined)}
        position="right"
        size={536}
        padding={24}
        title="What was found"
      >
        {open && (
          <div className={c.drawer}>
            <ActionState of={open.action} done />
            <Facts
              of={[
                ['Time', moment(open.at)],
                ['Person', open.name ?? open.actor ?? 'unknown'],
                ['Where', whereOf(open)],
                ...(open.call === null
                  ? []
                  : [
                      [
                        'Call',
                        <Hash key="c" label="call" head={40}>
                          {open.call}
                        </Hash>,
                      ] as const,
                    ]),
                ...(open.outcome === null ? [] : [['Ended as', open.outcome] as const]),
                ['Position', `#${count(open.seq)} in the log`],
                ...(open.quarantine === null
                  ? []
                  : ([
                      [
                        'Kept as',
                        <To key="q" at={`dlp/quarantine/${open.quarantine}`}>
                          {open.quarantine}
                        </To>,
                      ],
                    ] as const)),
              ]}
            />
            <Found of={open.findings} nameOf={classes.nameOf} />
          </div>
        )}
      </Drawer>
    </div>
  );
}
