import { State } from '@gatehouse/ui/parts.tsx';
import { To } from '../../shell/rooms.tsx';
import c from './policy.module.css';

type Outcome = 'allowed' | 'asks' | 'denied' | 'depends';

/** How a call ends, or what of it depends. */
export const OutcomeState = ({ of }: { of: Outcome }) => {
  switch (of) {
    case 'allowed':
      return (
        <State is="answered" quiet>
          Runs unasked
        </State>
      );
    case 'asks':
      return <State is="held">Asks</State>;
    case 'denied':
      return <State is="denied">Denied</State>;
    case 'depends':
      return <State is="swap">Depends</State>;
  }
};

type Named = {
  policy: string;
  rule: string | null;
  name: string;
  words: string | null;
  inForce?: boolean;
  failed?: readonly string[];
};

const One = ({ of: r, near = false }: { of: Named; near?: boolean }) => (
  <li className={c.change}>
    <State is={near ? 'info' : 'none'} quiet>
      {''}
    </State>
    <span>
      {r.rule === null ? (
        <b>{r.name}</b>
      ) : r.inForce === false ? (
        <b>{r.name}</b>
      ) : (
        <To at={`policy/rules/${r.rule}`}>{r.name}</To>
      )}
      {r.words !== null && <span className="gh-2">: {r.words}</span>}
      {r.inForce === false && <span className="gh-3"> (not in force any more)</span>}
      {near && (r.failed ?? []).length > 0 && (
        <span className="gh-3"> Only when {(r.failed ?? []).join(' and ')}.</span>
      )}
    </span>
  </li>
);

/** The rules that decided, and those that would have allowed it but for one thing. */
export const RulesBehind = ({ rules, close }: { rules: readonly Named[]; close: readonly Named[] }) => (
  <>
    <ul className={c.changes}>
      {rules.map((r) => (
        <One key={r.policy} of={r} />
      ))}
      {rules.length === 0 && <li className="gh-3">No rule speaks of it, and what no rule allows is denied.</li>}
    </ul>
    {close.length > 0 && (
      <div>
        <h3>Close to allowing it</h3>
        <ul className={c.changes}>
          {close.map((r) => (
            <One key={r.policy} of={r} near />
          ))}
        </ul>
      </div>
    )}
  </>
);
