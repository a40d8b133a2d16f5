import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { listBacktests } from '@gatehouse/client/policy.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { count, countOf, day } from '../../kit/words.ts';
import { connectorsOf } from '../../kit/choose.tsx';
import type { LoaderContext } from '../page.ts';

export const loader = ({ org, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listConnectors, connectorsOf(org)), askRows(listBacktests, { org, query: {} })]);

const states = {
  waiting: 'expired',
  running: 'open',
  done: 'ok',
  cancelled: 'no',
  failed: 'failed',
} as const;

/** Drafts that were asked about recorded calls. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  return (
    <div className="gh-page">
      <Head room="Policy" roomHref={`/portal/${org}/policy/rules`} title="Backtests">
        Recorded calls, asked of drafts. One is started beside a rule or a policy that is being changed.
      </Head>
      <DataTable
        op={listBacktests}
        input={{ org }}
        name="backtests"
        row={(b) => b.id}
        onRow={(b) => go(`policy/backtests/${b.id}`)}
        searchable={false}
        columns={[
          {
            head: 'Calls of',
            cell: (b) => (
              <b>
                {day(b.since)} to {day(b.until)}
              </b>
            ),
            value: (b) => b.since,
          },
          {
            head: 'State',
            cell: (b) => (
              <State is={states[b.state]} quiet={b.state !== 'failed'}>
                {b.state}
              </State>
            ),
            value: (b) => b.state,
            width: '130px',
          },
          {
            head: 'Looked at',
            cell: (b) => `${count(b.seen)} of ${countOf(b.calls, 'call')}`,
            value: (b) => b.seen,
            right: true,
          },
          { head: 'Asked, UTC', cell: (b) => <At at={b.askedAt} />, value: (b) => b.askedAt, width: '150px' },
        ]}
        empty={
          <>
            <h2>No backtest yet</h2>
            <p>Change a rule and ask the calls of the last days of the draft: what would have ended differently?</p>
          </>
        }
      />
    </div>
  );
}
