import { Select } from '@mantine/core';
import { countDays, listDeciders } from '@gatehouse/client/approvals.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useMemo } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { Days, type Series } from '../../kit/days.tsx';
import { useOrg } from '../../kit/org.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './approvals.module.css';

const DAY = 86_400_000;
const shown = { days: 30 };
const periods = [7, 30, 90, 365];
/** From the beginning of a day, so that the same question is asked all day. */
const periodOf = (days: number): { from: string; to: string } => {
  const to = Math.ceil(Date.now() / DAY) * DAY;
  return { from: new Date(to - days * DAY).toISOString(), to: new Date(to).toISOString() };
};
const daysOf = (text: string | undefined): number => {
  const n = Number(text);
  return periods.includes(n) ? n : shown.days;
};

export const loader = ({ org, ask, search }: LoaderContext): Promise<unknown> =>
  ask(countDays, { org, query: periodOf(daysOf(search['days'])) });

const series: readonly Series[] = [
  { key: 'approved', name: 'approved', tone: 'neutral', fill: 'solid' },
  { key: 'denied', name: 'denied', tone: 'negative', fill: 'hatched' },
  { key: 'expired', name: 'expired, nobody decided', tone: 'caution', fill: 'outlined' },
  { key: 'ended', name: 'taken back or replaced', tone: 'neutral', fill: 'hatched' },
  { key: 'waiting', name: 'still waiting', tone: 'held', fill: 'solid' },
];

type Decider = OutputOf<typeof listDeciders>['items'][number];
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const seconds = (ms: number | null): string => (ms === null ? 'never opened' : `${(ms / 1000).toFixed(1)} s`);
const nameOf = (d: Decider): string => d.name ?? d.user;

const Share = ({ of: n }: { of: number }) => (
  <span className={`${c.share} gh-tone gh-neutral`}>
    <span className="gh-num">{percent(n)}</span>
    <i className={c.bar} style={{ width: `${n * 100}%` }} />
  </span>
);

/** How much is asked, and whether those who say yes still look. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(shown);
  const days = daysOf(String(at.days));
  const period = useMemo(() => periodOf(days), [days]);
  const { items, from, to } = useAsk(countDays, { org, query: period });
  const sum = (of: (d: (typeof items)[number]) => number): number => items.reduce((n, d) => n + of(d), 0);
  const asked = sum((d) => d.asked);
  const decided = sum((d) => d.approved + d.denied);
  return (
    <div className="gh-page">
      <Head
        room="Approvals"
        roomHref={`/portal/${org}/approvals/inbox`}
        title="Figures"
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
        Whoever is asked too often says yes without looking. Ask less about what is always approved, and by a passkey
        about what matters.
      </Head>
      <Section title="Asked by day" note="UTC, by what became of it">
        <Days
          name="Requests"
          series={series}
          rows={items.map(({ day, ...counts }) => ({ day, counts }))}
          from={from}
          to={new Date(Date.parse(to) - 1).toISOString()}
          says={
            asked === 0
              ? `Nothing was asked in ${days} days.`
              : `${countOf(asked, 'request')} in ${days} days, ${count(Math.round((asked / days) * 10) / 10)} a day; ${
                  decided === 0
                    ? 'nobody has decided any.'
                    : `${percent(sum((d) => d.approved) / decided)} of those decided were approved.`
                }`
          }
        />
      </Section>
      <Section title="Who decides" note="quick: within two seconds of opening it, or without opening it">
        <DataTable
          op={listDeciders}
          input={{ org, query: period }}
          name="people who decide"
          row={(d) => d.user}
          searchable="Search people"
          columns={[
            { head: 'Person', cell: (d) => <b>{nameOf(d)}</b>, value: nameOf },
            {
              head: 'Reads',
              cell: (d) =>
                d.rubberStamps ? (
                  <State is="caution">seems not to look</State>
                ) : (
                  <State is={d.decisions < 20 ? 'none' : 'ok'} quiet>
                    {d.decisions < 20 ? 'too few to say' : 'looks'}
                  </State>
                ),
              value: (d) => (d.rubberStamps ? 'seems not to look' : ''),
              width: '170px',
            },
            { head: 'Decided', cell: (d) => count(d.decisions), value: (d) => d.decisions, right: true, width: '90px' },
            {
              head: 'Approved',
              cell: (d) => <Share of={d.approvedShare} />,
              value: (d) => d.approvedShare,
              width: '190px',
            },
            { head: 'Quick', cell: (d) => <Share of={d.quickShare} />, value: (d) => d.quickShare, width: '190px' },
            {
              head: 'Looked at it for',
              cell: (d) => seconds(d.medianMs),
              value: (d) => d.medianMs ?? 0,
              right: true,
              width: '130px',
            },
          ]}
          empty={
            <>
              <h2>Nobody has decided anything in this time</h2>
              <p>Once people decide, this says how much they are asked, and who seems to say yes without looking.</p>
            </>
          }
        />
      </Section>
    </div>
  );
}
