import { Button, Radio, TagsInput } from '@mantine/core';
import { listDomains } from '@gatehouse/client/domains.ts';
import { findSettings } from '@gatehouse/client/provisioning.ts';
import { Banner, Facts, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { useAsk } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Go } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { modes, modeWord, type Mode } from './mode-words.ts';
import c from './mode.module.css';
import { PlanBox } from './plan-box.tsx';
import { usePlan, type Edit } from './use-plan.ts';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(findSettings, { org }), ask(listDomains, { org, query: { limit: 200 } })]);

/** How people come in and leave: the five modes with what follows from each, and what a change would do to whom. */
export function Page() {
  const org = useOrg();
  const settings = useAsk(findSettings, { org });
  const { items: known } = useAsk(listDomains, { org, query: { limit: 200 } });
  const may = useMay('directory.manage');
  const [mode, setMode] = useState<Mode>();
  const [domains, setDomains] = useState<string[]>();
  const [said, setSaid] = useState<string>();
  const to = mode ?? settings.mode;
  const named = domains ?? settings.domains;
  const edits: Edit[] = [
    ...(to !== settings.mode ? [{ set: 'mode' as const, mode: to }] : []),
    ...(named.toSorted().join() !== settings.domains.toSorted().join()
      ? [{ set: 'domains' as const, domains: named }]
      : []),
  ];
  const plan = usePlan(org, edits);
  const { brake } = settings;
  const verified = known.filter((d) => d.state === 'verified' || d.state === 'failing').map((d) => d.name);
  return (
    <div className="gh-page">
      <PageHead room="Directory" roomAt="directory/members" title="How people come in">
        {modeWord[settings.mode].says} Mode: {modeWord[settings.mode].name}.
      </PageHead>
      {said !== undefined && (
        <Banner
          is="answered"
          title={`The mode is ${modeWord[settings.mode].name}`}
          actions={
            <Button size="sm" onClick={() => setSaid(undefined)}>
              Close
            </Button>
          }
        >
          {said}
        </Banner>
      )}
      <div className={c.cols}>
        <div className={c.stack}>
          <Section title="Mode" note="what follows from each">
            {!may.ok && (
              <p className="gh-s gh-2">
                {sentence(may.says)} {sentence(may.fix)}
              </p>
            )}
            <Radio.Group
              aria-label="Mode"
              value={to}
              onChange={(value) => {
                setSaid(undefined);
                setMode(modes.find((m) => m === value));
              }}
            >
              <div className={c.modes}>
                {modes.map((m) => (
                  <div key={m} className={c.mode} data-on={m === to || undefined}>
                    <Radio
                      value={m}
                      disabled={!may.ok}
                      label={
                        <>
                          <b>{sentence(modeWord[m].name).replace(/\.$/, '')}</b> {m === settings.mode && <Tag>now</Tag>}
                        </>
                      }
                      description={modeWord[m].says}
                    />
                    {m === to && (
                      <Facts
                        of={[
                          ['Comes in', modeWord[m].comes],
                          ['Leaves', modeWord[m].leaves],
                          ['Role', modeWord[m].role],
                        ]}
                      />
                    )}
                  </div>
                ))}
              </div>
            </Radio.Group>
          </Section>
          <Section title="Domains for new accounts" note="a first sign-in makes an account for addresses of these only">
            <TagsInput
              aria-label="Domains for new accounts"
              description={
                to.startsWith('jit')
                  ? 'Choose verified domains. Without one, a sign-in makes no account for somebody whom nobody here knows.'
                  : 'Used by the modes where sign-ins make accounts.'
              }
              placeholder={named.length === 0 ? 'No domain' : ''}
              data={verified.filter((d) => !named.includes(d))}
              value={[...named]}
              readOnly={!may.ok}
              onChange={(value) => setDomains(value.map((d) => d.trim().toLowerCase()).filter((d) => d !== ''))}
            />
            {settings.unverifiedDomains.map((d) => (
              <p key={d} className="gh-s">
                <State is="caution">{d} is not verified now: no new account is made for it</State>
              </p>
            ))}
            <p className="gh-s">
              <Go to="identity/domains">Domains and how they are proved</Go>
            </p>
          </Section>
          <Section title="Brake" note="always on">
            <p className="gh-s gh-2">
              More than {count(brake.limit)} removals in {count(brake.minutes)} minutes, or a mapped group of more than{' '}
              {count(brake.emptiedGroup)} that is emptied at once, are held until an owner decides. One person at a time
              is never held.{' '}
              <Go to="directory/held">{brake.held === 0 ? 'Nothing is held' : `${count(brake.held)} held now`}</Go>.
            </p>
          </Section>
        </div>
        <PlanBox
          title={edits.length === 0 ? 'What a change would do' : `If the mode were ${modeWord[to].name}`}
          plan={plan.plan}
          computing={plan.computing}
          refusal={plan.refusal}
          onAgain={plan.again}
          onApplied={(says) => {
            setMode(undefined);
            setDomains(undefined);
            setSaid(says);
          }}
        />
      </div>
    </div>
  );
}
