import { Checkbox, Switch, TagsInput, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { changeAccess, readAccess } from '@gatehouse/client/identity.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import type { LoaderContext } from '../page.ts';
import { PageHead } from '../people/page-head.tsx';
import c from './identity.module.css';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(readAccess, { org });

type Access = OutputOf<typeof readAccess>;
const HOUR = 3600;
const hours = (s: number | null): string => (s === null ? '' : String(Math.round((s / HOUR) * 100) / 100));
const seconds = (text: string): number | null =>
  text.trim() === '' ? null : Math.round(Number(text.replace(',', '.')) * HOUR);

/** From where and for how long people come in. */
export function Page() {
  const org = useOrg();
  const a = useAsk(readAccess, { org });
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="Access rules">
        How long sessions last, from which addresses people and keys come, and which ways count beside the identity
        provider.
      </PageHead>
      <Rules key={JSON.stringify(a)} a={a} />
    </div>
  );
}

function Rules({ a }: { a: Access }) {
  const org = useOrg();
  const changing = useDo(changeAccess);
  const [idle, setIdle] = useState(hours(a.sessionIdleS));
  const [max, setMax] = useState(hours(a.sessionMaxS));
  const [addresses, setAddresses] = useState(a.addresses);
  const [passkeys, setPasskeys] = useState(a.passkeys);
  const [mailLinks, setMailLinks] = useState(a.mailLinks);
  const [even, setEven] = useState(false);
  const shutsOut = changing.refusal?.code === 'identity/would-shut-you-out';
  const save = (): void =>
    void changing.run({
      org,
      body: {
        sessionIdleS: seconds(idle),
        sessionMaxS: seconds(max),
        addresses,
        passkeys,
        mailLinks,
        ...(even ? { evenIfItShutsMeOut: true } : {}),
      },
    });
  return (
    <form
      className={c.stack}
      onSubmit={(e) => {
        e.preventDefault();
        save();
      }}
    >
      <Section title="Sessions" note="the strictest of a person’s organizations counts, for open sessions too">
        <div className={c.form}>
          <TextInput
            label="Ends when unused for, in hours"
            description="Empty: 12 hours."
            inputMode="decimal"
            value={idle}
            onChange={(e) => setIdle(e.currentTarget.value)}
          />
          <TextInput
            label="Ends in any case after, in hours"
            description="Empty: 168 hours, a week."
            inputMode="decimal"
            value={max}
            onChange={(e) => setMax(e.currentTarget.value)}
          />
        </div>
      </Section>
      <Section title="Addresses" note="empty: from everywhere">
        <div className={c.form}>
          <TagsInput
            label="Networks that people and keys may come from"
            description={`As 192.0.2.0/24 or 2001:db8::/32. You come from ${a.yourAddress ?? 'an address that we do not know'}.`}
            value={addresses}
            onChange={setAddresses}
          />
          {shutsOut && (
            <Checkbox
              checked={even}
              onChange={(e) => setEven(e.currentTarget.checked)}
              label="I mean it: I come from elsewhere than the list says, and am shut out at once"
            />
          )}
        </div>
      </Section>
      <Section title="Ways beside the identity provider">
        <div className={c.form}>
          <Switch
            checked={passkeys}
            onChange={(e) => setPasskeys(e.currentTarget.checked)}
            label="Passkeys"
            description="Break-glass accounts keep theirs in any case."
          />
          <Switch
            checked={mailLinks}
            onChange={(e) => setMailLinks(e.currentTarget.checked)}
            label="Mailed links"
            description="Whoever reads the mailbox of a member gets in."
          />
        </div>
      </Section>
      <Problem of={changing.refusal} />
      <div className="gh-actions">
        <Act can="sso.manage" variant="filled" loading={changing.busy} onClick={save}>
          Save
        </Act>
      </div>
    </form>
  );
}
