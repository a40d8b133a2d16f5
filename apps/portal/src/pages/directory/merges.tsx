import { Checkbox, Radio, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { createSisterOrg, listMerges, listSisterOrgs, proposeMerge } from '@gatehouse/client/org.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import c from './directory.module.css';

export type Merge = OutputOf<typeof listMerges>['items'][number];

export const loader = ({ org, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listSisterOrgs, { org }), askRows(listMerges, { org })]);

const states: Record<Merge['state'], { is: GlyphName; word: string }> = {
  draft: { is: 'none', word: 'Draft' },
  sent: { is: 'held', word: 'Waits for both' },
  approved_one: { is: 'held', word: 'Waits for one side' },
  approved_both: { is: 'open', word: 'Being carried out' },
  applied: { is: 'ok', word: 'Carried out' },
  undone: { is: 'no', word: 'Undone' },
  expired: { is: 'expired', word: 'Expired' },
  rejected: { is: 'no', word: 'Rejected' },
  stale: { is: 'caution', word: 'Changed meanwhile' },
};
export const MergeState = ({ of }: { of: Merge['state'] }) => (
  <State is={states[of].is} quiet={of === 'applied'}>
    {states[of].word}
  </State>
);
export const otherSide = (m: Merge) => (m.side === 'joining' ? m.receiving : m.joining);

const columns: readonly Column<Merge>[] = [
  {
    head: 'With',
    cell: (m) => <b>{otherSide(m).name ?? otherSide(m).org}</b>,
    value: (m) => otherSide(m).name ?? otherSide(m).org,
  },
  { head: 'State', cell: (m) => <MergeState of={m.state} />, value: (m) => m.state, width: '190px' },
  {
    head: 'We',
    cell: (m) => (m.side === 'joining' ? 'move under them' : 'receive them'),
    value: (m) => m.side,
    width: '160px',
  },
  { head: 'Drafted, UTC', cell: (m) => <At at={m.createdAt} />, value: (m) => m.createdAt, width: '150px' },
];

/** The organizations under the same parent, and proposals to merge with another parent. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { items } = useAsk(listSisterOrgs, { org });
  const input = useMemo(() => ({ org }), [org]);
  const [asking, setAsking] = useState<'merge' | 'sister'>();
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Parent and merges"
        actions={
          <>
            <Act can="owner.manage" onClick={() => setAsking('sister')}>
              Make a sister organization…
            </Act>
            <Act can="owner.manage" onClick={() => setAsking('merge')}>
              Propose a merge…
            </Act>
          </>
        }
      >
        Organizations under one parent share domains, sign-in and directories. A merge brings two parents together, when
        owners of both agree.
      </PageHead>
      <Section title="Under this parent">
        <ul className={c.effects}>
          {items.map((o) => (
            <li key={o.id}>
              <b>{o.name}</b> <Tag>{o.surface}</Tag> {o.id === org && <span className="gh-3">this one</span>}
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Merges">
        <DataTable
          op={listMerges}
          input={input}
          name="merges"
          columns={columns}
          row={(m) => m.id}
          onRow={(m) => go(`directory/merges/${m.id}`)}
          searchable="Search an organization"
          empty={
            <>
              <h3>No merge was proposed</h3>
              <p>
                Where two parents belong to one company, a merge moves one under the other: domains, connections,
                directories and accounts. Both sides look at the same preview first, and it can be undone for seven
                days.
              </p>
            </>
          }
        />
      </Section>
      {asking === 'merge' && <Propose onClose={() => setAsking(undefined)} />}
      {asking === 'sister' && <Sister onClose={() => setAsking(undefined)} />}
    </div>
  );
}

function Propose({ onClose }: { onClose: () => void }) {
  const { org, orgName } = useHere();
  const go = useGo();
  const [other, setOther] = useState('');
  const [as, setAs] = useState<'joining' | 'receiving'>('joining');
  const [byAddress, setByAddress] = useState(false);
  const proposing = useDo(proposeMerge);
  return (
    <Confirm
      open
      title="Propose a merge"
      act="Draft it"
      busy={proposing.busy}
      refusal={proposing.refusal}
      wait={other.trim() === '' ? 'Enter the id of the other organization.' : undefined}
      onClose={onClose}
      onAct={() =>
        void proposing
          .run({ org, body: { with: other.trim(), as, joinByAddress: byAddress } })
          .then((m) => m && go(`directory/merges/${m.id}`))
      }
    >
      <p className="gh-s gh-2">A draft reaches nobody. You send it from its own page.</p>
      <TextInput
        label="The other organization"
        description="Its id; it stands in the address of their portal."
        placeholder="org_…"
        value={other}
        onChange={(e) => setOther(e.currentTarget.value)}
        data-autofocus
      />
      <Radio.Group label={orgName} value={as} onChange={(v) => setAs(v === 'receiving' ? 'receiving' : 'joining')}>
        <div className={c.effects}>
          <Radio value="joining" label="moves under their parent" />
          <Radio value="receiving" label="receives them under ours" />
        </div>
      </Radio.Group>
      <Checkbox
        checked={byAddress}
        onChange={(e) => setByAddress(e.currentTarget.checked)}
        label="Accounts of one e-mail address become one, too; else only accounts of one identity at the same provider"
      />
    </Confirm>
  );
}

function Sister({ onClose }: { onClose: () => void }) {
  const org = useOrg();
  const [name, setName] = useState('');
  const [surface, setSurface] = useState<'workspace' | 'console'>('workspace');
  const making = useDo(createSisterOrg, { also: ['identity'] });
  return (
    <Confirm
      open
      title="Make a sister organization"
      act="Make it"
      busy={making.busy}
      refusal={making.refusal}
      wait={name.trim() === '' ? 'Enter a name.' : undefined}
      onClose={onClose}
      onAct={() => void making.run({ org, body: { name: name.trim(), surface } }, onClose)}
    >
      <p className="gh-s gh-2">
        It stands under the same parent; you become its primary owner. Nobody else is a member at first.
      </p>
      <TextInput
        label="Name"
        autoComplete="off"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
      <Radio.Group label="For" value={surface} onChange={(v) => setSurface(v === 'console' ? 'console' : 'workspace')}>
        <div className={c.effects}>
          <Radio value="workspace" label="people at work (workspace)" />
          <Radio value="console" label="programs that call the API (console)" />
        </div>
      </Radio.Group>
    </Confirm>
  );
}
