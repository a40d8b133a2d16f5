import type { OutputOf } from '@gatehouse/client/call.ts';
import { letInAgain, listTombstones } from '@gatehouse/client/provisioning.ts';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { PageHead } from '../people/page-head.tsx';
import { roleWord } from '../people/role-words.ts';

type Gone = OutputOf<typeof listTombstones>['items'][number];

export const loader = ({ org, askRows }: LoaderContext): Promise<unknown> => askRows(listTombstones, { org });

const causeWord: Record<Gone['cause'], string> = {
  hand: 'By an administrator',
  directory: 'By the directory',
  unmapped: 'With the last mapped group',
};

/** Who was removed and is not back. A sign-in alone brings nobody back. */
export function Page() {
  const org = useOrg();
  const input = useMemo(() => ({ org }), [org]);
  const [asking, setAsking] = useState<Gone>();
  const again = useDo(letInAgain, { also: ['org'] });
  const columns: Column<Gone>[] = [
    { head: 'Name', cell: (t) => <b>{t.displayName || t.email}</b>, value: (t) => t.displayName || t.email },
    { head: 'E-mail', cell: (t) => t.email, value: (t) => t.email, width: 'minmax(180px, 2fr)' },
    { head: 'Was', cell: (t) => roleWord[t.role], value: (t) => roleWord[t.role], width: '120px' },
    { head: 'Removed', cell: (t) => causeWord[t.cause], value: (t) => causeWord[t.cause], width: 'minmax(160px, 1fr)' },
    { head: 'At, UTC', cell: (t) => <At at={t.at} />, value: (t) => t.at, width: '150px' },
    {
      head: 'Let in again',
      cell: (t) => (
        <Act can="directory.manage" size="sm" onClick={() => setAsking(t)}>
          Let in again…
        </Act>
      ),
      width: '150px',
    },
  ];
  return (
    <div className="gh-page">
      <PageHead room="Directory" roomAt="directory/members" title="Removed">
        Who was removed and is not back. Neither a sign-in nor a sync brings them back by itself.
      </PageHead>
      <DataTable
        op={listTombstones}
        input={input}
        name="removed people"
        columns={columns}
        row={(t) => t.user}
        height={48}
        searchable="Search name or e-mail"
        empty={
          <>
            <h3>Nobody was removed</h3>
            <p>Whoever is removed, by hand or by a directory, stays listed here until they are let in again.</p>
          </>
        }
      />
      <Confirm
        open={asking !== undefined}
        title={`Let ${asking?.displayName || asking?.email || 'the person'} in again?`}
        act="Let in again"
        busy={again.busy}
        refusal={again.refusal}
        onClose={() => setAsking(undefined)}
        onAct={() => asking && void again.run({ org, user: asking.user }, () => setAsking(undefined))}
      >
        <p className="gh-s gh-2">
          It does not make the person a member: the next sign-in or sync may, by the rules of the mode, with the role
          that these give.
        </p>
      </Confirm>
    </div>
  );
}
