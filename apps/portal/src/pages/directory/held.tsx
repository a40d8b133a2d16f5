import { Button, Checkbox } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { applyHeld, discardHeld, findSettings, listHeld } from '@gatehouse/client/provisioning.ts';
import { Banner, State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At, When } from '../../kit/time.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { Person } from '../people/person.tsx';
import { roleWord } from '../people/role-words.ts';

type Held = OutputOf<typeof listHeld>['items'][number];

export const loader = ({ org, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(findSettings, { org }), askRows(listHeld, { org })]);

const kindWord: Record<Held['kind'], string> = {
  disabled: 'Disabled there',
  deleted: 'Deleted there',
  unmapped: 'Left the last mapped group',
  lowered: 'Would get a lower role',
};

/** Removals that the brake holds: who, why, and the two ways to decide. */
export function Page() {
  const org = useOrg();
  const { brake } = useAsk(findSettings, { org });
  const input = useMemo(() => ({ org }), [org]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<'apply' | 'discard'>();
  const [said, setSaid] = useState<string>();
  const toggle = (id: string): void =>
    setChosen((before) => (before.has(id) ? new Set([...before].filter((x) => x !== id)) : new Set([...before, id])));
  const n = chosen.size === 0 ? brake.held : chosen.size;
  const columns: Column<Held>[] = [
    {
      head: 'Name',
      cell: (h) => <Person name={h.displayName} email={h.email} />,
      value: (h) => h.displayName || h.email,
    },
    {
      head: 'Choose',
      cell: (h) => (
        <Checkbox
          aria-label={`Choose ${h.displayName || h.email}`}
          checked={chosen.has(h.id)}
          onChange={() => toggle(h.id)}
          onClick={(e) => e.stopPropagation()}
        />
      ),
      width: '72px',
    },
    { head: 'E-mail', cell: (h) => h.email, value: (h) => h.email },
    { head: 'Role now', cell: (h) => (h.role ? roleWord[h.role] : 'none'), value: (h) => h.role ?? '', width: '120px' },
    {
      head: 'What came',
      cell: (h) => (
        <State is="held">
          {kindWord[h.kind]}
          {h.groupName ? `, ${h.groupName}` : ''}
        </State>
      ),
      value: (h) => kindWord[h.kind],
      width: 'minmax(200px, 2fr)',
    },
    { head: 'Held since', cell: (h) => <At at={h.at} />, value: (h) => h.at, width: '150px' },
  ];
  return (
    <div className="gh-page">
      <PageHead
        room="Directory"
        roomAt="directory/members"
        title="Held removals"
        actions={
          brake.held > 0 && (
            <>
              <Act can="directory.manage" onClick={() => setAsking('discard')}>
                Keep {chosen.size === 0 ? 'all ' : ''}
                {count(n)}…
              </Act>
              <Act can="directory.manage" onClick={() => setAsking('apply')}>
                Remove {chosen.size === 0 ? 'all ' : ''}
                {count(n)}…
              </Act>
            </>
          )
        }
      >
        The brake holds more than {count(brake.limit)} removals in {count(brake.minutes)} minutes, and a mapped group of
        more than {count(brake.emptiedGroup)} that is emptied at once.
      </PageHead>
      {said !== undefined && (
        <Banner
          is="answered"
          title={said}
          actions={
            <Button size="sm" onClick={() => setSaid(undefined)}>
              Close
            </Button>
          }
        />
      )}
      {brake.held > 0 && (
        <Banner is="held" title={`${countOf(brake.held, 'removal is', 'removals are')} held`}>
          Who is held keeps access until an owner decides. Somebody who must go now is suspended on their own page; that
          is never held.
        </Banner>
      )}
      <DataTable
        op={listHeld}
        input={input}
        name="held removals"
        columns={columns}
        row={(h) => h.id}
        height={48}
        onRow={(h) => toggle(h.id)}
        searchable="Search name or e-mail"
        empty={
          <>
            <h3>Nothing is held</h3>
            <p>
              When an identity provider takes many people away at once, they wait here and keep their access until an
              owner has looked.
            </p>
            <div className="gh-actions">
              <GoButton to="directory/mappings">See mappings</GoButton>
            </div>
          </>
        }
      />
      {asking && (
        <Decide
          what={asking}
          n={n}
          removals={chosen.size === 0 ? 'all' : [...chosen]}
          onClose={() => setAsking(undefined)}
          onDone={(says) => {
            setAsking(undefined);
            setChosen(new Set());
            setSaid(says);
          }}
        />
      )}
    </div>
  );
}

function Decide({
  what,
  n,
  removals,
  onClose,
  onDone,
}: {
  what: 'apply' | 'discard';
  n: number;
  removals: 'all' | string[];
  onClose: () => void;
  onDone: (says: string) => void;
}) {
  const org = useOrg();
  const first = useAsk(listHeld, { org, query: { limit: 200 } });
  const apply = useDo(applyHeld, { also: ['org', 'identity', 'directory'] });
  const discard = useDo(discardHeld, { also: ['org', 'directory'] });
  const [seen, setSeen] = useState(false);
  const people = first.items.filter((h) => removals === 'all' || removals.includes(h.id));
  const named = people.slice(0, 6).map((h) => h.displayName || h.email);
  const [oldest] = people.map((h) => h.at).toSorted();
  if (what === 'discard')
    return (
      <Confirm
        open
        title={`Keep ${countOf(n, 'person', 'people')}?`}
        act={`Keep ${countOf(n, 'person', 'people')}`}
        busy={discard.busy}
        refusal={discard.refusal}
        onClose={onClose}
        onAct={() =>
          void discard
            .run({ org, body: { removals } })
            .then(
              (d) =>
                d &&
                onDone(
                  `${countOf(d.count, 'removal is', 'removals are')} discarded; what the directory had taken is put back here`,
                ),
            )
        }
      >
        <p className="gh-s gh-2">
          Everybody stays as they were, and what the directory had taken here is put back. The identity provider is not
          told: if it still says so, it sends the same again. Repair it there as well.
        </p>
      </Confirm>
    );
  return (
    <Confirm
      open
      danger
      title={`Remove ${countOf(n, 'person', 'people')}?`}
      act={`Remove ${countOf(n, 'person', 'people')}`}
      busy={apply.busy}
      refusal={apply.refusal}
      wait={seen ? undefined : 'Tick the line above first.'}
      onClose={onClose}
      onAct={() =>
        void apply
          .run({ org, body: { removals } })
          .then((d) => d && onDone(`${countOf(d.count, 'removal', 'removals')} carried out`))
      }
    >
      <p className="gh-s gh-2">
        They lose access at once: sessions, tokens and waiting approvals end within a second, and connections must be
        made again.{' '}
        {oldest && (
          <>
            Held since <When at={oldest} />.
          </>
        )}
      </p>
      <Checkbox
        checked={seen}
        onChange={(e) => setSeen(e.currentTarget.checked)}
        label={`I have seen who loses access: ${named.join(', ')}${n > named.length ? ` and ${count(n - named.length)} more, listed on this page` : ''}`}
      />
    </Confirm>
  );
}
