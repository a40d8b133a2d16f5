import { Select, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listGroups, makeGroup } from '@gatehouse/client/provisioning.ts';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { roleWord } from '../people/role-words.ts';

type Group = OutputOf<typeof listGroups>['items'][number];
const sources = ['directory', 'attribute', 'hand'] as const;
export const sourceWord: Record<Group['source'], string> = {
  directory: 'Directory',
  attribute: 'Sign-ins',
  hand: 'By hand',
};
const inPage = { source: 'all' };
const inputOf = (org: string, at: { source: string; q?: string }) => {
  const source = sources.find((s) => s === at.source);
  return { org, query: { ...(source ? { source } : {}), ...(at.q ? { q: at.q } : {}) } };
};

export const loader = ({ org, search, askRows }: LoaderContext): Promise<unknown> =>
  askRows(listGroups, inputOf(org, { ...inPage, ...search }));

const columns: readonly Column<Group>[] = [
  { head: 'Name', cell: (g) => <b>{g.name}</b>, value: (g) => g.name },
  { head: 'From', cell: (g) => sourceWord[g.source], value: (g) => sourceWord[g.source], width: '120px' },
  { head: 'People', cell: (g) => count(g.members), value: (g) => g.members, width: '90px', right: true },
  {
    head: 'Gives',
    cell: (g) =>
      g.mapped.length === 0 ? <span className="gh-3">nothing</span> : g.mapped.map((m) => roleWord[m.role]).join(', '),
    value: (g) => g.mapped.map((m) => m.role).join(' '),
    width: '150px',
  },
  { head: 'Last seen', cell: (g) => <When at={g.lastSeen} />, value: (g) => g.lastSeen, width: '130px' },
  {
    head: 'Id',
    cell: (g) => <span className="gh-id gh-3">{g.id}</span>,
    value: (g) => g.id,
    width: 'minmax(140px, 1fr)',
  },
];

/** Every group that rules and mappings can mean. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(inPage);
  const [making, setMaking] = useState(false);
  const input = useMemo(() => inputOf(org, { source: at.source }), [org, at.source]);
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Groups"
        actions={
          <Act can="directory.manage" onClick={() => setMaking(true)}>
            Make a group by hand…
          </Act>
        }
      >
        What rules and mappings speak of: groups of a directory, groups that sign-ins name, and groups made by hand.
      </PageHead>
      <DataTable
        op={listGroups}
        input={input}
        name="groups"
        columns={columns}
        row={(g) => g.id}
        onRow={(g) => go(`directory/groups/${g.id}`)}
        searchable="Search a group"
        tools={
          <Select
            aria-label="From"
            w={160}
            allowDeselect={false}
            value={at.source}
            data={[
              { value: 'all', label: 'From everywhere' },
              ...sources.map((s) => ({ value: s, label: sourceWord[s] })),
            ]}
            onChange={(v) => set({ source: v ?? 'all' })}
          />
        }
        empty={
          <>
            <h3>No group yet</h3>
            <p>
              Groups come from a directory over SCIM, from the groups of sign-ins, or are made by hand. Rules and
              mappings speak of them.
            </p>
          </>
        }
      />
      {making && <Make onClose={() => setMaking(false)} />}
    </div>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const org = useOrg();
  const go = useGo();
  const [name, setName] = useState('');
  const making = useDo(makeGroup, { also: ['directory', 'policy'] });
  return (
    <Confirm
      open
      title="Make a group by hand"
      act="Make it"
      busy={making.busy}
      refusal={making.refusal}
      wait={name.trim() === '' ? 'Enter a name.' : undefined}
      onClose={onClose}
      onAct={() =>
        void making.run({ org, body: { name: name.trim() } }).then((g) => g && go(`directory/groups/${g.id}`))
      }
    >
      <p className="gh-s gh-2">Its people are members whom you add here. No identity provider changes it.</p>
      <TextInput
        label="Name"
        autoComplete="off"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
    </Confirm>
  );
}
