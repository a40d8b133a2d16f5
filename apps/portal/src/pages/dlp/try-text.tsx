import { Button, Select, Textarea } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { tryDlp } from '@gatehouse/client/dlp.ts';
import { useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useConnectors } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import c from './dlp.module.css';
import { ActionState, isPhase, phaseNames, useClasses, type Phase } from './words.tsx';

type Tried = OutputOf<typeof tryDlp>;
const by: Record<string, string> = { default: 'our default', baseline: 'the baseline' };

/** What would happen to a text on its way: the detectors and policies that look at calls, asked in place. The text is not kept. */
export function TryText({ policies }: { policies: readonly { id: string; name: string }[] }) {
  const org = useOrg();
  const classes = useClasses();
  const connectors = useConnectors();
  const [text, setText] = useState('');
  const [phase, setPhase] = useState<Phase>('arguments');
  const [connector, setConnector] = useState<string | null>(null);
  const [tried, setTried] = useState<Tried>();
  const look = useDo(tryDlp);
  const ask = async (): Promise<void> => {
    const body = { text, phase, ...(connector === null ? {} : { connector }) };
    setTried(await look.run({ org, body }));
  };
  const names = new Map(policies.map((p) => [p.id, p.name]));
  return (
    <form
      className={c.dialog}
      onSubmit={(e) => {
        e.preventDefault();
        void ask();
      }}
    >
      <Textarea
        label="A text"
        description="It is not kept; that somebody tried is recorded."
        rows={5}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      <div className={c.row}>
        <Select
          label="On its way"
          data={Object.entries(phaseNames).map(([value, label]) => ({ value, label }))}
          value={phase}
          onChange={(to) => isPhase(to) && setPhase(to)}
        />
        <Select
          label="At"
          placeholder="Any connector"
          clearable
          allowDeselect
          data={connectors.items.map((i) => ({ value: i.id, label: i.name }))}
          value={connector}
          onChange={setConnector}
        />
      </div>
      <div className="gh-actions">
        <Button type="submit" loading={look.busy} disabled={text === ''}>
          Look at it
        </Button>
      </div>
      <Problem of={look.refusal} />
      <div role="status">
        {tried && (
          <div className={c.dialog}>
            <p className="gh-line">
              <ActionState of={tried.action} done />
              <span className="gh-s gh-2">
                {tried.findings.length === 0 ? 'Nothing was found.' : countOf(tried.findings.length, 'finding')}
              </span>
            </p>
            <ul className={c.found}>
              {tried.findings.map((f, i) => (
                <li key={i}>
                  <span>
                    <b>{classes.nameOf(f.detector)}</b>{' '}
                    <span className="gh-3">by {by[f.by] ?? names.get(f.by) ?? f.by}</span>
                  </span>
                  <ActionState of={f.action} />
                </li>
              ))}
            </ul>
            {tried.redacted !== undefined && (
              <div className="gh-well">
                <pre className={c.content} tabIndex={0} role="region" aria-label="The text as it would go on">
                  {tried.redacted}
                </pre>
              </div>
            )}
          </div>
        )}
      </div>
    </form>
  );
}
