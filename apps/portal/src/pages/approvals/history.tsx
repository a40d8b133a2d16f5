import { Select } from '@mantine/core';
import { list } from '@gatehouse/client/approvals.ts';
import { Head, Tag } from '@gatehouse/ui/parts.tsx';
import { useAddress } from '../../kit/address.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';
import { RequestState, wants, type Request } from './request-state.tsx';

const states = {
  pending: 'waits',
  approved: 'approved',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'taken back',
  superseded: 'replaced',
} as const;
type StateName = keyof typeof states;
const isState = (text: string): text is StateName => Object.hasOwn(states, text);
const shown = { state: '' };
const queryOf = (state: string) => (isState(state) ? { state } : {});

export const loader = ({ org, askRows, search }: LoaderContext): Promise<unknown> =>
  askRows(list, { org, query: { ...queryOf(search['state'] ?? ''), ...(search['q'] ? { q: search['q'] } : {}) } });

const by = (r: Request): string =>
  r.decided ? `${r.decided.name ?? r.decided.by}${r.decided.fresh ? ', with a passkey' : ''}` : '';

/** Every request of the organization and what became of it. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(shown);
  return (
    <div className="gh-page">
      <Head room="Approvals" roomHref={`/portal/${org}/approvals/inbox`} title="History">
        Every request and what became of it. Opening one shows its arguments, and leaves an event.
      </Head>
      <DataTable
        key={at.state}
        op={list}
        input={{ org, query: queryOf(at.state) }}
        name="requests"
        row={(r) => r.id}
        onRow={(r) => go(`approvals/inbox/${r.id}`)}
        searchable="Search person, tool or id"
        tools={
          <Select
            aria-label="State"
            placeholder="Every state"
            clearable
            allowDeselect
            data={Object.entries(states).map(([value, label]) => ({ value, label }))}
            value={isState(at.state) ? at.state : null}
            onChange={(to) => set({ state: to ?? '' })}
            w={160}
          />
        }
        columns={[
          { head: 'What was wanted', cell: (r) => <b>{wants(r)}</b>, value: wants, width: 'minmax(260px, 3fr)' },
          { head: 'Kind', cell: (r) => <Tag>{r.class}</Tag>, value: (r) => r.class, width: '110px' },
          { head: 'State', cell: (r) => <RequestState of={r} />, value: (r) => r.state, width: '160px' },
          { head: 'Decided by', cell: by, value: by, width: 'minmax(140px, 1fr)' },
          { head: 'Asked, UTC', cell: (r) => <At at={r.asked} />, value: (r) => r.asked, width: '150px' },
        ]}
        empty={
          at.state === '' ? (
            <>
              <h2>Nothing was ever asked</h2>
              <p>A rule that asks before a tool runs makes an agent’s call wait here. Until then nothing is held.</p>
            </>
          ) : (
            <p>No request is {isState(at.state) ? states[at.state] : at.state}.</p>
          )
        }
      />
    </div>
  );
}
