import { Button, Modal } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listDetectors, removeDetector } from '@gatehouse/client/dlp.ts';
import { Head, Tag } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';

export const loader = ({ org, askRows, search }: LoaderContext): Promise<unknown> =>
  askRows(listDetectors, { org, query: search['q'] ? { q: search['q'] } : {} });

type Detector = OutputOf<typeof listDetectors>['items'][number];
const kinds = {
  terms: 'terms',
  pattern: 'a pattern',
  dictionary: 'a dictionary',
  exact: 'a table of exact values',
} as const;

/** What the organization itself calls confidential. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [gone, setGone] = useState<Detector>();
  const remove = useDo(removeDetector);
  const forget = async (): Promise<void> => {
    if (!gone) return;
    await remove.run({ org, detector: gone.id });
    setGone(undefined);
  };
  const add = (
    <Act can="policy.manage" variant="filled" onClick={() => go('dlp/detectors/new')}>
      Add a detector
    </Act>
  );
  return (
    <div className="gh-page">
      <Head room="DLP" roomHref={`/portal/${org}/dlp/findings`} title="Own detectors" actions={add}>
        What your organization itself calls confidential, beside what is found everywhere. What they look for is not
        shown again.
      </Head>
      <DataTable
        op={listDetectors}
        input={{ org }}
        name="own detectors"
        row={(d) => d.id}
        searchable="Search names"
        height={48}
        columns={[
          { head: 'Detector', cell: (d) => <b>{d.name}</b>, value: (d) => d.name },
          { head: 'Looks for', cell: (d) => kinds[d.kind], value: (d) => d.kind },
          { head: 'Severity', cell: (d) => <Tag>{d.severity}</Tag>, value: (d) => d.severity, width: '110px' },
          { head: 'Entries', cell: (d) => count(d.entries), value: (d) => d.entries, right: true, width: '100px' },
          { head: 'Since, UTC', cell: (d) => <At at={d.createdAt} />, value: (d) => d.createdAt, width: '150px' },
          {
            head: 'Act',
            cell: (d) => (
              <Act can="policy.manage" size="sm" onClick={() => setGone(d)}>
                Remove…
              </Act>
            ),
            width: '110px',
          },
        ]}
        empty={
          <>
            <h2>No detector of your own yet</h2>
            <p>
              Project names, customer numbers, a table of records: what only you know to be confidential. Of exact
              values only digests are kept.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
      <Modal
        opened={gone !== undefined}
        onClose={() => setGone(undefined)}
        title={`Remove “${gone?.name ?? ''}”?`}
        size={440}
      >
        <div className={c.dialog}>
          <p className="gh-s gh-2">
            What it knew, {countOf(gone?.entries ?? 0, 'entry', 'entries')}, is forgotten at once and cannot be brought
            back. Policies that speak of it find nothing any more.
          </p>
          <Problem of={remove.refusal} />
          <div className={c.foot}>
            <Button onClick={() => setGone(undefined)}>Back</Button>
            <Button variant="filled" color="negative" loading={remove.busy} onClick={() => void forget()}>
              Remove it and forget {countOf(gone?.entries ?? 0, 'entry', 'entries')}
            </Button>
          </div>
        </div>
      </Modal>
    </div>
  );
}
