import { Drawer, SegmentedControl } from '@mantine/core';
import { explainCall, listCalls } from '@gatehouse/client/mine.ts';
import { Facts, Hash, Head, State } from '@gatehouse/ui/parts.tsx';
import { useEffect, useMemo, useState } from 'react';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { useAddress } from '../../kit/address.ts';
import { useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { Bones } from '../../kit/bones.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './mine.module.css';
import { endings, outlooks, whyOf, type MyCall } from './words.ts';

const defaults = { show: 'all' };
const filters = [
  { value: 'all', label: 'All' },
  { value: 'refused', label: 'Refused' },
  { value: 'held', label: 'Held' },
];

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listCalls, { org, query: { limit: 1 } });

/** What agents did in my name, and why it was refused where it was. */
export function Page() {
  const { org } = useHere();
  const [{ show }, set] = useAddress(defaults);
  const [open, setOpen] = useState<MyCall>();
  const input = useMemo(
    () => ({
      org,
      query: show === 'refused' ? { refused: 'true' } : show === 'held' ? ({ outcome: 'held' } as const) : {},
    }),
    [org, show],
  );
  return (
    <div className="gh-page">
      <Head room="Mine" roomHref={`/portal/${org}/mine`} title="My calls">
        What agents did in your name, newest first. Arguments are not kept here.
      </Head>
      <DataTable
        op={listCalls}
        input={input}
        name="my calls"
        searchable="Search tool or connector"
        row={(call) => call.id}
        onRow={setOpen}
        height={32}
        tools={<SegmentedControl aria-label="Show" data={filters} value={show} onChange={(to) => set({ show: to })} />}
        columns={[
          { head: 'Tool', cell: (x) => <span className="gh-mono">{x.tool}</span>, value: (x) => x.tool },
          { head: 'Connector', cell: (x) => x.connector.name ?? 'gone', value: (x) => x.connector.name ?? '' },
          {
            head: 'Ended',
            cell: (x) => {
              const e = endings[x.outcome ?? 'open'];
              return (
                <State is={e.is} quiet={x.outcome === 'answered'}>
                  {e.word}
                </State>
              );
            },
            value: (x) => endings[x.outcome ?? 'open'].word,
            width: '110px',
          },
          {
            head: 'Why',
            cell: (x) => <span className="gh-2">{whyOf(x)}</span>,
            value: whyOf,
            width: 'minmax(180px, 2fr)',
          },
          { head: 'At, UTC', cell: (x) => <At at={x.at} exact />, value: (x) => x.at, width: '190px' },
        ]}
        empty={
          <p>
            {show === 'all'
              ? 'No agent has done anything in your name yet. Each call that one makes is here, also those that were refused.'
              : 'No call of yours ended so.'}
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
        {open && <Explained of={open} />}
      </Drawer>
    </div>
  );
}

function Explained({ of }: { of: MyCall }) {
  const org = useOrg();
  const [why, setWhy] = useState<OutputOf<typeof explainCall>>();
  const { run, refusal } = useDo(explainCall, { done: setWhy });
  useEffect(() => {
    void run({ org, body: { call: of.id } });
  }, [run, org, of.id]);
  const e = endings[of.outcome ?? 'open'];
  return (
    <div className={c.drawer}>
      <State is={e.is}>{e.word}</State>
      {whyOf(of) !== '' && <p>{whyOf(of)}</p>}
      <Facts
        of={[
          [
            'Call',
            <Hash key="id" label="id of the call" head={40}>
              {of.id}
            </Hash>,
          ],
          ['Connector', of.connector.name ?? 'gone'],
          [
            'Agent',
            <span key="client" className="gh-id">
              {of.client}
            </span>,
          ],
          ['Begun', moment(of.at)],
          ['Ended', of.ended ? moment(of.ended) : 'not yet'],
        ]}
      />
      {!why && !refusal && <Bones rows={2} />}
      <Problem of={refusal} />
      {why?.decided && (
        <p className="gh-s gh-2">
          Policy said then: {outlooks[why.decided.outcome].word.toLowerCase()}
          {why.decided.rules.length > 0 &&
            `, by ${why.decided.rules.map((r) => (r.inForce ? r.name : `${r.name} (no longer in force)`)).join(', ')}`}
          .
        </p>
      )}
      {why?.now && <p className="gh-s gh-2">It says today: {sentence(why.now.says)}</p>}
      {why && !why.now && <p className="gh-s gh-2">What it was decided on is not kept any more.</p>}
    </div>
  );
}
