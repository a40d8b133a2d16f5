import { Button } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { addressOf } from '@gatehouse/client/call.ts';
import { exportMemberships, listMemberships } from '@gatehouse/client/domains.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo } from 'react';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { methodWord, roleWord } from '../people/role-words.ts';

type Account = OutputOf<typeof listMemberships>['items'][number];

export const loader = ({ org, askRows }: LoaderContext): Promise<unknown> => askRows(listMemberships, { org });

const columns: readonly Column<Account>[] = [
  { head: 'Name', cell: (a) => <b>{a.displayName || a.email}</b>, value: (a) => a.displayName || a.email },
  { head: 'E-mail', cell: (a) => a.email, value: (a) => a.email, width: 'minmax(200px, 2fr)' },
  {
    head: 'Account',
    cell: (a) =>
      a.state === 'active' ? (
        <State is="ok" quiet>
          Active
        </State>
      ) : (
        <State is="no">Suspended</State>
      ),
    value: (a) => a.state,
    width: '130px',
  },
  {
    head: 'Organizations',
    cell: (a) => (a.orgs.length === 0 ? 'none' : a.orgs.map((o) => `${o.name}, ${roleWord[o.role]}`).join('; ')),
    value: (a) => a.orgs.map((o) => `${o.name}: ${o.role}`).join('; '),
    width: 'minmax(200px, 3fr)',
  },
  {
    head: 'Last sign-in',
    cell: (a) =>
      a.lastSignIn ? (
        <>
          <When at={a.lastSignIn.at} />
          <span className="gh-3"> {methodWord[a.lastSignIn.method] ?? a.lastSignIn.method}</span>
        </>
      ) : (
        'never'
      ),
    value: (a) => a.lastSignIn?.at ?? '',
    width: 'minmax(180px, 1fr)',
  },
];

/** Every account under the verified domains, in all organizations of the parent. */
export function Page() {
  const org = useOrg();
  const input = useMemo(() => ({ org }), [org]);
  const file = (format: 'csv' | 'json'): string => addressOf(exportMemberships, { org, query: { format } });
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Accounts by domain"
        actions={
          <>
            <Button component="a" href={file('csv')} download>
              All as CSV
            </Button>
            <Button component="a" href={file('json')} download>
              All as JSON
            </Button>
          </>
        }
      >
        Every account under the verified domains, in all organizations of the parent. Who exports it is written down.
      </PageHead>
      <DataTable
        op={listMemberships}
        input={input}
        name="accounts by domain"
        columns={columns}
        row={(a) => a.user}
        searchable="Search name or e-mail"
        empty={
          <>
            <h3>No account is under a verified domain</h3>
            <p>
              Prove a domain first; then everybody with an address of it is listed here, wherever they are a member.
            </p>
            <div className="gh-actions">
              <GoButton to="identity/domains">See domains</GoButton>
            </div>
          </>
        }
      />
    </div>
  );
}
