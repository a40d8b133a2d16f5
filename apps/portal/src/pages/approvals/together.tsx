import { Button } from '@mantine/core';
import { listGroups } from '@gatehouse/client/approvals.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { IconFingerprint } from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { call } from '@gatehouse/client/call.ts';
import { readScreen } from '@gatehouse/client/approvals.ts';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAsk } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './approvals.module.css';
import { AgentSays, CallTitle, CallView, HashWords } from './call-view.tsx';
import { useDecision } from './use-decision.ts';
import { useSeen } from './use-seen.ts';

/** Calls that one decision can be about. */
const MOST = 50;
const groupsOf = (org: string) => ({ org, query: { limit: 100 } });
export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listGroups, groupsOf(org));

type Item = { approval: string; hash: string };

/** Several calls of one agent for one tool: each shown in full, then one decision about all of them, or about none. */
export function Page() {
  const { group = '' } = useParams({ strict: false }) as { group?: string };
  const org = useOrg();
  const go = useGo();
  const { items } = useAsk(listGroups, groupsOf(org));
  const found = items.find((g) => g.group === group);
  // What came while somebody read is not decided with what was read.
  const [frozen] = useState<readonly Item[]>(() => (found?.items ?? []).slice(0, MOST));
  const [over, setOver] = useState<string>();
  if (over !== undefined || frozen.length === 0)
    return (
      <div className="gh-page">
        <Head
          title={over ?? 'Nothing of this kind waits for you any more'}
          actions={<Button onClick={() => go('approvals/inbox')}>All approvals</Button>}
        >
          {over === undefined ? 'Somebody has decided it, or its time is over.' : 'The agent was told so.'}
        </Head>
      </div>
    );
  return <Deck items={frozen} onOver={setOver} />;
}

function Deck({ items, onOver }: { items: readonly Item[]; onOver(says: string): void }) {
  const org = useOrg();
  const screens = useQueries({
    queries: items.map(({ approval }) => ({
      queryKey: ['screen of an approval', org, approval],
      queryFn: ({ signal }: { signal: AbortSignal }) => call(readScreen, { org, approval }, signal),
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: false,
    })),
  });
  const decision = useDecision(org, [...items], () => Promise.resolve());
  const ready = screens.every((s) => s.data !== undefined);
  const shown = screens.flatMap((s) => s.data ?? []);
  const fresh = shown.some((s) => s.act.kind === 'decide' && s.act.fresh);
  const elsewhere = shown.find((s) => s.act.kind !== 'decide')?.act;
  const n = countOf(items.length, 'call');
  const decide = async (verdict: 'approved' | 'denied'): Promise<void> => {
    if (await decision.decide(verdict, { fresh })) onOver(`${n} ${verdict}`);
  };
  const [first] = shown;
  return (
    <div className="gh-page">
      <Head title={first ? `${n} of ${first.asker}’s agent` : n}>
        One yes or no is about all of them. To decide them apart, open each from Approvals.
      </Head>
      {ready ? (
        <Whole
          act={
            <>
              <Button size="lg" loading={decision.busy === 'denied'} onClick={() => void decide('denied')}>
                Deny {n}
              </Button>
            </>
          }
          approve={(seen) => (
            <Button
              size="lg"
              variant="filled"
              aria-disabled={!seen || elsewhere !== undefined}
              aria-describedby="seen"
              loading={decision.busy === 'approved'}
              leftSection={fresh ? <IconFingerprint size={18} stroke={1.75} aria-hidden /> : undefined}
              onClick={() => seen && elsewhere === undefined && void decide('approved')}
            >
              Approve {n}
              {fresh ? ' with passkey' : ''}
            </Button>
          )}
          because={elsewhere && 'because' in elsewhere ? elsewhere.because : undefined}
          refusal={<Problem of={decision.refusal} />}
        >
          {shown.map((s, i) => (
            <article key={s.id} className={c.one} aria-label={`Call ${i + 1} of ${items.length}`}>
              <div className="gh-line">
                <State is="held">
                  {i + 1} of {items.length}
                </State>
              </div>
              <CallTitle of={s} as="h2" />
              <CallView of={s} />
              <AgentSays of={s} />
              <HashWords of={s} />
            </article>
          ))}
        </Whole>
      ) : (
        <Bones />
      )}
    </div>
  );
}

/** What is read, its end, and the decision that opens when the end has been on screen. */
function Whole({
  children,
  act,
  approve,
  because,
  refusal,
}: {
  children: React.ReactNode;
  act: React.ReactNode;
  approve(seen: boolean): React.ReactNode;
  because: string | undefined;
  refusal: React.ReactNode;
}) {
  const [seen, end] = useSeen();
  return (
    <div className={c.together}>
      {children}
      <div ref={end} className={c.end} />
      {refusal}
      <div className="gh-actions">
        {act}
        {approve(seen)}
      </div>
      <p className={c.hint} id="seen">
        {because ?? (seen ? 'You have seen all of it.' : 'Scroll to the end to approve; deny at any time.')}
      </p>
    </div>
  );
}
