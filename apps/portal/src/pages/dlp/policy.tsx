import { Button, Checkbox, MultiSelect, Radio, Select, Switch, TextInput } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { addPolicy, listBaseline } from '@gatehouse/client/dlp.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { ChooseGroup, connectorsOf, useConnectors, type Chosen } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { useGo } from '../../kit/use-go.ts';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';
import { actionNames, actions, classesOf, phaseNames, phases, useClasses, type Action, type Phase } from './words.tsx';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listConnectors, connectorsOf(org)), ask(listBaseline, classesOf(org))]);

const severities = ['critical', 'high', 'medium', 'low'].map((s) => ({
  value: `severity:${s}`,
  label: `everything ${s}`,
}));

/** A new policy about content, as a sentence that says itself below. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const classes = useClasses();
  const connectors = useConnectors();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<'policy' | 'exception'>('policy');
  const [data, setData] = useState<string[]>([]);
  const [on, setOn] = useState<Phase[]>(['arguments', 'result']);
  const [action, setAction] = useState<Action>('quarantine');
  const [two, setTwo] = useState(false);
  const [group, setGroup] = useState<Chosen>();
  const [connector, setConnector] = useState<string | null>(null);
  const add = useDo(addPolicy);
  const whole =
    name.trim() !== '' && data.length > 0 && on.length > 0 && (kind === 'policy' || group || connector !== null);
  const save = async (): Promise<void> => {
    const body = {
      name: name.trim(),
      kind,
      data,
      phases: on,
      action,
      ...(action === 'quarantine' ? { twoPeople: two } : {}),
      ...(group ? { group: group.id } : {}),
      ...(connector === null ? {} : { connector }),
    };
    if (await add.run({ org, body })) go('dlp/policies');
  };
  return (
    <div className="gh-page">
      <Head room="Policies" roomHref={`/portal/${org}/dlp/policies`} title={name.trim() === '' ? 'A new policy' : name}>
        It applies from the next call on.
      </Head>
      <div className={c.two}>
        <Section title="The policy">
          <form
            className={c.form}
            onSubmit={(e) => {
              e.preventDefault();
              if (whole) void save();
            }}
          >
            <TextInput label="Name" maxLength={120} value={name} onChange={(e) => setName(e.currentTarget.value)} />
            <Radio.Group
              label="It is"
              value={kind}
              onChange={(to) => setKind(to === 'exception' ? 'exception' : 'policy')}
            >
              <div className={c.choices}>
                <Radio value="policy" label="a policy" description="Makes stricter than the baseline." />
                <Radio
                  value="exception"
                  label="an exception"
                  description="Stands in place of the baseline and of policies, for a group or at a connector."
                />
              </div>
            </Radio.Group>
            <MultiSelect
              label="Data"
              searchable
              data={[
                { value: 'any', label: 'anything' },
                ...severities,
                ...classes.items.map((x) => ({ value: x.data, label: classes.nameOf(x.data) })),
              ]}
              value={data}
              onChange={setData}
            />
            <Checkbox.Group
              label="On its way"
              value={on}
              onChange={(to) => setOn(phases.filter((p) => to.includes(p)))}
            >
              <div className={c.choices}>
                {phases.map((p) => (
                  <Checkbox key={p} value={p} label={phaseNames[p]} />
                ))}
              </div>
            </Checkbox.Group>
            <Select
              label="What happens"
              data={actions.map((value) => ({ value, label: actionNames[value] }))}
              value={action}
              onChange={(to) => setAction(actions.find((a) => a === to) ?? action)}
            />
            {action === 'quarantine' && (
              <Switch
                label="Two different people must release it"
                checked={two}
                onChange={(e) => setTwo(e.currentTarget.checked)}
              />
            )}
            <ChooseGroup label="Only of people in a group" value={group} onChange={setGroup} />
            <Select
              label="Only at a connector"
              clearable
              allowDeselect
              data={connectors.items.map((i) => ({ value: i.id, label: i.name }))}
              value={connector}
              onChange={setConnector}
            />
            <Problem of={add.refusal} />
            <div className="gh-actions">
              <Button onClick={() => go('dlp/policies')}>Back</Button>
              <Act
                can="policy.manage"
                variant="filled"
                disabled={!whole}
                loading={add.busy}
                onClick={() => void save()}
              >
                Put in force
              </Act>
            </div>
          </form>
        </Section>
        <Section title="In words">
          <p>
            {data.length === 0 ? (
              'Choose what data it is about.'
            ) : (
              <>
                <b>{data.map(classes.nameOf).join(', ')}</b> {on.map((p) => phaseNames[p]).join(', ')}
                {group && ` of people in ${group.name}`}
                {connector !== null && ` at ${connectors.nameOf(connector)}`}: Gatehouse <b>{actionNames[action]}</b>
                {action === 'quarantine' && two ? ', and two people must release it' : ''}
                {kind === 'exception' ? ', whatever other policies say' : ', unless something stricter speaks'}.
              </>
            )}
          </p>
          {kind === 'exception' && !group && connector === null && (
            <p className="gh-s gh-2">An exception says for which group, or at which connector.</p>
          )}
        </Section>
      </div>
    </div>
  );
}
