import type { OutputOf } from '@gatehouse/client/call.ts';
import type { explainPerson } from '@gatehouse/client/provisioning.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { roleWord } from '../people/role-words.ts';
import c from './directory.module.css';

type Explained = OutputOf<typeof explainPerson>;
type Decision = Explained['signIn'];

const seatWord = {
  none: 'no seat',
  unused: 'a seat that is not taken yet',
  taken: 'a seat',
  refused: 'no seat is left',
} as const;

const Outcome = ({ title, d }: { title: string; d: Decision }) => (
  <div className={c.outcome}>
    <span className="gh-3">{title}</span>
    <State is={d.admit ? 'ok' : 'no'} quiet={d.admit}>
      {d.admit ? `in, as ${d.role ? roleWord[d.role] : 'nobody'}, ${seatWord[d.seat]}` : 'not in'}
    </State>
    <ul>
      {d.reasons.map((r) => (
        <li key={r.code}>
          {sentence(r.says)} <span className="gh-id gh-3">{r.code}</span>
        </li>
      ))}
      {d.reasons.length === 0 && <li className="gh-3">Nothing stands against it.</li>}
    </ul>
  </div>
);

/** Why somebody is in or out: the same decision that sign-in and sync use, asked now. */
export const Why = ({ e }: { e: Explained }) => (
  <Section title="Why" note="what the next sign-in and the next sync would decide">
    {e.held && (
      <p className="gh-s">
        <State is="held">The brake holds a removal of this person</State>
      </p>
    )}
    {e.removed && (
      <p className="gh-s gh-2">
        Removed{' '}
        {e.removed.cause === 'hand'
          ? 'by hand'
          : e.removed.cause === 'directory'
            ? 'by the directory'
            : 'with the last mapped group'}{' '}
        <When at={e.removed.at} />.
      </p>
    )}
    <Outcome title="Next sign-in" d={e.signIn} />
    <Outcome title="Next sync" d={e.sync} />
  </Section>
);
