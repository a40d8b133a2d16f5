import { Select } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { listBaseline, listQuarantine } from '@gatehouse/client/dlp.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { useAddress } from '../../kit/address.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';
import { KeptState, type Kept } from './kept-state.tsx';
import { classesOf, phaseNames, useClasses } from './words.tsx';

const stateNames = {
  waiting: 'waits',
  released: 'released',
  delivered: 'delivered',
  discarded: 'discarded',
  expired: 'expired',
} as const;
const isState = (text: string): text is Kept['state'] => Object.hasOwn(stateNames, text);
const shown = { state: 'waiting' };
const queryOf = (state: string) => (isState(state) ? { state } : {});

export const loader = ({ org, ask, askRows, search }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(listBaseline, classesOf(org)),
    askRows(listQuarantine, {
      org,
      query: { ...queryOf(search['state'] ?? shown.state), ...(search['q'] ? { q: search['q'] } : {}) },
    }),
  ]);

/** Content that was stopped and waits for people, without the content. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(shown);
  const classes = useClasses();
  const connectors = useConnectors();
  const whatOf = (k: Kept): string => [...new Set(k.findings.map((f) => classes.nameOf(f.detector)))].join(', ');
  const whereOf = (k: Kept): string =>
    k.tool === null
      ? phaseNames[k.phase]
      : `${k.tool}${k.connector === null ? '' : ` of ${connectors.nameOf(k.connector)}`}, ${phaseNames[k.phase]}`;
  const whoOf = (k: Kept): string => k.asker.name ?? k.asker.user ?? k.asker.client;
  return (
    <div className="gh-page">
      <Head room="DLP" roomHref={`/portal/${org}/dlp/findings`} title="Quarantine">
        Content that was stopped and may be released. A sealed copy is kept for 72 hours, and delivered once to the same
        person when it is asked for again.
      </Head>
      <DataTable
        key={at.state}
        op={listQuarantine}
        input={{ org, query: queryOf(at.state) }}
        name="kept content"
        row={(k) => k.id}
        onRow={(k) => go(`dlp/quarantine/${k.id}`)}
        searchable="Search person, tool, call or what was found"
        tools={
          <Select
            aria-label="State"
            data={[
              { value: 'all', label: 'every state' },
              ...Object.entries(stateNames).map(([value, label]) => ({ value, label })),
            ]}
            value={isState(at.state) ? at.state : 'all'}
            onChange={(to) => set({ state: to ?? shown.state })}
            w={160}
          />
        }
        columns={[
          { head: 'Found', cell: (k) => <b>{whatOf(k)}</b>, value: whatOf, width: 'minmax(200px, 2fr)' },
          { head: 'State', cell: (k) => <KeptState of={k} />, value: (k) => k.state, width: '210px' },
          { head: 'Where', cell: whereOf, value: whereOf, width: 'minmax(180px, 1.6fr)' },
          { head: 'Kept from', cell: whoOf, value: whoOf, width: 'minmax(140px, 1fr)' },
          { head: 'Kept, UTC', cell: (k) => <At at={k.keptAt} />, value: (k) => k.keptAt, width: '150px' },
        ]}
        empty={
          at.state === 'waiting' ? (
            <>
              <h2>Nothing waits for a reviewer</h2>
              <p>A policy that keeps content for review puts it here; until somebody releases it, nobody gets it.</p>
            </>
          ) : (
            <p>Nothing kept is {isState(at.state) ? stateNames[at.state] : 'here'}.</p>
          )
        }
      />
    </div>
  );
}
