import { Button, Drawer, Modal, SegmentedControl } from '@mantine/core';
import { get, health, list as listConnections, revoke } from '@gatehouse/client/connections.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Facts, Hash, Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { question, useAsk, useDo } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { Go } from '../../kit/go.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { countOf, moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';

type Connection = OutputOf<typeof listConnections>['items'][number];
const standings: Record<Connection['health']['state'], { is: GlyphName; word: string }> = {
  good: { is: 'ok', word: 'In order' },
  ending: { is: 'caution', word: 'Ends soon' },
  retrying: { is: 'caution', word: 'Not renewed' },
  broken: { is: 'broken', word: 'Not working' },
  ended: { is: 'none', word: 'Ended' },
};
const ownerOf = (x: Connection): string => (x.owner.kind === 'person' ? x.owner.name : 'The organization');
const Standing = ({ of }: { of: Connection }) => (
  <State is={standings[of.health.state].is} quiet={of.health.state === 'good' || of.health.state === 'ended'}>
    {standings[of.health.state].word}
  </State>
);

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(health, { org });

const defaults = { show: 'live', open: '' };
const filters = [
  { value: 'live', label: 'Live' },
  { value: 'organization', label: 'The organization’s' },
  { value: 'revoked', label: 'Ended' },
];

/** Who connected what, how it stands, and its end. */
export function Page() {
  const org = useOrg();
  const [{ show, open }, set] = useAddress(defaults);
  const [ending, setEnding] = useState<Connection>();
  const input = useMemo(
    () => ({
      org,
      query:
        show === 'organization' ? { owner: 'organization' } : show === 'revoked' ? ({ state: 'revoked' } as const) : {},
    }),
    [org, show],
  );
  return (
    <div className="gh-page">
      <Head room="Connectors" roomHref={`/portal/${org}/connectors`} title="Connections">
        Who connected which account, how it stands, and what ends next. What opens an account is never shown.
      </Head>
      <Health />
      <Section title="All connections">
        <DataTable
          op={listConnections}
          input={input}
          name="connections"
          searchable="Search accounts, people and connectors"
          row={(x) => x.id}
          onRow={(x) => set({ open: x.id }, { push: true })}
          height={48}
          tools={
            <SegmentedControl aria-label="Show" data={filters} value={show} onChange={(to) => set({ show: to })} />
          }
          columns={[
            { head: 'Whose', cell: (x) => <b>{ownerOf(x)}</b>, value: ownerOf },
            { head: 'Connector', cell: (x) => x.connector.name, value: (x) => x.connector.name, width: '160px' },
            {
              head: 'Account',
              cell: (x) => x.account?.label ?? 'unknown',
              value: (x) => x.account?.label ?? '',
              width: 'minmax(150px, 2fr)',
            },
            {
              head: 'For',
              cell: (x) => (x.access === 'read_only' ? 'reading' : 'reading and writing'),
              value: (x) => x.access,
              width: '150px',
            },
            {
              head: 'State',
              cell: (x) => <Standing of={x} />,
              value: (x) => standings[x.health.state].word,
              width: '130px',
            },
            {
              head: 'Ends, UTC',
              cell: (x) => (x.nextEnd ? <At at={x.nextEnd.at} /> : <span className="gh-3">not by itself</span>),
              value: (x) => x.nextEnd?.at ?? '',
              width: '160px',
            },
            {
              head: 'Last used, UTC',
              cell: (x) => (x.lastUsed ? <At at={x.lastUsed} /> : <span className="gh-3">not yet</span>),
              value: (x) => x.lastUsed ?? '',
              width: '160px',
            },
          ]}
          empty={
            <p>
              {show === 'revoked'
                ? 'No connection has ended yet.'
                : 'Nobody has connected an account yet. People connect theirs under Mine; you give the organization’s on the page of a connector.'}
            </p>
          }
        />
      </Section>
      <Drawer opened={open !== ''} onClose={() => set({ open: '' })} position="right" size={536} title="Connection">
        {open !== '' && <One id={open} onEnd={setEnding} />}
      </Drawer>
      {ending && (
        <End
          of={ending}
          onClose={() => setEnding(undefined)}
          onDone={() => {
            setEnding(undefined);
            set({ open: '' });
          }}
        />
      )}
    </div>
  );
}

function Health() {
  const org = useOrg();
  const [, set] = useAddress(defaults);
  const { connections, apps } = useAsk(health, { org });
  const n = connections.length + apps.length;
  if (n === 0) return null;
  return (
    <Section title="Needs somebody" note={countOf(n, 'thing')}>
      <ul className={c.types}>
        {apps.map((a) => (
          <li key={a.connector.id}>
            <div>
              <h3>The app for {a.connector.name}</h3>
              <p>
                {sentence(a.says)} {sentence(a.fix)} {countOf(a.connections, 'connection')} go through it.
              </p>
            </div>
            <State is={a.failingSince ? 'broken' : 'caution'}>{a.failingSince ? 'Refused' : 'Ends soon'}</State>
            <Go at={`connectors/${a.connector.id}`} search={{ tab: 'account' }}>
              Mend it
            </Go>
          </li>
        ))}
        {connections.map((x) => (
          <li key={x.id}>
            <div>
              <h3>
                {ownerOf(x)}, {x.connector.name}
              </h3>
              <p>
                {sentence(x.health.says)} {x.health.fix && sentence(x.health.fix)}
              </p>
            </div>
            <Standing of={x} />
            <Button size="sm" onClick={() => set({ open: x.id }, { push: true })}>
              Look
              <span className="gh-vh">
                {' '}
                at the connection of {ownerOf(x)} to {x.connector.name}
              </span>
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function One({ id, onEnd }: { id: string; onEnd: (x: Connection) => void }) {
  const org = useOrg();
  const { data: x, error } = useQuery(question(get, { org, cnn: id }));
  if (error) return <p className={c.drawer}>There is no such connection here.</p>;
  if (!x) return <Bones rows={5} />;
  return (
    <div className={c.drawer}>
      <Standing of={x} />
      <p>
        {sentence(x.health.says)} {x.health.fix && sentence(x.health.fix)}
      </p>
      <Facts
        of={[
          [
            'Connection',
            <Hash key="id" label="id of the connection" head={40}>
              {x.id}
            </Hash>,
          ],
          ['Whose', x.owner.kind === 'person' ? `${x.owner.name}, ${x.owner.email}` : 'the organization’s'],
          ['Connector', x.connector.name],
          [
            'Account',
            x.account ? `${x.account.label}${x.account.tenant ? `, tenant ${x.account.tenant}` : ''}` : 'unknown',
          ],
          ['It', x.says],
          [
            'Scopes',
            x.scopes.length > 0 ? (
              <span key="s" className="gh-id gh-wrapped">
                {x.scopes.join(' ')}
              </span>
            ) : (
              'none named'
            ),
          ],
          ['Made', moment(x.made.at)],
          ['Last used', x.lastUsed ? moment(x.lastUsed) : 'not yet'],
          ['Last renewed', x.lastRefreshed ? moment(x.lastRefreshed) : 'not yet'],
          ['Ends', x.nextEnd ? sentence(x.nextEnd.says) : 'not by itself'],
          ...(x.ended
            ? [
                [
                  'Ended',
                  `${moment(x.ended.at)}: ${x.ended.why.replaceAll('_', ' ')}; at the vendor: ${x.ended.atVendor}`,
                ] as const,
              ]
            : []),
        ]}
      />
      {!x.ended && (
        <div className="gh-actions">
          <Act can="connector.manage" onClick={() => onEnd(x)}>
            End the connection…
          </Act>
        </div>
      )}
      <Section title="What happened to it" note="newest first">
        <ul className={c.lines}>
          {x.history.map((e) => (
            <li key={`${e.at}-${e.type}`}>
              <span />
              <div>
                {sentence(e.says)}
                <p className="gh-xs">{moment(e.at)}</p>
              </div>
            </li>
          ))}
        </ul>
        {x.history.length === 0 && <p className="gh-s gh-2">Nothing is in the log yet.</p>}
      </Section>
    </div>
  );
}

function End({ of, onClose, onDone }: { of: Connection; onClose: () => void; onDone: () => void }) {
  const org = useOrg();
  const end = useDo(revoke, { also: ['connectors', 'mine'], done: onDone });
  return (
    <Modal opened onClose={onClose} title={`End the connection of ${ownerOf(of)} to ${of.connector.name}?`} size={480}>
      <div className={c.stack}>
        <p className="gh-s gh-2">
          {of.owner.kind === 'person'
            ? 'Their agents can no longer use the account, from now on. They may connect it again.'
            : 'Nobody’s calls work at this connector until it is given an account again.'}{' '}
          The vendor is told as soon as it can be.
        </p>
        <Problem of={end.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            color="negative"
            loading={end.busy}
            onClick={() => void end.run({ org, cnn: of.id })}
          >
            End the connection
          </Button>
        </div>
      </div>
    </Modal>
  );
}
