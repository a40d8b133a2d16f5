import type { OutputOf } from '@gatehouse/client/call.ts';
import { setEnforcement, type readEnforcement } from '@gatehouse/client/identity.ts';
import { Checkbox } from '@mantine/core';
import { Refused, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { count, countOf } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import { stateWord, type Simulation } from './enforcement-words.ts';
import c from './sso.module.css';

type Now = OutputOf<typeof readEnforcement>;
type Wanted = { state: 'staged' | 'full'; percent: number };

/** The steps of enforcement: report-only first, then a part, then everybody; back at any time. */
export function EnforceActs({ now, sim, wanted }: { now: Now; sim: Simulation; wanted: Wanted }) {
  const org = useOrg();
  const [asking, setAsking] = useState<'enforce' | 'off'>();
  const setting = useDo(setEnforcement, { also: ['simulation'] });
  const unmet = sim.conditions.filter((k) => !k.met);
  const is = now.state === wanted.state && now.percent === wanted.percent;
  const name = wanted.state === 'full' ? 'Enforce for everybody…' : `Enforce for ${wanted.percent} of 100…`;
  const [first] = unmet;
  return (
    <>
      <p className="gh-s">
        Now: <b>{stateWord[now.state].name}</b>
        {now.state === 'staged' &&
          `, ${count(now.percent)} of 100 people${now.groups.length > 0 ? ` and ${countOf(now.groups.length, 'group')}` : ''}`}
        . <span className="gh-2">{stateWord[now.state].says}</span>
      </p>
      <Problem of={asking === undefined ? setting.refusal : undefined} />
      <div className="gh-line gh-wrap" style={{ gap: 12, alignItems: 'flex-start' }}>
        {now.state === 'off' ? (
          <Act
            can="sso.manage"
            variant="filled"
            loading={setting.busy}
            onClick={() => void setting.run({ org, body: { state: 'report_only' } })}
          >
            Start report-only
          </Act>
        ) : (
          <Act can="sso.manage" onClick={() => setAsking('off')}>
            {now.state === 'report_only' ? 'Switch off…' : 'Step back…'}
          </Act>
        )}
        {is ? (
          <Refused reason="This is how it is enforced now.">{name}</Refused>
        ) : now.state === 'off' ? (
          <Refused reason="Report-only comes first: it refuses nobody and counts whom enforcement would refuse.">
            {name}
          </Refused>
        ) : first ? (
          <Refused reason={`${sentence(first.says)} ${sentence(first.fix)}`}>{name}</Refused>
        ) : (
          <Act can="sso.manage" variant="filled" onClick={() => setAsking('enforce')}>
            {name}
          </Act>
        )}
      </div>
      {asking === 'enforce' && <Enforce sim={sim} wanted={wanted} onClose={() => setAsking(undefined)} />}
      {asking === 'off' && <StepBack now={now} onClose={() => setAsking(undefined)} />}
    </>
  );
}

function Enforce({ sim, wanted, onClose }: { sim: Simulation; wanted: Wanted; onClose: () => void }) {
  const org = useOrg();
  const setting = useDo(setEnforcement, { also: ['org', 'simulation'] });
  const [seen, setSeen] = useState(false);
  const out = sim.items.filter((p) => p.verdict === 'locked_out' && p.touched);
  const risk = sim.items.filter((p) => p.verdict === 'at_risk' && p.touched);
  const touched = sim.items.filter((p) => p.touched).length;
  const named = [...out, ...risk].slice(0, 6).map((p) => p.displayName || p.email);
  const rest = out.length + risk.length - named.length;
  return (
    <Confirm
      open
      danger={out.length > 0}
      title={
        wanted.state === 'full'
          ? 'Enforce single sign-on for everybody?'
          : `Enforce single sign-on for ${wanted.percent} of 100 people?`
      }
      act={out.length > 0 ? `Enforce, ${countOf(out.length, 'person is', 'people are')} locked out` : 'Enforce'}
      busy={setting.busy}
      refusal={setting.refusal}
      wait={named.length > 0 && !seen ? 'Tick the line above first.' : undefined}
      onClose={onClose}
      onAct={() => void setting.run({ org, body: { ...wanted, hash: sim.hash } }).then((done) => done && onClose())}
    >
      <ul className={c.orgs}>
        <li>
          <State is="info" quiet>
            {sim.next ? 'Many people are' : countOf(touched, 'person is', 'people are')} covered
          </State>
        </li>
        <li>
          <State is={sim.sessionsEnded > 0 ? 'minus' : 'none'} quiet>
            {sim.sessionsEnded > 0
              ? `${countOf(sim.sessionsEnded, 'session')} that did not come by single sign-on end at once`
              : 'No session ends'}
          </State>
        </li>
        {sim.endsYours && (
          <li>
            <State is="caution">Your own session ends too: sign in through the identity provider</State>
          </li>
        )}
        {out.length > 0 && (
          <li>
            <State is="minus">{countOf(out.length, 'person is', 'people are')} locked out</State>
          </li>
        )}
        {risk.length > 0 && (
          <li>
            <State is="caution">{countOf(risk.length, 'person is', 'people are')} at risk</State>
          </li>
        )}
      </ul>
      <p className="gh-s gh-2">
        Break-glass accounts are never refused. If the identity provider fails for many at once, enforcement returns to
        report-only by itself. You can step back at any time, without asking anybody.
      </p>
      {named.length > 0 && (
        <Checkbox
          checked={seen}
          onChange={(e) => setSeen(e.currentTarget.checked)}
          label={`I have seen who may not get in: ${named.join(', ')}${rest > 0 ? ` and ${count(rest)} more, listed in the simulation` : ''}`}
        />
      )}
    </Confirm>
  );
}

function StepBack({ now, onClose }: { now: Now; onClose: () => void }) {
  const org = useOrg();
  const setting = useDo(setEnforcement, { also: ['simulation'] });
  const to = now.state === 'report_only' ? 'off' : 'report_only';
  return (
    <Confirm
      open
      title={to === 'off' ? 'Switch enforcement off?' : 'Step back to report-only?'}
      act={to === 'off' ? 'Switch off' : 'Step back'}
      busy={setting.busy}
      refusal={setting.refusal}
      onClose={onClose}
      onAct={() => void setting.run({ org, body: { state: to } }).then((done) => done && onClose())}
    >
      <p className="gh-s gh-2">
        {to === 'off'
          ? 'Nothing is refused and nothing is counted any more.'
          : 'From now on nobody is refused for signing in otherwise; what would be refused is counted.'}
      </p>
    </Confirm>
  );
}
