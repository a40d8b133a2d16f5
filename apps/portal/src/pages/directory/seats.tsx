import { Select, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { endSeatLimit, listIdleSeats, listSeats, setSeats } from '@gatehouse/client/provisioning.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { PageHead } from '../people/page-head.tsx';
import { roleWord } from '../people/role-words.ts';
import c from './seats.module.css';

type Limit = OutputOf<typeof listSeats>['items'][number];
type Idle = OutputOf<typeof listIdleSeats>['items'][number];
const inPage = { days: 90 };

export const loader = ({ org, search, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listSeats, { org }),
    askRows(listIdleSeats, { org, query: { days: Number(search['days'] ?? inPage.days) } }),
  ]);

const columns: readonly Column<Idle>[] = [
  { head: 'Name', cell: (s) => <b>{s.displayName || s.email}</b>, value: (s) => s.displayName || s.email },
  { head: 'E-mail', cell: (s) => s.email, value: (s) => s.email, width: 'minmax(180px, 2fr)' },
  { head: 'Role', cell: (s) => roleWord[s.role], value: (s) => s.role, width: '120px' },
  { head: 'Tier', cell: (s) => s.tier ?? '–', value: (s) => s.tier ?? '', width: '100px' },
  {
    head: 'Last sign-in',
    cell: (s) => (s.lastSignIn ? <When at={s.lastSignIn} /> : 'never'),
    value: (s) => s.lastSignIn ?? '',
    width: '130px',
  },
  {
    head: 'Last call',
    cell: (s) => (s.lastCall ? <When at={s.lastCall} /> : 'never'),
    value: (s) => s.lastCall ?? '',
    width: '130px',
  },
];

/** How many seats there are, how many are taken, and which nobody uses. */
export function Page() {
  const org = useOrg();
  const { items } = useAsk(listSeats, { org });
  const [at, set] = useAddress(inPage);
  const [asking, setAsking] = useState<Limit | 'new'>();
  const input = useMemo(() => ({ org, query: { days: at.days } }), [org, at.days]);
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Seats"
        actions={
          <Act can="directory.manage" onClick={() => setAsking('new')}>
            Set a limit…
          </Act>
        }
      >
        A seat is taken at the first sign-in. Where every seat is taken, a member cannot sign in until one is free.
      </PageHead>
      <Section title="Limits" note={items.length === 0 ? 'none: everybody gets a seat' : count(items.length)}>
        {items.map((l) => (
          <div key={l.tier} className={c.limit}>
            <div className={c.head}>
              <b>{l.tier === 'all' ? 'Whole organization' : `Tier ${l.tier}`}</b>
              <span className="gh-num">
                {count(l.taken)} of {count(l.seats)}
              </span>
              <Act can="directory.manage" size="sm" onClick={() => setAsking(l)}>
                Change…
              </Act>
            </div>
            <div className={c.bar} role="img" aria-label={`${l.taken} taken, ${l.left} free, of ${l.seats}`}>
              <i className={c.taken} style={{ flex: Math.max(l.taken, 0) }} />
              <i className={c.free} style={{ flex: l.left }} />
            </div>
            <p className="gh-s gh-2">{sentence(l.says)}</p>
          </div>
        ))}
      </Section>
      <Section title="Idle seats" note="neither a sign-in nor a call of an agent">
        <DataTable
          op={listIdleSeats}
          input={input}
          name="idle seats"
          columns={columns}
          row={(s) => s.user}
          searchable="Search name or e-mail"
          tools={
            <Select
              aria-label="Idle for"
              w={170}
              allowDeselect={false}
              value={String(at.days)}
              data={[7, 30, 60, 90, 180, 365].map((d) => ({ value: String(d), label: `${d} days or more` }))}
              onChange={(d) => set({ days: Number(d) })}
            />
          }
          empty={
            <>
              <h3>No seat is idle</h3>
              <p>Everybody with a seat has signed in or had an agent call a tool within {countOf(at.days, 'day')}.</p>
            </>
          }
        />
      </Section>
      {asking && <SetLimit of={asking === 'new' ? undefined : asking} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

function SetLimit({ of, onClose }: { of: Limit | undefined; onClose: () => void }) {
  const org = useOrg();
  const [tier, setTier] = useState(of?.tier ?? 'all');
  const [seats, setSeatsTyped] = useState(String(of?.seats ?? ''));
  const setting = useDo(setSeats);
  const ending = useDo(endSeatLimit);
  const n = Number(seats);
  const name = tier.trim();
  return (
    <Confirm
      open
      title={
        of
          ? `Change the limit of ${of.tier === 'all' ? 'the organization' : `tier ${of.tier}`}`
          : 'Set a limit of seats'
      }
      act={of && seats === '' ? 'End the limit' : 'Set the limit'}
      busy={setting.busy || ending.busy}
      refusal={setting.refusal ?? ending.refusal}
      wait={name === '' ? 'Enter a tier, or all.' : !of && seats === '' ? 'Enter how many seats there are.' : undefined}
      onClose={onClose}
      onAct={() =>
        void (of && seats === ''
          ? ending.run({ org, tier: name }, onClose)
          : setting.run({ org, tier: name, body: { seats: n } }, onClose))
      }
    >
      <p className="gh-s gh-2">
        Nobody who has a seat loses it by a lower limit; whoever has none cannot sign in until one is free.{' '}
        {of && 'Leave the number empty to end the limit.'}
      </p>
      {!of && (
        <TextInput
          label="Tier"
          description="all means the whole organization"
          value={tier}
          onChange={(e) => setTier(e.currentTarget.value)}
        />
      )}
      <TextInput
        label="Seats"
        inputMode="numeric"
        value={seats}
        onChange={(e) => setSeatsTyped(e.currentTarget.value.replaceAll(/\D/g, ''))}
        data-autofocus
      />
      {of && seats !== '' && n < of.taken && (
        <p className="gh-s">
          {countOf(of.taken - n, 'seat')} more would be taken than there are;{' '}
          {countOf(of.waiting, 'member waits', 'members wait')} for one already.
        </p>
      )}
    </Confirm>
  );
}
