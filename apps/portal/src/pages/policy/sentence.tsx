import { Button, Radio, Select } from '@mantine/core';
import { Fragment, useState, type ReactNode } from 'react';
import { useConnectors } from '../../kit/choose.tsx';
import { useHere } from '../../kit/org.tsx';
import { ConditionForm } from './condition-form.tsx';
import {
  anyDecider,
  asks,
  effectOf,
  effects,
  same,
  withEffect,
  wordsOfCondition,
  wordsOfManner,
  wordsOfTools,
  wordsOfWho,
  type Draft,
} from './draft.ts';
import { MannerForm, ToolsForm, WhoForm } from './part-forms.tsx';
import { Pick } from './pick.tsx';
import c from './policy.module.css';

type Edit = (to: Draft) => void;

/** The rule as a sentence; its marked parts change it. Without `edit` it is only read. `was` is what stands in force. */
export function Sentence({ draft: d, was, edit }: { draft: Draft; was: Draft | undefined; edit: Edit | undefined }) {
  const { orgName } = useHere();
  const connectors = useConnectors();
  const a = d.approvers ?? anyDecider;
  const changed = (of: (x: Draft) => unknown): boolean => was !== undefined && !same(of(d), of(was));
  const when =
    edit && ((form: (edit: Edit, close: () => void) => ReactNode) => (close: () => void) => form(edit, close));
  const form = (of: (edit: Edit, close: () => void) => ReactNode) => when?.(of);
  const pass = <T,>(key: string, x: T): Record<string, T> => (x === undefined ? {} : { [key]: x });
  return (
    <div className={c.rule}>
      <p>
        When{' '}
        <Pick
          part="who"
          label="whom it is about"
          says={wordsOfWho(d.who, orgName)}
          changed={changed((x) => x.who)}
          {...pass(
            'children',
            form((set, close) => (
              <WhoForm
                label="Whom it is about"
                plain={[{ kind: 'everyone', label: `anyone in ${orgName}` }]}
                value={d.who}
                onDone={(who) => {
                  set({ ...d, who });
                  close();
                }}
              />
            )),
          )}
        />{' '}
        wants to use{' '}
        <Pick
          part="tools"
          label="which tools"
          says={wordsOfTools(d.tools)}
          changed={changed((x) => x.tools)}
          {...pass(
            'children',
            form((set) => <ToolsForm draft={d} onDone={(tools) => set({ ...d, tools })} />),
          )}
        />{' '}
        of{' '}
        <Pick
          part="where"
          label="which connector"
          says={connectors.nameOf(d.connector)}
          changed={changed((x) => x.connector)}
          {...pass(
            'children',
            form((set, close) => (
              <Select
                label="Connector"
                searchable
                data={[
                  { value: 'any', label: 'any connector' },
                  ...connectors.items.map((i) => ({ value: i.id, label: i.name })),
                ]}
                value={d.connector}
                onChange={(to) => {
                  if (to === null) return;
                  const tools = 'names' in d.tools && to !== d.connector ? { classes: ['read' as const] } : d.tools;
                  set({ ...d, connector: to, tools });
                  close();
                }}
                data-autofocus
              />
            )),
          )}
        />
        {d.when.map((x, i) => (
          <Fragment key={JSON.stringify(x)}>
            {' '}
            {i === 0 ? 'while' : 'and'}{' '}
            <Pick
              part="when"
              label="a condition"
              says={wordsOfCondition(x)}
              changed={was !== undefined && !was.when.some((y) => same(x, y))}
              {...pass(
                'children',
                form((set, close) => (
                  <ConditionForm
                    value={x}
                    onDone={(to) => {
                      set({ ...d, when: d.when.map((y, j) => (j === i ? to : y)) });
                      close();
                    }}
                    onRemove={() => {
                      set({ ...d, when: d.when.filter((_, j) => j !== i) });
                      close();
                    }}
                  />
                )),
              )}
            />
          </Fragment>
        ))}
        ,{' '}
        <Pick
          part="does"
          label="what happens"
          says={effects.find((e) => e.value === effectOf(d))?.label ?? ''}
          changed={changed(effectOf)}
          {...pass(
            'children',
            form((set, close) => (
              <Radio.Group
                label="What happens"
                value={effectOf(d)}
                onChange={(to) => {
                  set(withEffect(d, to));
                  close();
                }}
              >
                <div className={c.choices}>
                  {effects.map((e) => (
                    <Radio key={e.value} value={e.value} label={e.label} description={e.more} />
                  ))}
                </div>
              </Radio.Group>
            )),
          )}
        />
        {asks(d) && (
          <>
            {' '}
            <Pick
              part="approver"
              label="who says yes"
              says={wordsOfWho(a.who, orgName)}
              changed={changed((x) => x.approvers?.who)}
              {...pass(
                'children',
                form((set, close) => (
                  <WhoForm
                    label="Who says yes"
                    plain={[
                      { kind: 'deciders', label: 'somebody whose role decides approvals' },
                      { kind: 'manager', label: 'their manager' },
                      { kind: 'self', label: 'they themselves' },
                    ]}
                    value={a.who}
                    onDone={(who) => {
                      set({ ...d, approvers: { ...a, who, secondPerson: who.kind !== 'self' } });
                      close();
                    }}
                  />
                )),
              )}
            />
            , who says yes{' '}
            <Pick
              part="manner"
              label="how the yes is given"
              says={wordsOfManner(a)}
              changed={changed((x) => [x.approvers?.fresh, x.approvers?.surface, x.approvers?.secondPerson])}
              {...pass(
                'children',
                form((set) => <MannerForm value={a} onChange={(approvers) => set({ ...d, approvers })} />),
              )}
            />
          </>
        )}
        .
      </p>
      {edit && d.when.length < 10 && <AddCondition onDone={(x) => edit({ ...d, when: [...d.when, x] })} />}
    </div>
  );
}

function AddCondition({ onDone }: { onDone(to: Draft['when'][number]): void }) {
  const [adding, setAdding] = useState(false);
  if (!adding)
    return (
      <Button size="sm" variant="subtle" onClick={() => setAdding(true)}>
        Add a condition
      </Button>
    );
  return (
    <section className={`gh-box ${c.drop}`} aria-label="A new condition">
      <ConditionForm
        value={undefined}
        onDone={(x) => {
          onDone(x);
          setAdding(false);
        }}
        onRemove={() => setAdding(false)}
      />
    </section>
  );
}
