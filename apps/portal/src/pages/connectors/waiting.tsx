import { Button, Modal, Switch } from '@mantine/core';
import { getReviewSettings, listWaiting, setReviewSettings } from '@gatehouse/client/connectors.ts';
import { Head, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useGo } from '../../kit/use-go.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { Seen } from '../../kit/seen.tsx';
import { At } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';
import { severityWords, sheetAddress, type Waiting } from './words.ts';

const found = (w: Waiting): number => w.findings.high + w.findings.medium + w.findings.low;

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listWaiting, { org, query: { limit: 1 } }), ask(getReviewSettings, { org })]);

/** New and changed definitions. Nobody can call what is listed here. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const input = useMemo(() => ({ org }), [org]);
  return (
    <div className="gh-page">
      <Head room="Connectors" roomHref={`/portal/${org}/connectors`} title="Tool review">
        What a connector offers and nobody has accepted as it is now. It cannot be called until somebody decides.
      </Head>
      <DataTable
        op={listWaiting}
        input={input}
        name="definitions that wait for a review"
        searchable="Search names and definitions"
        row={(w) => `${w.connector.id}-${w.name ?? 'instructions'}`}
        onRow={(w) => go(sheetAddress(w.connector.id, w.name))}
        height={48}
        columns={[
          {
            head: 'Tool',
            cell: (w) =>
              w.name === null ? (
                'What it tells agents'
              ) : (
                <span className="gh-mono">
                  <Seen>{w.name}</Seen>
                </span>
              ),
            value: (w) => w.name ?? 'instructions',
          },
          { head: 'Connector', cell: (w) => w.connector.name, value: (w) => w.connector.name, width: '160px' },
          {
            head: 'Why it waits',
            cell: (w) => (
              <span>
                {severityWords[w.severity]}
                {w.class && (
                  <>
                    {' '}
                    <Tag>was {w.class}</Tag>
                  </>
                )}
              </span>
            ),
            value: (w) => severityWords[w.severity],
            width: '250px',
          },
          {
            head: 'Found',
            cell: (w) =>
              found(w) === 0 ? (
                <span className="gh-3">nothing</span>
              ) : (
                <State is={w.findings.high > 0 ? 'broken' : 'caution'} title={w.says ?? severityWords[w.severity]}>
                  {countOf(found(w), 'finding')}
                </State>
              ),
            value: (w) => w.findings.high * 1_000_000 + w.findings.medium * 1000 + w.findings.low,
            width: '130px',
          },
          { head: 'Since, UTC', cell: (w) => <At at={w.since} />, value: (w) => w.since, width: '160px' },
        ]}
        empty={
          <p>
            Nothing waits. When a connector offers a new tool, or a different one than was reviewed, it is here before
            anybody can call it.
          </p>
        }
      />
      <Cosmetic />
    </div>
  );
}

function Cosmetic() {
  const org = useOrg();
  const may = useMay('connector.manage');
  const { acceptCosmetic } = useAsk(getReviewSettings, { org });
  const [asking, setAsking] = useState(false);
  const save = useDo(setReviewSettings, { done: () => setAsking(false) });
  const set = (to: boolean): void => void save.run({ org, body: { acceptCosmetic: to } });
  return (
    <Section title="When only a title or an icon changes">
      <Switch
        label="Keep the review"
        description={
          may.ok
            ? 'Neither a model acts on them nor is a call made by them. A title with a finding waits all the same.'
            : `${may.says}. ${may.fix}`
        }
        checked={acceptCosmetic}
        disabled={!may.ok || save.busy}
        onChange={(e) => (e.currentTarget.checked ? setAsking(true) : set(false))}
      />
      <Problem of={save.refusal} />
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title="Keep reviews when only titles or icons change?"
        size={480}
      >
        <div className={c.stack}>
          <p className="gh-s gh-2">
            Tools of every connector stay in use then, without anybody looking. What a model reads still waits.
          </p>
          <div className={`gh-actions ${c.end}`}>
            <Button onClick={() => setAsking(false)}>Back</Button>
            <Button variant="filled" loading={save.busy} onClick={() => set(true)}>
              Keep the reviews
            </Button>
          </div>
        </div>
      </Modal>
    </Section>
  );
}
