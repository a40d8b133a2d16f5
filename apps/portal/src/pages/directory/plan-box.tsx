import { Button, Checkbox, TextInput } from '@mantine/core';
import type { OutputOf, Refusal } from '@gatehouse/client/call.ts';
import { addressOf } from '@gatehouse/client/call.ts';
import { applyPlan, exportPlan, listPlanLines, type previewPlan } from '@gatehouse/client/provisioning.ts';
import { Glyph, tone, type GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Hash, State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { useRows } from '../../kit/rows.ts';
import { count, countOf } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import { roleWord, type Role } from '../people/role-words.ts';
import c from './plan.module.css';

export type Plan = OutputOf<typeof previewPlan>;
type Line = OutputOf<typeof listPlanLines>['items'][number];
type What = Line['what'];

const glyphOf = { loses: 'minus', lowered: 'swap', raised: 'swap', gains: 'plus' } as const satisfies Record<
  What,
  GlyphName
>;
const sums: readonly [What | 'all', string][] = [
  ['all', 'everyone'],
  ['loses', 'lose access'],
  ['lowered', 'lower role'],
  ['raised', 'higher role'],
  ['gains', 'gain access'],
];
const touched = (p: Plan): number => p.summary.loses + p.summary.lowered + p.summary.raised + p.summary.gains;
const word = (role: Role | null): string => (role ? roleWord[role] : 'no access');

/**
 * What a plan does to whom, and the one way to apply it. Who loses stands first; the button has the number; what is applied is the plan
 * that was shown, or nothing.
 */
export function PlanBox({
  plan,
  title,
  computing,
  refusal,
  onApplied,
  onAgain,
}: {
  plan: Plan | undefined;
  title: string;
  computing: boolean;
  refusal: Refusal | undefined;
  onApplied: (says: string) => void;
  /** Computes the plan anew: the directory changed meanwhile. */
  onAgain: () => void;
}) {
  const [show, setShow] = useState<What | 'all'>('all');
  const [asking, setAsking] = useState(false);
  const n = plan ? touched(plan) : 0;
  return (
    <aside className={`gh-box ${c.plan}`} aria-labelledby="plan" aria-busy={computing || undefined}>
      <header>
        <h2 id="plan">{title}</h2>
        <p className="gh-s gh-2" role="status">
          {computing
            ? 'Computing what would happen to whom…'
            : plan
              ? n === 0
                ? 'Nobody gains or loses anything by it.'
                : `${countOf(n, 'person', 'people')} ${n === 1 ? 'is' : 'are'} touched; everybody else stays as they are.`
              : 'Nothing is computed yet.'}
        </p>
        {plan?.warnings.map((w) => (
          <p key={w} className="gh-s">
            <State is="caution">{sentence(w)}</State>
          </p>
        ))}
      </header>
      <Problem of={refusal} again={onAgain} />
      {plan && (
        <>
          <div className={c.sums} role="group" aria-label="Show">
            {sums.map(([what, label]) => (
              <button
                key={what}
                type="button"
                className={`${c.sum} ${what === 'all' ? 'gh-tone' : tone(glyphOf[what])}`}
                aria-pressed={show === what}
                onClick={() => setShow(what)}
              >
                <b>
                  {what !== 'all' && <Glyph name={glyphOf[what]} size={14} />}
                  {count(what === 'all' ? n : plan.summary[what])}
                </b>
                {label}
              </button>
            ))}
          </div>
          <People key={plan.id} plan={plan} show={show} />
          <Foot plan={plan} n={n} computing={computing} onAsk={() => setAsking(true)} />
          {asking && (
            <Apply plan={plan} n={n} onClose={() => setAsking(false)} onApplied={onApplied} onAgain={onAgain} />
          )}
        </>
      )}
    </aside>
  );
}

function People({ plan, show }: { plan: Plan; show: What | 'all' }) {
  const { org } = useHere();
  const input = useMemo(
    () => ({ org, plan: plan.id, query: show === 'all' ? {} : { what: show } }),
    [org, plan.id, show],
  );
  const rows = useRows(listPlanLines, input, false);
  if (rows.refusal) return <Problem of={rows.refusal} again={rows.again} />;
  if (!rows.waiting && rows.items.length === 0) return null;
  return (
    <div className={c.people} tabIndex={0} role="group" aria-label="People who are touched">
      <ul>
        {rows.items.map((l) => (
          <li key={l.user} className={tone(glyphOf[l.what])}>
            <Glyph name={glyphOf[l.what]} size={14} />
            <b className="gh-cut" title={l.email}>
              {l.displayName || l.email}
            </b>
            <span className="gh-nowrap">
              <span className="gh-3">{word(l.from)}</span>
              <span className={c.arrow} aria-hidden>
                →
              </span>
              <span className="gh-vh"> becomes </span>
              {word(l.to)}
            </span>
            <small>
              {l.because.map((b) => sentence(b.says)).join(' ')}
              {l.atNextSignIn ? ' At the next sign-in.' : ''}
            </small>
          </li>
        ))}
      </ul>
      {rows.more && (
        <div className={c.more}>
          <Button size="sm" onClick={rows.more}>
            Show more
          </Button>
        </div>
      )}
    </div>
  );
}

function Foot({ plan, n, computing, onAsk }: { plan: Plan; n: number; computing: boolean; onAsk: () => void }) {
  const { org } = useHere();
  return (
    <div className={c.foot}>
      <div className="gh-line gh-wrap">
        <Act can="directory.manage" variant="filled" disabled={computing} onClick={onAsk}>
          {n === 0 ? 'Apply, nobody is touched…' : `Apply to ${countOf(n, 'person', 'people')}…`}
        </Act>
        <Button component="a" variant="subtle" href={addressOf(exportPlan, { org, plan: plan.id })} download>
          Download CSV
        </Button>
      </div>
      <p className="gh-xs gh-3">
        Plan <Hash label="hash of the plan">{plan.hash}</Hash>. If the directory changes before you apply, nothing
        happens and you see the new plan.
      </p>
    </div>
  );
}

function Apply({
  plan,
  n,
  onClose,
  onApplied,
  onAgain,
}: {
  plan: Plan;
  n: number;
  onClose: () => void;
  onApplied: (says: string) => void;
  onAgain: () => void;
}) {
  const { org, orgName } = useHere();
  const input = useMemo(() => ({ org, plan: plan.id, query: { what: 'loses' as const } }), [org, plan.id]);
  const losing = useRows(listPlanLines, input, false);
  const [seen, setSeen] = useState(false);
  const [typed, setTyped] = useState('');
  const applying = useDo(applyPlan, { also: ['org', 'identity', 'directory'] });
  const { summary } = plan;
  const loses = summary.loses;
  const named = losing.items.slice(0, 6).map((l) => l.displayName || l.email);
  const wait =
    loses > 0 && !seen
      ? 'Tick the line above first.'
      : plan.confirm && typed !== orgName
        ? 'Type the name of the organization first.'
        : undefined;
  return (
    <Confirm
      open
      title={n === 0 ? 'Apply these changes?' : `Apply to ${countOf(n, 'person', 'people')}?`}
      act={n === 0 ? 'Apply' : `Apply to ${countOf(n, 'person', 'people')}`}
      busy={applying.busy}
      refusal={applying.refusal}
      wait={wait}
      onClose={() => {
        onClose();
        if (applying.refusal) onAgain();
      }}
      onAct={() =>
        void applying
          .run({ org, plan: plan.id, body: { hash: plan.hash, ...(plan.confirm ? { confirm: typed } : {}) } })
          .then((done) => {
            if (!done) return;
            onClose();
            onApplied(
              `${countOf(done.changed, 'person', 'people')} changed at once${done.atNextSignIn > 0 ? `, ${count(done.atNextSignIn)} at the next sign-in` : ''}.`,
            );
          })
      }
    >
      <ul className={c.effects}>
        {loses > 0 && (
          <li>
            <State is="minus">{countOf(loses, 'person loses', 'people lose')} access</State>
          </li>
        )}
        {summary.lowered > 0 && (
          <li>
            <State is="swap">{countOf(summary.lowered, 'person gets', 'people get')} a lower role</State>
          </li>
        )}
        {summary.raised > 0 && (
          <li>
            <State is="swap">{countOf(summary.raised, 'person gets', 'people get')} a higher role</State>
          </li>
        )}
        {summary.gains > 0 && (
          <li>
            <State is="plus">{countOf(summary.gains, 'person', 'people')} may sign in</State>
          </li>
        )}
        {n === 0 && (
          <li>
            <State is="none" quiet>
              Nobody gains or loses anything
            </State>
          </li>
        )}
      </ul>
      {loses > 0 && (
        <>
          <p className="gh-s gh-2">
            Sessions, tokens and waiting approvals of who loses access end within a second. You can put it back;
            connections must be made again.
          </p>
          <Checkbox
            checked={seen}
            onChange={(e) => setSeen(e.currentTarget.checked)}
            label={`I have seen who loses access: ${named.join(', ')}${loses > named.length ? ` and ${count(loses - named.length)} more, listed in the plan` : ''}`}
          />
        </>
      )}
      {plan.confirm && (
        <TextInput
          label={`No group makes anybody an owner. Type ${orgName} if you mean it`}
          autoComplete="off"
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
        />
      )}
    </Confirm>
  );
}
