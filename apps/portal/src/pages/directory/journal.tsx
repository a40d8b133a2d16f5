import { Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { getDirectory, listJournal } from '@gatehouse/client/directory.ts';
import { State, Tag } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { At } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';

type Line = OutputOf<typeof listJournal>['items'][number];

/** Reading the journal is written down; asked under a room of its own, reading does not make the page read again for ever. */
const journal = { ...listJournal, room: 'journal' };

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  ask(getDirectory, { org, directory: params['directory'] ?? '' });

const inPage = { status: 'all', method: 'all' };
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const columns: readonly Column<Line>[] = [
  { head: 'At, UTC', cell: (l) => <At at={l.at} exact />, value: (l) => l.at, width: '190px' },
  { head: 'Method', cell: (l) => <Tag>{l.method}</Tag>, value: (l) => l.method, width: '90px' },
  {
    head: 'Path',
    cell: (l) => <span className="gh-id">{l.path}</span>,
    value: (l) => l.path,
    width: 'minmax(220px, 3fr)',
  },
  {
    head: 'Answer',
    cell: (l) =>
      l.status < 400 ? (
        <State is="answered" quiet>
          {l.status}
        </State>
      ) : (
        <State is={l.status < 500 ? 'denied' : 'failed'}>{l.status}</State>
      ),
    value: (l) => l.status,
    width: '90px',
  },
  {
    head: 'What came of it',
    cell: (l) => l.problem?.says ?? (l.changed.length > 0 ? `${count(l.changed.length)} changed` : 'nothing changed'),
    value: (l) => l.problem?.code ?? String(l.changed.length),
    width: 'minmax(200px, 3fr)',
  },
  { head: 'ms', cell: (l) => count(l.ms), value: (l) => l.ms, width: '60px', right: true },
];

/** What a directory sent, as it came, and what came of it. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { directory = '' }: { directory?: string } = useParams({ strict: false });
  const d = useAsk(getDirectory, { org, directory });
  const [at, set] = useAddress(inPage);
  const input = useMemo(() => {
    const method = methods.find((m) => m === at.method);
    return {
      org,
      directory,
      query: { ...(method ? { method } : {}), ...(at.status === 'all' ? {} : { status: at.status }) },
    };
  }, [org, directory, at.method, at.status]);
  return (
    <div className="gh-page">
      <PageHead room={d.name} roomAt={`directory/scim/${directory}`} title="Journal">
        Every request of {d.name} for {count(d.settings.journalDays)} days: as it came, what it meant, what it changed,
        how it ended. Secrets are taken out. Who reads it is written down.
      </PageHead>
      <DataTable
        op={journal}
        input={input}
        name={`journal of ${d.name}`}
        columns={columns}
        row={(l) => l.id}
        onRow={(l) => go(`directory/scim/${directory}/journal/${l.id}`)}
        searchable="Search path, person or text"
        tools={
          <>
            <Select
              aria-label="Answer"
              w={150}
              allowDeselect={false}
              value={at.status}
              data={[
                { value: 'all', label: 'Every answer' },
                { value: '2xx', label: 'Taken (2xx)' },
                { value: '4xx', label: 'Refused (4xx)' },
                { value: '5xx', label: 'Our fault (5xx)' },
              ]}
              onChange={(v) => set({ status: v ?? 'all' })}
            />
            <Select
              aria-label="Method"
              w={140}
              allowDeselect={false}
              value={at.method}
              data={[{ value: 'all', label: 'Every method' }, ...methods.map((m) => ({ value: m, label: m }))]}
              onChange={(v) => set({ method: v ?? 'all' })}
            />
          </>
        }
        empty={
          <>
            <h3>Nothing came yet</h3>
            <p>
              What the identity provider sends is listed here, also what was refused and why. Reads are listed only
              while the settings say so.
            </p>
          </>
        }
      />
    </div>
  );
}
