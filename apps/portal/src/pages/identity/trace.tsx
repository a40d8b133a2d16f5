import { Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listSignIns } from '@gatehouse/client/identity.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo } from 'react';
import { useAddress } from '../../kit/address.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { methodWord } from '../people/role-words.ts';

export type Trace = OutputOf<typeof listSignIns>['items'][number];

const methods = ['sso', 'id_jag', 'passkey', 'mail_link', 'setup_link'] as const;
const inPage = { method: 'all', outcome: 'all' };
const inputOf = (org: string, at: { method: string; outcome: string; q?: string }) => {
  const method = methods.find((m) => m === at.method);
  return {
    org,
    query: {
      ...(method ? { method } : {}),
      ...(at.outcome === 'all' ? {} : { outcome: at.outcome }),
      ...(at.q ? { q: at.q } : {}),
    },
  };
};

export const loader = ({ org, search, askRows }: LoaderContext): Promise<unknown> =>
  askRows(listSignIns, inputOf(org, { ...inPage, ...search }));

const good: Record<string, string> = {
  signed_in: 'Signed in',
  linked: 'Linked an identity',
  tested: 'Tested',
  vouched: 'Agent let in',
};

export const Outcome = ({ of }: { of: string }) =>
  good[of] !== undefined ? (
    <State is="answered" quiet>
      {good[of]}
    </State>
  ) : (
    <State is="denied">Refused</State>
  );

const stopOf = (t: Trace): string => {
  const failed = t.stages.find((s) => !s.ok);
  return failed && !failed.ok ? failed.says : '';
};

const columns: readonly Column<Trace>[] = [
  { head: 'At, UTC', cell: (t) => <At at={t.at} exact />, value: (t) => t.at, width: '190px' },
  { head: 'Who', cell: (t) => t.subject ?? 'unknown', value: (t) => t.subject ?? '', width: 'minmax(180px, 2fr)' },
  { head: 'Way', cell: (t) => methodWord[t.method] ?? t.method, value: (t) => t.method, width: '150px' },
  { head: 'Outcome', cell: (t) => <Outcome of={t.outcome} />, value: (t) => t.outcome, width: '150px' },
  {
    head: 'Why',
    cell: (t) => <span title={t.outcome}>{stopOf(t)}</span>,
    value: (t) => stopOf(t),
    width: 'minmax(200px, 3fr)',
  },
  {
    head: 'Number',
    cell: (t) => <span className="gh-id gh-3">{t.id}</span>,
    value: (t) => t.id,
    width: 'minmax(120px, 1fr)',
  },
];

/** Every sign-in of every method, and why it ended as it did. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(inPage);
  const input = useMemo(() => inputOf(org, { method: at.method, outcome: at.outcome }), [org, at.method, at.outcome]);
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="Sign-in trace">
        Whoever was refused saw a number that begins with sgn_: search for it here to see why.
      </PageHead>
      <DataTable
        op={listSignIns}
        input={input}
        name="sign-ins"
        columns={columns}
        row={(t) => t.id}
        onRow={(t) => go(`identity/trace/${t.id}`)}
        searchable="Search a number, person or reason"
        tools={
          <>
            <Select
              aria-label="Way"
              w={180}
              allowDeselect={false}
              value={at.method}
              data={[
                { value: 'all', label: 'Every way' },
                ...methods.map((m) => ({ value: m, label: methodWord[m] ?? m })),
              ]}
              onChange={(v) => set({ method: v ?? 'all' })}
            />
            <Select
              aria-label="Outcome"
              w={160}
              allowDeselect={false}
              value={at.outcome}
              data={[
                { value: 'all', label: 'Every outcome' },
                { value: 'signed_in', label: 'Signed in' },
                { value: 'linked', label: 'Linked' },
                { value: 'tested', label: 'Tested' },
              ]}
              onChange={(v) => set({ outcome: v ?? 'all' })}
            />
          </>
        }
        empty={
          <>
            <h3>No sign-in matches</h3>
            <p>
              Every sign-in is listed here stage by stage, also those that were refused. None fits what is chosen above.
            </p>
          </>
        }
      />
    </div>
  );
}
