import { Drawer, SegmentedControl } from '@mantine/core';
import { listTools } from '@gatehouse/client/mine.ts';
import { Facts, Head, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { Go } from '../../kit/go.tsx';
import { useHere } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import type { LoaderContext } from '../page.ts';
import c from './mine.module.css';
import { classWords, outlooks, type MyTool } from './words.ts';

const filters = [
  { value: 'all', label: 'All' },
  { value: 'allowed', label: 'Yes' },
  { value: 'asks', label: 'Asks' },
  { value: 'depends', label: 'Depends' },
  { value: 'denied', label: 'No' },
];
const outcomeOf = (text: string): MyTool['outcome'] | undefined =>
  text === 'allowed' || text === 'asks' || text === 'depends' || text === 'denied' ? text : undefined;
const defaults = { may: 'all' };

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listTools, { org, query: { limit: 1 } });

/** Every tool with what would become of a call of mine now, and why. */
export function Page() {
  const { org, orgName } = useHere();
  const [{ may }, set] = useAddress(defaults);
  const [open, setOpen] = useState<MyTool>();
  const outcome = outcomeOf(may);
  const input = useMemo(() => ({ org, query: outcome ? { outcome } : {} }), [org, outcome]);
  return (
    <div className="gh-page">
      <Head room="Mine" roomHref={`/portal/${org}/mine`} title="What I may use">
        Every tool that {orgName} has, and what would happen if an agent of yours called it now. The same rules decide
        that decide real calls.
      </Head>
      <DataTable
        op={listTools}
        input={input}
        name="tools"
        searchable="Search tool or connector"
        row={(t) => `${t.connector.id}-${t.tool}`}
        onRow={setOpen}
        height={48}
        tools={<SegmentedControl aria-label="May I" data={filters} value={may} onChange={(to) => set({ may: to })} />}
        columns={[
          { head: 'Tool', cell: (t) => <span className="gh-mono">{t.tool}</span>, value: (t) => t.tool },
          { head: 'Connector', cell: (t) => t.connector.name, value: (t) => t.connector.name, width: '160px' },
          { head: 'Class', cell: (t) => <Tag>{t.class}</Tag>, value: (t) => t.class, width: '110px' },
          {
            head: 'May I',
            cell: (t) => (
              <State is={outlooks[t.outcome].is} quiet={t.outcome !== 'asks'}>
                {outlooks[t.outcome].word}
              </State>
            ),
            value: (t) => outlooks[t.outcome].word,
            width: '130px',
          },
          {
            head: 'Why',
            cell: (t) => <span className="gh-2">{sentence(t.says)}</span>,
            value: (t) => t.says,
            width: 'minmax(200px, 3fr)',
          },
        ]}
        empty={
          <p>
            {orgName} has no tools {outcome ? 'of which this is so' : 'yet'}. Tools come with connectors, and can be
            used once somebody has reviewed them.
          </p>
        }
      />
      <Drawer
        opened={open !== undefined}
        onClose={() => setOpen(undefined)}
        position="right"
        size={536}
        title={open?.tool}
      >
        {open && <Why of={open} />}
      </Drawer>
    </div>
  );
}

function Why({ of }: { of: MyTool }) {
  const { orgName } = useHere();
  const o = outlooks[of.outcome];
  return (
    <div className={c.drawer}>
      <State is={o.is}>{o.word}</State>
      <p>{sentence(of.says)}</p>
      <Facts
        of={[
          ['Connector', of.connector.name],
          ['Class', `${of.class}: ${classWords[of.class].toLowerCase()}`],
          ['Rules', of.rules.length > 0 ? of.rules.join(', ') : 'none speaks of it for you'],
          ['Connector is', of.connector.on ? 'on' : 'off, for everyone'],
        ]}
      />
      {of.outcome === 'asks' && (
        <p className="gh-s gh-2">
          The call waits until a person agrees to exactly this call. What waits is under{' '}
          <Go at="mine/approvals">My approvals</Go>.
        </p>
      )}
      {of.outcome === 'denied' && (
        <p className="gh-s gh-2">If you need it for your work, ask an administrator of {orgName} and name the tool.</p>
      )}
    </div>
  );
}
