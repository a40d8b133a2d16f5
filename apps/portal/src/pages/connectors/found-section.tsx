import type { OutputOf } from '@gatehouse/client/call.ts';
import { check } from '@gatehouse/client/connectors.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import type { Connector } from './words.ts';
import { useState } from 'react';

type Checked = OutputOf<typeof check>;
export type Found = NonNullable<Checked['authorization']>;

/** What a server says itself of how to be authorized at, in the server's own sentences. */
export const FoundWords = ({ of }: { of: Found }) => (
  <ul>
    {of.says.map((s) => (
      <li key={s}>{s}</li>
    ))}
  </ul>
);

/** The same, asked anew: of a connector whose server says so itself. */
export function FoundSection({ of }: { of: Connector }) {
  const org = useOrg();
  const [checked, setChecked] = useState<Checked>();
  const ask = useDo(check, { done: setChecked });
  return (
    <Section
      title="How it is to be authorized at"
      note="as the server says itself"
      aside={
        <Act can="connector.manage" size="sm" loading={ask.busy} onClick={() => void ask.run({ org, con: of.id })}>
          {checked ? 'Ask it again' : 'Ask it'}
        </Act>
      }
    >
      <Problem of={ask.refusal} />
      {checked?.authorization ? (
        <>
          <FoundWords of={checked.authorization} />
          {checked.wrong !== null && <p className="gh-s gh-2">It was not tried: {checked.wrong}</p>}
        </>
      ) : (
        <p className="gh-s gh-2">
          Gatehouse found it out when the server was added, and reads it again before anybody is sent there.
        </p>
      )}
    </Section>
  );
}
