import type { Op } from '@gatehouse/client/call.ts';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Confirm } from '../people/confirm.tsx';

type Switch = Op<{ org: string; connection: string }, unknown>;

/** Switches signing in through a connection on or off. */
export function SwitchState({
  id,
  name,
  on,
  enable,
  disable,
}: {
  id: string;
  name: string;
  on: boolean;
  enable: Switch;
  disable: Switch;
}) {
  const org = useOrg();
  const [asking, setAsking] = useState(false);
  const doing = useDo(on ? disable : enable);
  return (
    <>
      <Act can="sso.manage" variant={on ? 'default' : 'filled'} onClick={() => setAsking(true)}>
        {on ? 'Switch off…' : 'Switch on…'}
      </Act>
      <Confirm
        open={asking}
        title={on ? `Switch sign-in through ${name} off?` : `Switch sign-in through ${name} on?`}
        act={on ? 'Switch off' : 'Switch on'}
        danger={on}
        busy={doing.busy}
        refusal={doing.refusal}
        onClose={() => {
          doing.forget();
          setAsking(false);
        }}
        onAct={() => void doing.run({ org, connection: id }, () => setAsking(false))}
      >
        <p className="gh-s gh-2">
          {on
            ? 'Nobody signs in through it from now on. Sessions go on until they end; who has no other way cannot sign in again.'
            : 'People may sign in through it from now on. It is offered beside the ways that there are.'}
        </p>
      </Confirm>
    </>
  );
}
