import { previewLeaving } from '@gatehouse/client/org.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import { countOf } from '../../kit/words.ts';
import { roleWord } from '../people/role-words.ts';
import c from './directory.module.css';

/** What ends when somebody is removed or suspended, counted by the server as it is now. */
export function Ends({ member, name, what }: { member: string; name: string; what: 'remove' | 'suspend' }) {
  const { org } = useHere();
  const p = useAsk(previewLeaving, { org, member });
  const elsewhere = p.orgs.filter((o) => o.org !== org);
  const lines: [number, string][] = [
    // A session is of the account: removing from one of several organizations leaves it.
    [
      what === 'suspend' || elsewhere.length === 0 ? p.sessions : 0,
      countOf(p.sessions, 'session stops', 'sessions stop') + ' working',
    ],
    [p.consents, `${countOf(p.consents, 'application')} may not act for ${name} any more`],
    [
      p.connections,
      `${countOf(p.connections, 'connection ends', 'connections end')}, here at once and then at the vendor`,
    ],
    [p.approvals, `${countOf(p.approvals, 'request that waits is', 'requests that wait are')} cancelled`],
    [p.keys, countOf(p.keys, 'API key ends', 'API keys end')],
  ];
  const ends = lines.filter(([n]) => n > 0);
  return (
    <>
      <ul className={c.effects}>
        <li>
          <State is="minus">
            {what === 'remove'
              ? `${name} has no access to this organization any more`
              : `${name} has no access anywhere`}
            , from the next request on
          </State>
        </li>
        {ends.map(([, says]) => (
          <li key={says}>
            <State is="minus" quiet>
              {says}
            </State>
          </li>
        ))}
        {ends.length === 0 && (
          <li>
            <State is="none" quiet>
              No session, application, connection, waiting request or API key is open
            </State>
          </li>
        )}
        {elsewhere.map((o) => (
          <li key={o.org}>
            <State is={what === 'suspend' ? 'minus' : 'none'} quiet={what === 'remove'}>
              {what === 'suspend'
                ? `Also in ${o.name}, as ${roleWord[o.role]}`
                : `Stays ${roleWord[o.role]} in ${o.name}`}
            </State>
          </li>
        ))}
      </ul>
      <p className="gh-s gh-2">
        {what === 'remove'
          ? 'Neither a sign-in nor a directory brings the person back until an owner lets them in again (Directory, Removed). Connections must be made anew.'
          : 'The place, the role and the seat stay. Letting back in undoes it; connections and consents must be made anew.'}
      </p>
    </>
  );
}
