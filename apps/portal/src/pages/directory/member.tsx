import { Button, Select } from '@mantine/core';
import { changeRole, previewLeaving, readMember } from '@gatehouse/client/org.ts';
import { explainPerson } from '@gatehouse/client/provisioning.ts';
import { Facts, Hash, Refused, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { Go } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { Address } from '../people/person.tsx';
import { givenRoles, isGivenRole, roleWord, type GivenRole } from '../people/role-words.ts';
import { BreakGlass } from './break-glass.tsx';
import c from './directory.module.css';
import { Asked, type Question } from './member-acts.tsx';
import { Sessions } from './member-sessions.tsx';
import { Why } from './why.tsx';

export async function loader({ org, params, ask }: LoaderContext): Promise<void> {
  const member = params['member'] ?? '';
  const { user } = await ask(readMember, { org, member });
  await ask(explainPerson, { org, user });
}

const sourceWord = { hand: 'made by hand', directory: 'from the directory', sign_in: 'made at a sign-in' } as const;

/** One member: what they have, why they are in, and what would end with them. */
export function Page() {
  const org = useOrg();
  const { member: id = '' }: { member?: string } = useParams({ strict: false });
  const m = useAsk(readMember, { org, member: id });
  const e = useAsk(explainPerson, { org, user: m.user });
  const [asking, setAsking] = useState<Question>();
  const may = useMay('member.manage').ok;
  return (
    <div className="gh-page">
      <PageHead
        room="Members"
        roomAt="directory/members"
        title={m.displayName || m.email}
        actions={may ? <Leave id={id} state={m.state} onAsk={setAsking} /> : <NotMine />}
      >
        {roleWord[m.role]}, {e.source ? sourceWord[e.source] : 'made by hand'}.{' '}
        {m.state === 'suspended' ? 'The account is suspended: nothing of it works in any organization.' : ''}
      </PageHead>
      <div className={c.cols}>
        <div className={c.stack}>
          <RoleChange id={id} role={m.role} name={m.displayName} mode={e.mode} />
          <Why e={e} />
        </div>
        <div className={c.stack}>
          <Section title="Facts">
            <Facts
              of={[
                ['E-mail', <Address key="e" of={m.email} />],
                [
                  'Account',
                  m.state === 'active' ? (
                    <State key="a" is="ok" quiet>
                      Active
                    </State>
                  ) : (
                    <State key="a" is="no">
                      Suspended
                    </State>
                  ),
                ],
                ['Member since', <When key="s" at={m.since} />],
                [
                  'Seat',
                  e.seatSince ? (
                    <span key="t">
                      taken <When at={e.seatSince} />
                      {e.tier ? `, tier ${e.tier}` : ''}
                    </span>
                  ) : (
                    'not taken yet'
                  ),
                ],
                ['Last sign-in', e.lastSignIn ? <When key="l" at={e.lastSignIn} /> : 'never'],
                ['Directory', directoryWord[e.directory]],
                ['Vouched for', e.lastAsserted ? <When key="v" at={e.lastAsserted} /> : 'by nobody but us'],
                ['Groups', e.groups.length === 0 ? 'none' : e.groups.join(', ')],
                [
                  'Id',
                  <Hash key="i" label="id" head={16}>
                    {m.id}
                  </Hash>,
                ],
              ]}
            />
          </Section>
          <Sessions user={m.user} onEnd={() => setAsking('sessions')} />
          <BreakGlass user={m.user} name={m.displayName} on={e.breakGlass} />
        </div>
      </div>
      <Asked
        id={id}
        user={m.user}
        name={m.displayName || m.email}
        asking={asking}
        onClose={() => setAsking(undefined)}
      />
    </div>
  );
}

const directoryWord = {
  absent: 'no directory has sent this person',
  active: 'active there',
  disabled: 'disabled there',
  deleted: 'deleted there',
} as const;

const NotMine = () => (
  <Act can="member.manage" onClick={() => undefined}>
    Remove…
  </Act>
);

function Leave({
  id,
  state,
  onAsk,
}: {
  id: string;
  state: 'active' | 'suspended';
  onAsk: (what: 'remove' | 'suspend' | 'back') => void;
}) {
  const org = useOrg();
  const { refused } = useAsk(previewLeaving, { org, member: id });
  const reason = (r: { says: string; fix: string | null }): string =>
    `${sentence(r.says)} ${r.fix ? sentence(r.fix) : ''}`;
  // What cannot be done is said once where the reasons are the same.
  if (refused.remove && state === 'active' && (!refused.suspend || refused.suspend.code === refused.remove.code))
    return <Refused reason={reason(refused.remove)}>Suspend or remove…</Refused>;
  return (
    <>
      {state === 'suspended' ? (
        <Button onClick={() => onAsk('back')}>Let back in…</Button>
      ) : refused.suspend ? (
        <Refused reason={reason(refused.suspend)}>Suspend…</Refused>
      ) : (
        <Button onClick={() => onAsk('suspend')}>Suspend…</Button>
      )}
      {refused.remove ? (
        <Refused reason={reason(refused.remove)}>Remove…</Refused>
      ) : (
        <Button onClick={() => onAsk('remove')}>Remove…</Button>
      )}
    </>
  );
}

function RoleChange({ id, role, name, mode }: { id: string; role: keyof typeof roleWord; name: string; mode: string }) {
  const org = useOrg();
  const may = useMay('member.manage');
  const changing = useDo(changeRole, { also: ['provisioning'] });
  const [to, setTo] = useState<GivenRole>();
  const advanced = mode.endsWith('advanced');
  return (
    <Section
      title="Role"
      note={advanced ? 'mapped groups decide it; by hand lasts until the next sync' : 'given by hand'}
    >
      <div className={c.line}>
        {role === 'primary_owner' ? (
          <Refused reason="This is the primary owner. The primary owner hands the organization over first; then the role can be changed.">
            Primary owner
          </Refused>
        ) : !may.ok ? (
          <Refused reason={`${sentence(may.says)} ${sentence(may.fix)}`}>{roleWord[role]}</Refused>
        ) : (
          <Select
            aria-label={`Role of ${name}`}
            data={givenRoles.map((r) => ({ ...r }))}
            value={role}
            allowDeselect={false}
            w={160}
            onChange={(r) => isGivenRole(r) && r !== role && setTo(r)}
          />
        )}
        <Go to="directory/mappings" className="gh-s">
          Which groups give which role
        </Go>
      </div>
      <Confirm
        open={to !== undefined}
        title={`Make ${name} ${to ? roleWord[to] : ''}?`}
        act={to ? `Make ${roleWord[to]}` : 'Change'}
        busy={changing.busy}
        refusal={changing.refusal}
        onClose={() => {
          changing.forget();
          setTo(undefined);
        }}
        onAct={() =>
          to && void changing.run({ org, member: id, body: { role: to } }).then((done) => done && setTo(undefined))
        }
      >
        <p className="gh-s gh-2">
          {name} is {roleWord[role]} now. {to && effectWord[to]} It takes effect at the next request.
        </p>
        {advanced && (
          <p className="gh-s gh-2">
            In this mode mapped groups decide roles: the next sign-in or sync sets what the groups give. Change the
            mapping or the group to make it last.
          </p>
        )}
      </Confirm>
    </Section>
  );
}

const effectWord: Record<GivenRole, string> = {
  owner: 'An owner changes who owns, where people come from and how they sign in.',
  admin: 'An admin does the daily work: people below owner, systems, rules, approvals, the log.',
  auditor: 'An auditor reads who may do what and what happened, takes the log along, and changes nothing.',
  user: 'A user has no administration: only what connectors and rules give.',
};
