import type { OutputOf } from '@gatehouse/client/call.ts';
import { approveMerge, compareMerge, readMerge, rejectMerge, sendMerge, undoMerge } from '@gatehouse/client/org.ts';
import { Facts, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { PageHead } from '../people/page-head.tsx';
import c from './directory.module.css';
import { MergeState, otherSide } from './merges.tsx';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  ask(readMerge, { org, merge: params['merge'] ?? '' });

type Whole = OutputOf<typeof readMerge>;
type Step = 'send' | 'approve' | 'reject' | 'undo';

/** One proposal to merge: what both sides would become, who has agreed, and the next step. */
export function Page() {
  const org = useOrg();
  const { merge = '' }: { merge?: string } = useParams({ strict: false });
  const m = useAsk(readMerge, { org, merge });
  const comparing = useDo(compareMerge);
  const [asking, setAsking] = useState<Step>();
  const other = otherSide(m);
  const mine = m.side === 'joining' ? m.joining : m.receiving;
  const open = ['draft', 'sent', 'approved_one', 'stale'].includes(m.state);
  return (
    <div className="gh-page">
      <PageHead
        room="Parent and merges"
        roomAt="directory/merges"
        title={`Merge with ${other.name ?? other.org}`}
        actions={
          <>
            {open && (
              <Act can="owner.manage" onClick={() => setAsking('reject')}>
                {m.state === 'draft' ? 'Drop the draft…' : 'Reject…'}
              </Act>
            )}
            {open && m.state !== 'draft' && (
              <Act
                can="owner.manage"
                loading={comparing.busy}
                onClick={() => void comparing.run({ org, merge, body: {} })}
              >
                Compare both sides now
              </Act>
            )}
            {m.state === 'draft' && (
              <Act can="owner.manage" variant="filled" onClick={() => setAsking('send')}>
                Send it to their owners…
              </Act>
            )}
            {open && m.state !== 'draft' && m.hash !== null && !mine.approved && (
              <Act can="owner.manage" variant="filled" onClick={() => setAsking('approve')}>
                Approve this preview…
              </Act>
            )}
            {m.state === 'applied' && m.undoUntil && new Date(m.undoUntil).getTime() > Date.now() && (
              <Act can="owner.manage" onClick={() => setAsking('undo')}>
                Put it back…
              </Act>
            )}
          </>
        }
      >
        <span className={c.said}>
          <MergeState of={m.state} />
          <span>
            {m.side === 'joining' ? 'Our parent moves under theirs.' : 'Their parent moves under ours.'}{' '}
            {open && (
              <>
                Open <When at={m.expiresAt} />.
              </>
            )}
          </span>
        </span>
      </PageHead>
      <Problem of={comparing.refusal} />
      <div className={c.cols}>
        <div className={c.stack}>{m.preview ? <Preview m={m} /> : <NoPreview />}</div>
        <Section title="Who agrees">
          <Facts
            of={[
              ['Ours', mine.approved ? <When key="o" at={mine.approved.at} /> : 'not yet'],
              ['Theirs', other.approved ? <When key="t" at={other.approved.at} /> : 'not yet'],
              ['Accounts', m.joinByAddress ? 'also joined by e-mail address' : 'joined by identity only'],
              [
                'Preview',
                m.hash ? (
                  <Hash key="h" label="hash of the preview">
                    {m.hash}
                  </Hash>
                ) : (
                  'none yet'
                ),
              ],
              ['Drafted', <When key="d" at={m.createdAt} />],
              ...(m.appliedAt ? [['Carried out', <When key="a" at={m.appliedAt} />] as const] : []),
              ...(m.undoUntil ? [['Can be put back', <When key="u" at={m.undoUntil} />] as const] : []),
            ]}
          />
          {m.undoObstacles?.map((o) => (
            <p key={o.code + o.about} className="gh-s">
              <State is="caution">{sentence(o.says)}</State> <span className="gh-2">{sentence(o.fix)}</span>
            </p>
          ))}
        </Section>
      </div>
      {asking && <Asked m={m} step={asking} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

const NoPreview = () => (
  <div className="gh-empty">
    <h3>No preview yet</h3>
    <p>
      The side that was asked compares first. Until then neither side sees what the other has; the preview then shows
      both what becomes of every account, domain, connection and directory.
    </p>
  </div>
);

function Preview({ m }: { m: Whole }) {
  const { preview: p } = m;
  if (!p) return null;
  return (
    <>
      <Section title="What moves" note={p.moves.name}>
        <p className="gh-s gh-2">
          {countOf(p.moves.orgs.length, 'organization')}, {countOf(p.moves.people, 'account')},{' '}
          {countOf(p.moves.connections.length, 'connection')},{' '}
          {countOf(p.moves.directories.length, 'directory', 'directories')} move under {p.stays.name}, which has{' '}
          {countOf(p.stays.people, 'account')} in {countOf(p.stays.orgs.length, 'organization')}.
        </p>
        <p className="gh-s gh-2">
          Domains:{' '}
          {p.domains.map((d) => `${d.domain} (${d.side === m.side ? 'ours' : 'theirs'}, ${d.state})`).join(', ') ||
            'none'}
          .
        </p>
      </Section>
      {p.conflicts.length > 0 && (
        <Section title="Conflicts" note="nothing can be approved before they are settled">
          <ul className={c.effects}>
            {p.conflicts.map((x) => (
              <li key={x.code + x.about.join()}>
                <State is="broken">{sentence(x.says)}</State> {x.fix && <span className="gh-2">{sentence(x.fix)}</span>}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {p.notices.length > 0 && (
        <Section title="To know">
          <ul className={c.effects}>
            {p.notices.map((x) => (
              <li key={x.code + x.about.join()}>
                <State is="info" quiet>
                  {sentence(x.says)}
                </State>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="Accounts that become one" note={count(p.joined.length + p.joinedMore)}>
        {p.joined.length === 0 ? (
          <p className="gh-s gh-3">None: every account stays its own.</p>
        ) : (
          <div className="gh-scroll" tabIndex={0} role="group" aria-label="Accounts that become one">
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Account that moves</th>
                  <th>Becomes</th>
                  <th>By</th>
                </tr>
              </thead>
              <tbody>
                {p.joined.map((j) => (
                  <tr key={j.was}>
                    <td>{j.email}</td>
                    <td>{j.intoEmail}</td>
                    <td>{j.byIdentity ? 'identity' : 'e-mail address'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {p.joinedMore > 0 && <p className="gh-s gh-3">and {count(p.joinedMore)} more</p>}
      </Section>
    </>
  );
}

const words: Record<Step, { title: string; act: string; says: string; danger: boolean }> = {
  send: {
    title: 'Send the proposal?',
    act: 'Send it',
    says: 'The owners of both sides are told. Nothing moves before both have approved the same preview.',
    danger: false,
  },
  approve: {
    title: 'Approve this preview?',
    act: 'Approve',
    says: 'When the other side has approved the same, it is carried out at once: accounts, domains, connections and directories move. It can be put back for seven days. You approve in person, freshly signed in.',
    danger: true,
  },
  reject: {
    title: 'End the proposal?',
    act: 'End it',
    says: 'Nothing was moved. Another one can be drafted.',
    danger: false,
  },
  undo: {
    title: 'Put the merge back?',
    act: 'Put it back',
    says: 'Everything goes back to where it was, for everybody, at once. You do it in person, freshly signed in.',
    danger: true,
  },
};

function Asked({ m, step, onClose }: { m: Whole; step: Step; onClose: () => void }) {
  const org = useOrg();
  const also = { also: ['provisioning', 'domains', 'identity', 'directory'] };
  const send = useDo(sendMerge);
  const approve = useDo(approveMerge, also);
  const reject = useDo(rejectMerge);
  const undo = useDo(undoMerge, also);
  const doing = { send, approve, reject, undo }[step];
  const at = { org, merge: m.id };
  const run = (): void => {
    if (step === 'approve') void approve.run({ ...at, body: { hash: m.hash ?? '' } }, onClose);
    else void { send, reject, undo }[step].run({ ...at, body: {} }, onClose);
  };
  const w = words[step];
  return (
    <Confirm
      open
      danger={w.danger}
      title={w.title}
      act={w.act}
      busy={doing.busy}
      refusal={doing.refusal}
      onClose={onClose}
      onAct={run}
    >
      <p className="gh-s gh-2">{w.says}</p>
    </Confirm>
  );
}
