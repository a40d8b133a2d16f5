import { TextInput } from '@mantine/core';
import { endExemption, exemptPerson } from '@gatehouse/client/provisioning.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Confirm } from '../people/confirm.tsx';

/** An account that no identity provider can change, and that gets in when none works. */
export function BreakGlass({ user, name, on }: { user: string; name: string; on: boolean }) {
  const org = useOrg();
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState('');
  const make = useDo(exemptPerson, { also: ['identity'] });
  const end = useDo(endExemption, { also: ['identity'] });
  const close = (): void => {
    make.forget();
    end.forget();
    setAsking(false);
  };
  return (
    <Section title="Break-glass" note="gets in when single sign-on does not work">
      <p className="gh-s">
        {on ? (
          <State is="info">{name} is a break-glass account: no identity provider changes it</State>
        ) : (
          <span className="gh-2">An ordinary account.</span>
        )}
      </p>
      <div className="gh-actions">
        <Act can="directory.manage" size="sm" onClick={() => setAsking(true)}>
          {on ? 'Make it an ordinary account…' : 'Make it a break-glass account…'}
        </Act>
      </div>
      <Confirm
        open={asking}
        title={on ? `Make ${name} an ordinary account?` : `Make ${name} a break-glass account?`}
        act={on ? 'Make it ordinary' : 'Make it break-glass'}
        busy={make.busy || end.busy}
        refusal={make.refusal ?? end.refusal}
        wait={!on && why.trim() === '' ? 'Say why; the log has it.' : undefined}
        onClose={close}
        onAct={() =>
          void (on ? end.run({ org, user }, close) : make.run({ org, user, body: { why: why.trim() } }, close))
        }
      >
        {on ? (
          <p className="gh-s gh-2">
            The next sign-in and the next sync treat the account like every other, and enforcement of single sign-on
            covers it.
          </p>
        ) : (
          <>
            <p className="gh-s gh-2">
              Neither a directory nor a sign-in lowers, removes or suspends it, and enforcement never refuses it. Give
              it a passkey, and prove every 90 days that it still gets in.
            </p>
            <TextInput label="Why" value={why} onChange={(e) => setWhy(e.currentTarget.value)} data-autofocus />
          </>
        )}
      </Confirm>
    </Section>
  );
}
