import { Button, Checkbox, Radio, Select } from '@mantine/core';
import { listTools } from '@gatehouse/client/connectors.ts';
import { MultiSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState, type ReactNode } from 'react';
import { question } from '../../kit/ask.ts';
import { ChooseGroup, ChoosePerson, useConnectors, type Chosen } from '../../kit/choose.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
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
  type Approvers,
  type Draft,
} from './draft.ts';
import { Pick } from './pick.tsx';
import c from './policy.module.css';

type Edit = (to: Draft) => void;
type Whom =
  | { kind: 'group'; group: string; name?: string | undefined }
  | { kind: 'user'; user: string; name?: string | undefined };

/** Everyone of some kinds, a group or a person. */
function WhoForm<K extends string>({
  label,
  plain,
  value,
  onDone,
}: {
  label: string;
  plain: readonly { kind: K; label: string }[];
  value: { kind: K } | Whom;
  onDone(to: { kind: K } | Whom): void;
}) {
  const [kind, setKind] = useState<string>(value.kind);
  const chosen = (is: 'group' | 'user'): Chosen | undefined =>
    is === 'group' && 'group' in value
      ? { id: value.group, name: value.name ?? value.group }
      : is === 'user' && 'user' in value
        ? { id: value.user, name: value.name ?? value.user }
        : undefined;
  return (
    <>
      <Radio.Group
        label={label}
        value={kind}
        onChange={(to) => {
          setKind(to);
          const one = plain.find((p) => p.kind === to);
          if (one) onDone({ kind: one.kind });
        }}
      >
        <div className={c.choices}>
          {plain.map((p) => (
            <Radio key={p.kind} value={p.kind} label={p.label} />
          ))}
          <Radio value="group" label="people in a group" />
          <Radio value="user" label="one person" />
        </div>
      </Radio.Group>
      {kind === 'group' && (
        <ChooseGroup
          label="Group"
          value={chosen('group')}
          onChange={(g) => g && onDone({ kind: 'group', group: g.id, name: g.name })}
        />
      )}
      {kind === 'user' && (
        <ChoosePerson
          label="Person"
          value={chosen('user')}
          onChange={(u) => u && onDone({ kind: 'user', user: u.id, name: u.name })}
        />
      )}
    </>
  );
}

const classNames = {
  read: 'that read',
  write: 'that write',
  destructive: 'that destroy, or cannot be undone',
} as const;

function ToolsForm({ draft, onDone }: { draft: Draft; onDone(to: Draft['tools']): void }) {
  const org = useOrg();
  const named = 'names' in draft.tools;
  const [by, setBy] = useState(named ? 'names' : 'classes');
  const { data } = useQuery({
    ...question(listTools, { org, con: draft.connector, query: { limit: 200 } }),
    enabled: draft.connector !== 'any',
  });
  const known = (data?.items ?? []).map((t) => t.name);
  const names = 'names' in draft.tools ? draft.tools.names : [];
  return (
    <>
      <Radio.Group label="Which tools" value={by} onChange={setBy}>
        <div className={c.choices}>
          <Radio value="classes" label="by what a reviewer said they do" />
          <Radio
            value="names"
            label="by name"
            disabled={draft.connector === 'any'}
            description={draft.connector === 'any' ? 'A name means something only within one connector.' : undefined}
          />
        </div>
      </Radio.Group>
      {by === 'classes' ? (
        <Checkbox.Group
          label="Tools"
          value={'classes' in draft.tools ? [...draft.tools.classes] : []}
          onChange={(to) => {
            const classes = (['read', 'write', 'destructive'] as const).filter((k) => to.includes(k));
            if (classes.length > 0) onDone({ classes });
          }}
        >
          <div className={c.choices}>
            {Object.entries(classNames).map(([value, label]) => (
              <Checkbox key={value} value={value} label={label} />
            ))}
          </div>
        </Checkbox.Group>
      ) : (
        <MultiSelect
          label="Names"
          searchable
          data={[...new Set([...names, ...known])]}
          value={[...names]}
          onChange={(to) => to.length > 0 && onDone({ names: to })}
        />
      )}
    </>
  );
}

function MannerForm({ value, onChange }: { value: Approvers; onChange(to: Approvers): void }) {
  return (
    <div className={c.choices}>
      <Checkbox
        label="with a passkey, for exactly this call"
        checked={value.fresh}
        onChange={(e) => onChange({ ...value, fresh: e.currentTarget.checked })}
      />
      <Checkbox
        label="not from a phone"
        checked={value.surface === 'desktop_only'}
        onChange={(e) => onChange({ ...value, surface: e.currentTarget.checked ? 'desktop_only' : 'any' })}
      />
      {value.who.kind !== 'self' && (
        <Checkbox
          label="never about one’s own call"
          checked={value.secondPerson}
          onChange={(e) => onChange({ ...value, secondPerson: e.currentTarget.checked })}
        />
      )}
    </div>
  );
}

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
