import { NumberInput, Switch } from '@mantine/core';
import { changeSettings, getSettings } from '@gatehouse/client/approvals.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './approvals.module.css';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(getSettings, { org });

/** How the organization wants approvals in general. Who says yes to what is said by rules. */
export function Page() {
  const org = useOrg();
  const known = useAsk(getSettings, { org });
  const may = useMay('policy.manage').ok;
  const [s, setS] = useState(known);
  const save = useDo(changeSettings);
  const changed = JSON.stringify(s) !== JSON.stringify(known);
  const number = (n: string | number, was: number): number => (typeof n === 'number' ? n : was);
  return (
    <div className="gh-page">
      <Head room="Approvals" roomHref={`/portal/${org}/approvals/inbox`} title="Settings">
        Who says yes to what is said by rules. What was approved before stays as it was.
      </Head>
      <Section title="Further calls of a run">
        <div className={c.form}>
          <Switch
            label="One yes may cover further calls like it of the same run"
            description="Never of tools that destroy: those are asked about each time."
            checked={s.runGrants}
            disabled={!may}
            onChange={(e) => setS({ ...s, runGrants: e.currentTarget.checked })}
          />
          <NumberInput
            label="Calls that one yes covers at most"
            min={1}
            max={1000}
            value={s.runMost}
            disabled={!may || !s.runGrants}
            onChange={(n) => setS({ ...s, runMost: number(n, s.runMost) })}
          />
          <NumberInput
            label="Minutes for which it counts at most"
            min={1}
            max={1440}
            value={s.runMinutes}
            disabled={!may || !s.runGrants}
            onChange={(n) => setS({ ...s, runMinutes: number(n, s.runMinutes) })}
          />
        </div>
      </Section>
      <Section title="Notices">
        <div className={c.form}>
          <NumberInput
            label="Notices that a person gets at once within an hour"
            description="What comes then waits for the next summary. With 0 there are summaries only."
            min={0}
            max={100}
            value={s.noticesAnHour}
            disabled={!may}
            onChange={(n) => setS({ ...s, noticesAnHour: number(n, s.noticesAnHour) })}
          />
        </div>
      </Section>
      <div className={c.form}>
        <p className="gh-s gh-2" role="status">
          {changed
            ? `From then on ${s.runGrants ? `one yes may cover up to ${countOf(s.runMost, 'call')} for ${countOf(s.runMinutes, 'minute')}` : 'each call is asked about'}, and a person gets up to ${countOf(s.noticesAnHour, 'notice')} an hour.`
            : 'Nothing is changed.'}
        </p>
        <Problem of={save.refusal} />
        <div className="gh-actions">
          <Act
            can="policy.manage"
            variant="filled"
            disabled={!changed}
            loading={save.busy}
            onClick={() => void save.run({ org, body: s })}
          >
            Put in force
          </Act>
        </div>
      </div>
    </div>
  );
}
