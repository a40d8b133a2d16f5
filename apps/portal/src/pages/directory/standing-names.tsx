import { Section, State } from '@gatehouse/ui/parts.tsx';
import { countOf } from '../../kit/words.ts';
import { CopyValue } from '../people/copy-value.tsx';
import { roleWord } from '../people/role-words.ts';
import type { Mapping, Miss } from './draft.ts';
import c from './mappings.module.css';
import { NearMiss } from './near-miss.tsx';
import type { Plan } from './plan-box.tsx';

/** Names that mean a role here without being mapped. */
export const StandingNames = ({
  of,
  misses,
  prefix,
  onPlan,
  onDone,
}: {
  of: readonly Mapping[];
  misses: readonly Miss[];
  prefix: string;
  onPlan: (plan: Plan) => void;
  onDone: (says: string) => void;
}) => (
  <Section title="Pre-defined names" note={`prefix ${prefix}`}>
    <p className="gh-s gh-2">
      A group with exactly this name gives its role without being mapped. Make it at your identity provider, and put
      people into it there.
    </p>
    <table className={`gh-table ${c.standing}`}>
      <thead>
        <tr>
          <th>Name</th>
          <th>Gives</th>
          <th>Seen</th>
        </tr>
      </thead>
      <tbody>
        {of.map((m) => {
          const miss = misses.find((n) => n.mapping === m.id);
          return [
            <tr key={m.id}>
              <td>
                <CopyValue label={`name for ${m.role}`}>{m.name ?? ''}</CopyValue>
              </td>
              <td>{roleWord[m.role]}</td>
              <td>
                {m.seen ? (
                  <State is="ok" quiet>
                    {countOf(m.seen.members, 'person', 'people')}
                  </State>
                ) : (
                  <span className="gh-3">not yet</span>
                )}
              </td>
            </tr>,
            miss && <NearMiss key={`${m.id}-miss`} of={miss} columns={3} onPlan={onPlan} onDone={onDone} />,
          ];
        })}
      </tbody>
    </table>
  </Section>
);
