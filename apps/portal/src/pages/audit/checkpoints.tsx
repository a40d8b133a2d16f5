import { getCheckpoint, getKey, listCheckpoints, proveGrowth } from '@gatehouse/client/audit.ts';
import { call, Refusal } from '@gatehouse/client/call.ts';
import { Facts, Hash, Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { Button, Textarea } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { download } from '../../kit/csv.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { At, When } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './audit.module.css';
import { logOf, WhichLog } from './which-log.tsx';
import { signedBy, stated, toHex, verifyGrowth } from './verify.ts';

const state = { log: '' };

export const loader = ({ org, search, ask }: LoaderContext) =>
  Promise.all([
    ask(getCheckpoint, { org, query: { log: logOf(search['log'] ?? '') } }),
    ask(getKey, { org, query: { log: logOf(search['log'] ?? '') } }),
  ]);

/** What was signed of the log, and whether the log still begins with what somebody kept. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(state);
  const log = logOf(at.log);
  const newest = useAsk(getCheckpoint, { org, query: { log } });
  const { key, origin } = useAsk(getKey, { org, query: { log } });
  const root = stated(newest.checkpoint)?.root;
  const input = useMemo(() => ({ org, query: { log } }), [org, log]);
  return (
    <div className="gh-page">
      <Head
        room="Audit"
        roomHref={`/portal/${org}/audit`}
        title="Checkpoints"
        actions={<WhichLog value={at.log} onChange={(to) => set({ log: to })} />}
      >
        While the log grows, its size and root are signed every second. Whoever keeps one of these can prove later that
        nothing before it was changed.
      </Head>
      <Section
        title="Newest"
        aside={
          <Button size="sm" onClick={() => download(`checkpoint-${newest.size}.txt`, newest.checkpoint, 'text/plain')}>
            Keep this one
          </Button>
        }
      >
        <Facts
          of={[
            [
              'Size',
              <span key="s" className="gh-num">
                {count(newest.size)} events
              </span>,
            ],
            ['Signed', <When key="w" at={newest.at} />],
            [
              'Root',
              <Hash key="r" label="root hash" head={16} tail={8}>
                {root ? toHex(root) : ''}
              </Hash>,
            ],
            [
              'Log',
              <span key="o" className="gh-id">
                {origin}
              </span>,
            ],
            [
              'Key',
              <Hash key="k" label="verification key" head={40} tail={8}>
                {key}
              </Hash>,
            ],
          ]}
        />
      </Section>
      <Kept key={log} log={log} verificationKey={key} newest={newest} />
      <Section title="All checkpoints" note="largest first">
        <DataTable
          op={listCheckpoints}
          input={input}
          name="checkpoints"
          searchable={false}
          row={(r) => String(r.size)}
          columns={[
            {
              head: 'Size',
              cell: (r) => <span className="gh-num">{count(r.size)}</span>,
              value: (r) => r.size,
              width: '140px',
            },
            { head: 'Signed, UTC', cell: (r) => <At at={r.at} exact />, value: (r) => r.at, width: '220px' },
            {
              head: 'Root',
              cell: (r) => (
                <Hash label="root hash" head={16} tail={8}>
                  {rootOf(r.checkpoint)}
                </Hash>
              ),
              value: (r) => rootOf(r.checkpoint),
            },
          ]}
          empty={<p>No checkpoint yet. The first is signed within a second of the first event.</p>}
        />
      </Section>
    </div>
  );
}

const rootOf = (note: string): string => {
  const found = stated(note);
  return found ? toHex(found.root) : '';
};

type Result = { good: boolean; says: string };

/** Somebody's own copy against the log of today, computed here. */
function Kept({
  log,
  verificationKey,
  newest,
}: {
  log: 'org' | 'parent';
  verificationKey: string;
  newest: { checkpoint: string };
}) {
  const org = useOrg();
  const [text, setText] = useState('');
  const [result, setResult] = useState<Result>();
  const [busy, setBusy] = useState(false);
  const check = async (): Promise<Result> => {
    // What is pasted may have lost its last line break.
    const note = `${text.trim()}\n`;
    const kept = stated(note);
    const today = stated(newest.checkpoint);
    if (!kept || !today)
      return {
        good: false,
        says: 'That is not a checkpoint: its lines are origin, size, root, an empty one, and a signature.',
      };
    if (!(await signedBy(note, verificationKey)))
      return { good: false, says: 'It is not signed by the key of this log.' };
    if (kept.size > today.size)
      return {
        good: false,
        says: `It is of ${count(kept.size)} events, and the log has ${count(today.size)}: events are gone.`,
      };
    try {
      const proof = await call(proveGrowth, { org, query: { log, from: kept.size, to: today.size } });
      if (!(await verifyGrowth(kept, today, proof.hashes)))
        return {
          good: false,
          says: 'The log of today does not begin with the one that you kept. Keep both and tell your auditor.',
        };
      return {
        good: true,
        says: `The log of ${count(today.size)} events begins with the ${count(kept.size)} that you kept: ${proof.hashes.length} hashes, computed in this browser.`,
      };
    } catch (e) {
      if (e instanceof Refusal) return { good: false, says: sentence(e.says) };
      throw e;
    }
  };
  return (
    <Section title="Does the log still begin with yours?" note="for whoever kept a checkpoint elsewhere">
      <div className={c.kept}>
        <Textarea
          label="A checkpoint that you kept"
          autosize
          minRows={5}
          value={text}
          onChange={(e) => {
            setText(e.currentTarget.value);
            setResult(undefined);
          }}
          styles={{ input: { fontFamily: 'var(--gh-mono)', fontSize: 12 } }}
        />
        <div className="gh-line gh-wrap" aria-live="polite">
          <Button
            disabled={text.trim() === ''}
            loading={busy}
            onClick={() => {
              setBusy(true);
              void check()
                .then(setResult)
                .finally(() => setBusy(false));
            }}
          >
            Compare here
          </Button>
          {result && (
            <State is={result.good ? 'answered' : 'broken'}>
              <span className={c.wrapping}>{result.says}</span>
            </State>
          )}
        </div>
      </div>
    </Section>
  );
}
