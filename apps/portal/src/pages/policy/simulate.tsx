import { Select, Tabs } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { simulatePerson, simulateTool } from '@gatehouse/client/policy.ts';
import { Head, Tag } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { ChoosePerson, connectorsOf, useConnectors, type Chosen } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import type { LoaderContext } from '../page.ts';
import { OutcomeState } from './outcome.tsx';
import c from './policy.module.css';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listConnectors, connectorsOf(org));

const shown = { of: 'person', user: '', who: '', connector: '', kind: '', outcome: '', outside: '' };
const outcomes = { allowed: 'runs unasked', asks: 'asks', depends: 'depends', denied: 'denied' } as const;
const kinds = { read: 'reads', write: 'writes', destructive: 'destroys' } as const;
const isOutcome = (x: string): x is keyof typeof outcomes => Object.hasOwn(outcomes, x);
const isKind = (x: string): x is keyof typeof kinds => Object.hasOwn(kinds, x);
const options = (of: Record<string, string>) => Object.entries(of).map(([value, label]) => ({ value, label }));

type Tool = OutputOf<typeof simulatePerson>['items'][number];
type Who = OutputOf<typeof simulateTool>['items'][number];
type At = Record<keyof typeof shown, string>;

/** What this person may do, and who may do this: every answer is what a call would get. */
export function Page() {
  const org = useOrg();
  const connectors = useConnectors();
  const [at, set] = useAddress(shown);
  const filters = (
    <>
      <Select
        aria-label="Connector"
        placeholder="Every connector"
        clearable
        allowDeselect
        data={connectors.items.map((i) => ({ value: i.id, label: i.name }))}
        value={at.connector === '' ? null : at.connector}
        onChange={(to) => set({ connector: to ?? '' })}
        w={170}
      />
      <Select
        aria-label="Kind"
        placeholder="Every kind"
        clearable
        allowDeselect
        data={options(kinds)}
        value={isKind(at.kind) ? at.kind : null}
        onChange={(to) => set({ kind: to ?? '' })}
        w={130}
      />
      <Select
        aria-label="Outcome"
        placeholder="Every outcome"
        clearable
        allowDeselect
        data={options(outcomes)}
        value={isOutcome(at.outcome) ? at.outcome : null}
        onChange={(to) => set({ outcome: to ?? '' })}
        w={150}
      />
    </>
  );
  return (
    <div className="gh-page">
      <Head room="Policy" roomHref={`/portal/${org}/policy/rules`} title="Simulate">
        What a call would get now, asked of the engine that decides calls. Nothing is called.
      </Head>
      <Tabs value={at.of === 'tool' ? 'tool' : 'person'} onChange={(to) => set({ of: to ?? 'person', outcome: '' })}>
        <Tabs.List>
          <Tabs.Tab value="person">What a person may do</Tabs.Tab>
          <Tabs.Tab value="tool">Who may do something</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={at.of === 'tool' ? 'tool' : 'person'} pt="md">
          {at.of === 'tool' ? (
            <People at={at} set={set} filters={filters} />
          ) : (
            <Tools at={at} set={set} filters={filters} />
          )}
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

type Part = { at: At; set(to: Partial<At>): void; filters: React.ReactNode };
const asked = (at: At) => ({
  ...(at.connector === '' ? {} : { connector: at.connector }),
  ...(isKind(at.kind) ? { class: at.kind } : {}),
  ...(isOutcome(at.outcome) ? { outcome: at.outcome } : {}),
});

function Tools({ at, set, filters }: Part) {
  const org = useOrg();
  const { me } = useHere();
  const user = at.user === '' ? me.user : at.user;
  const [chosen, setChosen] = useState<Chosen>({
    id: user,
    name: user === me.user ? me.name : at.who === '' ? user : at.who,
  });
  const input = useMemo(() => ({ org, query: { user, ...asked(at) } }), [org, user, at]);
  const whose = (t: Tool): string => [...t.policies, ...t.conditions].map((p) => p.name).join(', ');
  return (
    <div className={c.dialog}>
      <div className={c.row}>
        <ChoosePerson
          label="Person"
          required
          value={chosen}
          onChange={(to) => {
            if (!to) return;
            setChosen(to);
            set({ user: to.id, who: to.name });
          }}
        />
      </div>
      <DataTable
        key={JSON.stringify(input)}
        op={simulatePerson}
        input={input}
        name="tools of a person"
        row={(t) => `${t.connector.id}-${t.tool}`}
        searchable="Search tools"
        tools={filters}
        columns={[
          { head: 'Tool', cell: (t) => <b className="gh-mono">{t.tool}</b>, value: (t) => t.tool },
          { head: 'Connector', cell: (t) => t.connector.name, value: (t) => t.connector.name },
          { head: 'Kind', cell: (t) => <Tag>{t.class}</Tag>, value: (t) => t.class, width: '110px' },
          {
            head: 'A call would',
            cell: (t) => <OutcomeState of={t.outcome} />,
            value: (t) => t.outcome,
            width: '150px',
          },
          { head: 'By', cell: whose, value: whose, width: 'minmax(140px, 1.4fr)' },
          { head: 'Because', cell: (t) => sentence(t.says), value: (t) => t.says, width: 'minmax(220px, 2.4fr)' },
        ]}
        empty={<p>No tool fits. Take a filter away, or review the tools of a connector first.</p>}
      />
    </div>
  );
}

function People({ at, set, filters }: Part) {
  const org = useOrg();
  const { outside } = at;
  const input = useMemo(
    () => ({
      org,
      query: {
        ...asked(at),
        ...(at.kind === '' ? { class: 'destructive' as const } : {}),
        ...(outside === 'yes' ? { outside: 'true' } : {}),
      },
    }),
    [org, at, outside],
  );
  const toolsOf = (w: Who): string => w.tools.map((t) => t.tool).join(', ');
  const domains = (w: Who): string => [...new Set(w.tools.flatMap((t) => t.domains))].join(', ');
  return (
    <div className={c.dialog}>
      <p className="gh-s gh-2">
        Who may use tools of a kind{at.kind === '' ? ' (what destroys, until you choose)' : ''}. Asked about recipients
        outside, it says to which domains.
      </p>
      <DataTable
        key={JSON.stringify(input)}
        op={simulateTool}
        input={input}
        name="people who may"
        row={(w) => w.user}
        searchable="Search people"
        tools={
          <>
            {filters}
            <Select
              aria-label="Recipients"
              data={[
                { value: '', label: 'any recipient' },
                { value: 'yes', label: 'recipients outside' },
              ]}
              value={outside}
              onChange={(to) => set({ outside: to ?? '' })}
              w={160}
            />
          </>
        }
        columns={[
          { head: 'Person', cell: (w) => <b>{w.displayName}</b>, value: (w) => w.displayName },
          { head: 'E-mail', cell: (w) => w.email, value: (w) => w.email },
          {
            head: 'A call would',
            cell: (w) => <OutcomeState of={w.outcome} />,
            value: (w) => w.outcome,
            width: '150px',
          },
          { head: 'Tools', cell: toolsOf, value: toolsOf, width: 'minmax(200px, 2fr)' },
          { head: 'Domains', cell: domains, value: domains },
        ]}
        empty={<p>Nobody may. Take a filter away to see more.</p>}
      />
    </div>
  );
}
