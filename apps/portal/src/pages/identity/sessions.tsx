import { Button } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { endMemberSession, listSessions } from '@gatehouse/client/identity.ts';
import { Tag } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { PageHead } from '../people/page-head.tsx';
import { methodWord } from '../people/role-words.ts';

type Session = OutputOf<typeof listSessions>['items'][number];
const inPage = { user: '' };
const inputOf = (org: string, at: { user: string; q?: string }) => ({
  org,
  query: { ...(at.user === '' ? {} : { user: at.user }), ...(at.q ? { q: at.q } : {}) },
});

export const loader = ({ org, search, askRows }: LoaderContext): Promise<unknown> =>
  askRows(listSessions, inputOf(org, { ...inPage, ...search }));

/** In which browsers members are signed in. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(inPage);
  const [asking, setAsking] = useState<Session>();
  const ending = useDo(endMemberSession);
  const input = useMemo(() => inputOf(org, { user: at.user }), [org, at.user]);
  const columns: Column<Session>[] = [
    {
      head: 'Name',
      cell: (s) => (
        <>
          <b>{s.displayName || s.email}</b> {s.current && <Tag>this browser</Tag>}
        </>
      ),
      value: (s) => s.displayName || s.email,
    },
    { head: 'E-mail', cell: (s) => s.email, value: (s) => s.email, width: 'minmax(160px, 2fr)' },
    {
      head: 'Browser',
      cell: (s) => <span title={s.userAgent}>{s.userAgent || 'unknown'}</span>,
      value: (s) => s.userAgent,
      width: 'minmax(160px, 3fr)',
    },
    { head: 'Signed in by', cell: (s) => methodWord[s.method] ?? s.method, value: (s) => s.method, width: '140px' },
    { head: 'Seen', cell: (s) => <When at={s.lastSeenAt} />, value: (s) => s.lastSeenAt, width: '130px' },
    { head: 'Ends', cell: (s) => <When at={s.expiresAt} />, value: (s) => s.expiresAt, width: '110px' },
    {
      head: 'Act',
      cell: (s) => (
        <Act can="member.manage" size="sm" onClick={() => setAsking(s)}>
          End…
        </Act>
      ),
      width: '90px',
    },
  ];
  return (
    <div className="gh-page">
      <PageHead
        room="Identity"
        roomAt="identity/domains"
        title="Sessions"
        actions={at.user !== '' && <Button onClick={() => set({ user: '' })}>Show everybody’s</Button>}
      >
        {at.user === ''
          ? 'In which browsers members are signed in now.'
          : 'In which browsers this person is signed in now.'}
      </PageHead>
      <DataTable
        op={listSessions}
        input={input}
        name="sessions"
        columns={columns}
        row={(s) => s.id}
        height={48}
        searchable="Search name, e-mail or browser"
        empty={
          <>
            <h3>Nobody is signed in</h3>
            <p>
              A session begins with a sign-in and ends after the time that the access rules set, or when somebody ends
              it.
            </p>
          </>
        }
      />
      <Confirm
        open={asking !== undefined}
        danger
        title={`End this session of ${asking?.displayName || asking?.email || ''}?`}
        act="End the session"
        busy={ending.busy}
        refusal={ending.refusal}
        onClose={() => {
          ending.forget();
          setAsking(undefined);
        }}
        onAct={() => asking && void ending.run({ org, session: asking.id }, () => setAsking(undefined))}
      >
        <p className="gh-s gh-2">
          The next request of that browser is refused{asking?.current ? ', and it is the one that you use now' : ''}.
          The person may sign in again; agents go on.
        </p>
      </Confirm>
    </div>
  );
}
