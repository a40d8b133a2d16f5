import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listMembers } from '@gatehouse/client/org.ts';
import {
  addToGroup,
  listGroupPeople,
  listGroups,
  removeFromGroup,
  removeGroup,
} from '@gatehouse/client/provisioning.ts';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useRows } from '../../kit/rows.ts';
import { At } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { roleWord } from '../people/role-words.ts';
import { sourceWord } from './groups.tsx';

type Person = OutputOf<typeof listGroupPeople>['items'][number];

export const loader = ({ org, params, ask, askRows }: LoaderContext): Promise<unknown> => {
  const group = params['group'] ?? '';
  return Promise.all([ask(listGroups, { org, query: { q: group } }), askRows(listGroupPeople, { org, group })]);
};

/** One group and who is in it. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { group: id = '' }: { group?: string } = useParams({ strict: false });
  const g = useAsk(listGroups, { org, query: { q: id } }).items.find((x) => x.id === id);
  const input = useMemo(() => ({ org, group: id }), [org, id]);
  const hand = g?.source === 'hand';
  const [asking, setAsking] = useState<'add' | 'end'>();
  const taking = useDo(removeFromGroup, { also: ['policy'] });
  const ending = useDo(removeGroup, { also: ['policy'] });
  const columns: Column<Person>[] = [
    { head: 'Name', cell: (p) => <b>{p.displayName || p.email}</b>, value: (p) => p.displayName || p.email },
    { head: 'E-mail', cell: (p) => p.email, value: (p) => p.email, width: 'minmax(180px, 2fr)' },
    { head: 'In it since, UTC', cell: (p) => <At at={p.asserted} />, value: (p) => p.asserted, width: '170px' },
    ...(hand
      ? [
          {
            head: 'Act',
            cell: (p: Person) => (
              <Act
                can="directory.manage"
                size="sm"
                loading={taking.busy}
                onClick={() => void taking.run({ org, group: id, user: p.user })}
              >
                Take out
              </Act>
            ),
            width: '110px',
          },
        ]
      : []),
  ];
  return (
    <div className="gh-page">
      <PageHead
        room="Groups"
        roomAt="directory/groups"
        title={g?.name ?? id}
        actions={
          hand && (
            <>
              <Act can="directory.manage" onClick={() => setAsking('end')}>
                End the group…
              </Act>
              <Act can="directory.manage" onClick={() => setAsking('add')}>
                Add a member…
              </Act>
            </>
          )
        }
      >
        {g
          ? `${sourceWord[g.source]}${g.from ? `, ${g.from}` : ''}. ${g.mapped.length === 0 ? 'It gives no role' : `It gives ${g.mapped.map((m) => roleWord[m.role]).join(', ')}`}.`
          : ''}
      </PageHead>
      <Problem of={taking.refusal} />
      <DataTable
        op={listGroupPeople}
        input={input}
        name={`people of ${g?.name ?? id}`}
        columns={columns}
        row={(p) => p.user}
        searchable="Search name or e-mail"
        {...(hand ? { height: 48 } : {})}
        empty={
          <>
            <h3>Nobody is in it</h3>
            <p>
              {hand
                ? 'Add members here. Rules that speak of the group apply to nobody until then.'
                : 'The identity provider says who is in it. Rules that speak of the group apply to nobody until then.'}
            </p>
          </>
        }
      />
      {asking === 'add' && <AddMember group={id} name={g?.name ?? ''} onClose={() => setAsking(undefined)} />}
      <Confirm
        open={asking === 'end'}
        danger
        title={`End the group ${g?.name ?? ''}?`}
        act="End the group"
        busy={ending.busy}
        refusal={ending.refusal}
        onClose={() => setAsking(undefined)}
        onAct={() => void ending.run({ org, group: id }, () => go('directory/groups'))}
      >
        <p className="gh-s gh-2">
          {countOf(g?.members ?? 0, 'person is', 'people are')} in it. Rules that speak of it apply to nobody
          afterwards; a mapping of it gives nothing.
        </p>
      </Confirm>
    </div>
  );
}

function AddMember({ group, name, onClose }: { group: string; name: string; onClose: () => void }) {
  const org = useOrg();
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed.trim(), 250);
  const input = useMemo(() => ({ org, query: q === '' ? {} : { q } }), [org, q]);
  const members = useRows(listMembers, input, false);
  const [user, setUser] = useState<string | null>(null);
  const adding = useDo(addToGroup, { also: ['policy'] });
  return (
    <Confirm
      open
      title={`Add a member to ${name}`}
      act="Add"
      busy={adding.busy}
      refusal={adding.refusal}
      wait={user === null ? 'Choose a member.' : undefined}
      onClose={onClose}
      onAct={() => user !== null && void adding.run({ org, group, user }, onClose)}
    >
      <Select
        label="Member"
        searchable
        data-autofocus
        placeholder="Search name or e-mail"
        data={members.items.map((m) => ({ value: m.user, label: `${m.displayName || m.email}, ${m.email}` }))}
        searchValue={typed}
        onSearchChange={setTyped}
        value={user}
        onChange={setUser}
        nothingFoundMessage="Nobody has this name"
      />
    </Confirm>
  );
}
