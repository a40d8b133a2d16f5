import { getKey, type getEvent } from '@gatehouse/client/audit.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Facts, Hash } from '@gatehouse/ui/parts.tsx';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { question } from '../../kit/ask.ts';
import { download } from '../../kit/csv.ts';
import { useOrg } from '../../kit/org.tsx';
import { count } from '../../kit/words.ts';
import { Ladder } from './ladder.tsx';
import { leafOf, sides, stated, toHex, verifyEvent, type Verdict } from './verify.ts';

type Proven = OutputOf<typeof getEvent>;
type State = { is: 'idle' } | { is: 'climbing'; at: number } | { is: 'ended'; verdict: Verdict; ms: number };

const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Why to believe the event: its place under a signed checkpoint, followed in this browser when somebody asks. */
export function Proof({ of, log }: { of: Proven; log: 'org' | 'parent' }) {
  const org = useOrg();
  const key = useQuery({ ...question(getKey, { org, query: { log } }), staleTime: Infinity }).data;
  const [state, setState] = useState<State>({ is: 'idle' });
  const [leaf, setLeaf] = useState('');
  const { event, entry, salt, proof } = of;
  useEffect(() => {
    let on = true;
    setState({ is: 'idle' });
    void leafOf(entry).then((hash) => on && setLeaf(toHex(hash)));
    return () => {
      on = false;
    };
  }, [entry]);
  const checkpoint = proof ? stated(proof.checkpoint) : undefined;
  if (!proof || !checkpoint)
    return (
      <p className="gh-2 gh-s">
        It is recorded and waits for the next checkpoint, which is signed within a second or two.
      </p>
    );
  const verify = async (): Promise<void> => {
    if (!key) return;
    const began = performance.now();
    let painting = 0;
    const verdict = await verifyEvent(
      { seq: event.seq, entry, salt, data: event.data, proof, key: key.key },
      async (at) => {
        setState({ is: 'climbing', at });
        if (calm()) return;
        const paused = performance.now();
        await new Promise((r) => setTimeout(r, 14));
        painting += performance.now() - paused;
      },
    );
    setState({ is: 'ended', verdict, ms: Math.max(1, Math.round(performance.now() - began - painting)) });
  };
  const proved = state.is === 'ended' && state.verdict.is === 'proved';
  const n = proof.hashes.length;
  return (
    <div className="gh-box" style={{ padding: '12px 16px 14px' }}>
      <Facts
        of={[
          [
            'Leaf',
            <Hash key="l" label="leaf hash" head={16} tail={8}>
              {leaf}
            </Hash>,
          ],
          [
            'Position',
            <span key="p" className="gh-num">
              {count(event.seq)} of {count(checkpoint.size)}
            </span>,
          ],
          [
            'Checkpoint',
            <Hash key="c" label="root hash" head={16} tail={8}>
              {toHex(checkpoint.root)}
            </Hash>,
          ],
          ...(key
            ? ([
                [
                  'Key',
                  <Hash key="k" label="verification key" head={24} tail={8}>
                    {key.key}
                  </Hash>,
                ],
              ] as const)
            : []),
        ]}
      />
      <Ladder
        where={sides(event.seq, checkpoint.size)}
        at={state.is === 'climbing' ? state.at : proved ? n : -1}
        whole={proved}
      />
      <div className="gh-line gh-wrap" style={{ minHeight: 32 }} aria-live="polite">
        {state.is !== 'ended' && (
          <>
            <Button size="sm" disabled={!key} loading={state.is === 'climbing'} onClick={() => void verify()}>
              Verify here
            </Button>
            <span className="gh-xs gh-2 gh-grow">
              Computed in this browser; nothing is sent. Compare the key with the copy that you kept.
            </span>
          </>
        )}
        {state.is === 'ended' && state.verdict.is === 'proved' && (
          <span className="gh-s gh-grow">
            <span className="gh-state gh-tone gh-positive">
              <Glyph name="answered" />
              Proved in this browser
            </span>
            <br />
            <span className="gh-2">
              {n} {n === 1 ? 'hash' : 'hashes'} in {state.ms} ms; the data is what was committed to, and the root is the
              one that was signed.
            </span>
          </span>
        )}
        {state.is === 'ended' && state.verdict.is === 'broken' && (
          <span className="gh-state gh-tone gh-negative">
            <Glyph name="broken" />
            <span>{state.verdict.says} Keep this page and tell your auditor.</span>
          </span>
        )}
        {proved && (
          <Button
            size="sm"
            onClick={() =>
              download(
                `proof-${event.seq}.json`,
                JSON.stringify({ seq: event.seq, entry, salt, data: event.data, proof, key: key?.key }, null, 2),
                'application/json',
              )
            }
          >
            Download proof
          </Button>
        )}
      </div>
    </div>
  );
}
