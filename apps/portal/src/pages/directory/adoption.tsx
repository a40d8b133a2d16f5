import { Button, Checkbox } from '@mantine/core';
import { adoptPeople, planAdoption, settleHeld } from '@gatehouse/client/directory.ts';
import { Banner, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { count, countOf } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import { Person } from '../people/person.tsx';
import { roleWord } from '../people/role-words.ts';
import c from './directory.module.css';

const wasWord = {
  local_user: 'made by hand',
  address_in_use: 'the address is in use',
  no_address: 'no address',
  domain_held: 'held because of its domain',
} as const;

/** Accounts that are here already and that the directory speaks of too: who would become the directory's, and what changes about them. */
export function Adoption({ directory, name }: { directory: string; name: string }) {
  const org = useOrg();
  const plan = useAsk(planAdoption, { org, directory });
  const adopting = useDo(adoptPeople, { also: ['org', 'provisioning'] });
  const settling = useDo(settleHeld, { also: ['org', 'provisioning'] });
  // A primary owner is taken only by somebody who ticks them.
  const [left, setLeft] = useState<ReadonlySet<string>>(
    () => new Set(plan.matches.filter((m) => m.primaryOwner).map((m) => m.entry)),
  );
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState<string>();
  const taken = plan.matches.filter((m) => !left.has(m.entry));
  const suspends = taken.filter((m) => m.becomes.suspended && m.state === 'active').length;
  return (
    <Section title="People who are here already" note={`whom ${name} speaks of too`}>
      {said !== undefined && (
        <Banner
          is="answered"
          title={said}
          actions={
            <Button size="sm" onClick={() => setSaid(undefined)}>
              Close
            </Button>
          }
        />
      )}
      <p className="gh-s gh-2">
        A directory never takes over an account that it did not make. Choose who becomes the directory’s: their address
        and name follow it from then on, and they leave when it says so.
      </p>
      {plan.matches.length === 0 ? (
        <p className="gh-s gh-3">Nobody: every account that it speaks of is its own.</p>
      ) : (
        <>
          <div className="gh-scroll" tabIndex={0} role="group" aria-label="Accounts that would become the directory’s">
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Take</th>
                  <th>Account here</th>
                  <th>In the directory</th>
                  <th>Matched by</th>
                  <th>Becomes</th>
                </tr>
              </thead>
              <tbody>
                {plan.matches.map((m) => (
                  <tr key={m.entry}>
                    <td>
                      <Checkbox
                        aria-label={`Take ${m.displayName || m.email}`}
                        checked={!left.has(m.entry)}
                        onChange={() =>
                          setLeft(
                            left.has(m.entry)
                              ? new Set([...left].filter((x) => x !== m.entry))
                              : new Set([...left, m.entry]),
                          )
                        }
                      />
                    </td>
                    <td>
                      <Person name={m.displayName} email={m.email} />
                      <span className="gh-xs gh-3">
                        {wasWord[m.was]}
                        {m.roles.length > 0 && `; ${m.roles.map((r) => roleWord[r.role]).join(', ')}`}
                      </span>
                    </td>
                    <td className="gh-mono">{m.userName}</td>
                    <td>{m.by === 'external_id' ? 'external id' : 'e-mail'}</td>
                    <td>
                      {m.becomes.suspended && m.state === 'active' ? (
                        <State is="minus">suspended</State>
                      ) : m.becomes.email !== m.email ? (
                        <State is="swap">{m.becomes.email}</State>
                      ) : (
                        'the same'
                      )}
                      {m.primaryOwner && (
                        <div>
                          <State is="caution">primary owner</State>
                        </div>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {plan.more && <p className="gh-s gh-3">There are more; these come first. Take these, then look again.</p>}
          <div className="gh-line gh-wrap">
            <Act can="directory.manage" variant="filled" disabled={taken.length === 0} onClick={() => setAsking(true)}>
              Take {countOf(taken.length, 'account')}…
            </Act>
            <span className="gh-xs gh-3">
              Plan <Hash label="hash of the plan">{plan.hash}</Hash>
            </span>
          </div>
        </>
      )}
      <Problem of={settling.refusal} />
      <div className="gh-line gh-wrap">
        <Act
          can="directory.manage"
          loading={settling.busy}
          onClick={() =>
            void settling
              .run({ org, directory, body: {} })
              .then(
                (d) =>
                  d &&
                  setSaid(
                    `${countOf(d.settled, 'person got', 'people got')} an account${d.left ? '; press again for the rest' : ''}`,
                  ),
              )
          }
        >
          Give accounts to who was held
        </Act>
        <span className="gh-s gh-3">
          people who were kept without an account because of their domain, and need not be any more
        </span>
      </div>
      <Confirm
        open={asking}
        title={`Take ${countOf(taken.length, 'account')} under ${name}?`}
        act={`Take ${countOf(taken.length, 'account')}`}
        busy={adopting.busy}
        refusal={adopting.refusal}
        onClose={() => setAsking(false)}
        onAct={() =>
          void adopting
            .run({
              org,
              directory,
              body: {
                hash: plan.hash,
                take: taken.map((m) => m.entry),
                primaryOwners: taken.filter((m) => m.primaryOwner).map((m) => m.entry),
              },
            })
            .then((d) => {
              if (!d) return;
              setAsking(false);
              setSaid(`${countOf(d.adopted, 'account is', 'accounts are')} the directory’s now`);
            })
        }
      >
        <ul className={c.effects}>
          <li>
            <State is="swap" quiet>
              {countOf(taken.length, 'account follows', 'accounts follow')} the directory from now on
            </State>
          </li>
          {suspends > 0 && (
            <li>
              <State is="minus">
                {countOf(suspends, 'person is', 'people are')} suspended at once, because the directory says inactive
              </State>
            </li>
          )}
        </ul>
        <p className="gh-s gh-2">All or none. {count(left.size)} left out stay as they are.</p>
      </Confirm>
    </Section>
  );
}
