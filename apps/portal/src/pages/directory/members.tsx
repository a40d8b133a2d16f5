import { Select, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { addMember, listMembers } from '@gatehouse/client/org.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { Address } from '../people/person.tsx';
import { givenRoles, isGivenRole, roleWord, type GivenRole, type Role } from '../people/role-words.ts';

type Member = OutputOf<typeof listMembers>['items'][number];

const originWord = { local: 'By hand', directory: 'Directory', sign_in: 'First sign-in' } as const;
const inState = { q: '', role: 'all', state: 'all' };

/** The first page of members is there before the page is. */
export const loader = ({ org, search, askRows }: LoaderContext): Promise<unknown> =>
  askRows(listMembers, inputOf(org, { ...inState, ...search }));

const roles: readonly Role[] = ['primary_owner', 'owner', 'admin', 'user'];
const states = ['active', 'suspended'] as const;
const inputOf = (org: string, at: { role: string; state: string; q?: string }) => {
  const role = roles.find((r) => r === at.role);
  const state = states.find((s) => s === at.state);
  return { org, query: { ...(role ? { role } : {}), ...(state ? { state } : {}), ...(at.q ? { q: at.q } : {}) } };
};

const columns: readonly Column<Member>[] = [
  {
    head: 'Name',
    cell: (m) => <b>{m.displayName || m.email}</b>,
    value: (m) => m.displayName || m.email,
    width: 'minmax(220px, 2fr)',
  },
  { head: 'E-mail', cell: (m) => <Address of={m.email} />, value: (m) => m.email, width: 'minmax(180px, 2fr)' },
  { head: 'Role', cell: (m) => roleWord[m.role], value: (m) => roleWord[m.role], width: '120px' },
  {
    head: 'Account',
    cell: (m) =>
      m.state === 'active' ? (
        <State is="ok" quiet>
          Active
        </State>
      ) : (
        <State is="no">Suspended</State>
      ),
    value: (m) => m.state,
    width: '130px',
  },
  { head: 'Comes from', cell: (m) => originWord[m.origin], value: (m) => originWord[m.origin], width: '130px' },
  { head: 'Member since', cell: (m) => <At at={m.since} />, value: (m) => m.since, width: '150px' },
];

/** Who is in the organization. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(inState);
  const [adding, setAdding] = useState(false);
  const input = useMemo(() => inputOf(org, { role: at.role, state: at.state }), [org, at.role, at.state]);
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Members"
        actions={
          <Act can="member.manage" onClick={() => setAdding(true)}>
            Add a person…
          </Act>
        }
      >
        Everybody with a place in this organization, and where the place comes from.
      </PageHead>
      <DataTable
        op={listMembers}
        input={input}
        name="members"
        columns={columns}
        row={(m) => m.id}
        onRow={(m) => go(`directory/members/${m.id}`)}
        searchable="Search name or e-mail"
        tools={
          <>
            <Select
              aria-label="Role"
              value={at.role}
              allowDeselect={false}
              w={150}
              data={[{ value: 'all', label: 'Every role' }, ...roles.map((r) => ({ value: r, label: roleWord[r] }))]}
              onChange={(role) => set({ role: role ?? 'all' })}
            />
            <Select
              aria-label="Account"
              value={at.state}
              allowDeselect={false}
              w={150}
              data={[
                { value: 'all', label: 'Every account' },
                { value: 'active', label: 'Active' },
                { value: 'suspended', label: 'Suspended' },
              ]}
              onChange={(state) => set({ state: state ?? 'all' })}
            />
          </>
        }
        empty={
          <>
            <h3>Nobody matches</h3>
            <p>
              No member has this role and this state of the account. Choose every role and every account to see all.
            </p>
          </>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
    </div>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const org = useOrg();
  const go = useGo();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<GivenRole>('user');
  const adding = useDo(addMember, { also: ['provisioning'] });
  const wait = !/.@./.test(email) ? 'Enter the e-mail address.' : name.trim() === '' ? 'Enter the name.' : undefined;
  return (
    <Confirm
      open
      title="Add a person by hand"
      act="Add the person"
      busy={adding.busy}
      refusal={adding.refusal}
      wait={wait}
      onClose={onClose}
      onAct={() =>
        void adding
          .run({ org, body: { email: email.trim(), displayName: name.trim(), role } })
          .then((made) => made && go(`directory/members/${made.id}`))
      }
    >
      <p className="gh-s gh-2">
        The account opens nothing until it is linked to an identity: by a first sign-in through your identity provider,
        or by a set-up link. A directory does not change whom you add by hand.
      </p>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="off"
        value={email}
        onChange={(e) => setEmail(e.currentTarget.value)}
        data-autofocus
      />
      <TextInput label="Name" autoComplete="off" value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <Select
        label="Role"
        data={givenRoles.map((r) => ({ ...r }))}
        value={role}
        allowDeselect={false}
        onChange={(r) => isGivenRole(r) && setRole(r)}
      />
    </Confirm>
  );
}
