import { listSessions } from '@gatehouse/client/identity.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { Act } from '../../kit/act.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import { Go } from '../people/go.tsx';
import c from './directory.module.css';

/** In which browsers a member is signed in. */
export function Sessions({ user, onEnd }: { user: string; onEnd: () => void }) {
  const org = useOrg();
  const { items, next } = useAsk(listSessions, { org, query: { user, limit: 20 } });
  return (
    <Section
      title="Signed in"
      note={items.length === 0 ? 'nowhere' : countOf(items.length, 'browser')}
      aside={
        items.length > 0 && (
          <Go to="identity/sessions" search={{ user }} className="gh-s">
            All sessions
          </Go>
        )
      }
    >
      <ul className={c.plain}>
        {items.slice(0, 5).map((s) => (
          <li key={s.id} className="gh-s">
            <span className={c.browser}>{s.userAgent || 'unknown browser'}</span>
            <span className="gh-3">
              seen <When at={s.lastSeenAt} />
            </span>
          </li>
        ))}
      </ul>
      {(items.length > 5 || next) && (
        <p className="gh-xs gh-3">and {next ? 'more than 15' : items.length - 5} more, under All sessions</p>
      )}
      {items.length > 0 && (
        <div className="gh-actions">
          <Act can="member.manage" size="sm" onClick={onEnd}>
            {items.length === 1 ? 'End the session…' : `End all ${items.length}${next ? '+' : ''} sessions…`}
          </Act>
        </div>
      )}
    </Section>
  );
}
