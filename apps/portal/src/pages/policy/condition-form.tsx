import { Button, Checkbox, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { argumentNames, dayNames, deviceNames, surfaceNames, type Condition } from './draft.ts';
import c from './policy.module.css';

type Kind = keyof typeof argumentNames | 'amount' | 'surface' | 'device' | 'time';
const kindOf = (x: Condition): Kind =>
  'argument' in x
    ? x.argument
    : 'amount' in x
      ? 'amount'
      : 'surface' in x
        ? 'surface'
        : 'device' in x
          ? 'device'
          : 'time';

const kinds: { value: Kind; label: string }[] = [
  ...Object.entries(argumentNames).map(([value, label]) => ({ value: value as keyof typeof argumentNames, label })),
  { value: 'amount', label: 'the amount' },
  { value: 'surface', label: 'where it comes from' },
  { value: 'device', label: 'the device' },
  { value: 'time', label: 'the time' },
];

const beginnings = {
  amount: { amount: { atLeast: 0 } },
  surface: { surface: ['mcp'], is: 'in' },
  device: { device: ['managed'], is: 'in' },
  time: { time: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }, is: 'in' },
} satisfies Partial<Record<Kind, Condition>>;
const began = (kind: Kind): Condition =>
  kind === 'amount' || kind === 'surface' || kind === 'device' || kind === 'time'
    ? beginnings[kind]
    : { argument: kind, is: 'in', of: [] };

const several = <T extends string>(
  names: Record<T, string>,
  chosen: readonly T[],
  set: (to: T[]) => void,
  label: string,
) => (
  <Checkbox.Group label={label} value={[...chosen]} onChange={(to) => set(to)}>
    <div className={c.choices}>
      {Object.entries<string>(names).map(([value, name]) => (
        <Checkbox key={value} value={value} label={name} />
      ))}
    </div>
  </Checkbox.Group>
);

/** Whether it says something; one that does not is not kept. */
const complete = (x: Condition): boolean =>
  'argument' in x
    ? x.of.length > 0
    : 'amount' in x
      ? x.amount.atLeast !== undefined || x.amount.atMost !== undefined
      : 'surface' in x
        ? x.surface.length > 0
        : 'device' in x
          ? x.device.length > 0
          : x.time.days.length > 0;

const examples: Partial<Record<Kind, string>> = {
  path: '/Reports/*',
  folder: '/Reports',
  repository: 'acme/*',
  channel: '#general',
  recipient: 'ada@acme.example',
  recipient_domain: '*.acme.example',
  url: 'acme.example/*',
  text: '*offer*',
};

/** One thing that must be so for a rule to apply. */
export function ConditionForm({
  value,
  onDone,
  onRemove,
}: {
  value: Condition | undefined;
  onDone(to: Condition): void;
  onRemove?: () => void;
}) {
  const [x, setX] = useState<Condition>(value ?? began('path'));
  const kind = kindOf(x);
  const [of, setOf] = useState('argument' in x ? x.of.join('\n') : '');
  const done = (): void => {
    const lines = of.split('\n').map((l) => l.trim());
    const made = 'argument' in x ? { ...x, of: [...new Set(lines.filter((l) => l !== ''))] } : x;
    if (complete(made)) onDone(made);
  };
  return (
    <>
      <Select
        label="What it looks at"
        data={kinds}
        value={kind}
        onChange={(to) => {
          const next = kinds.find((k) => k.value === to);
          if (next) setX(began(next.value));
        }}
        data-autofocus
      />
      {'is' in x && (
        <Select
          label="How"
          data={[
            { value: 'in', label: 'is one of these' },
            { value: 'not_in', label: 'is none of these' },
          ]}
          value={x.is}
          onChange={(to) => setX({ ...x, is: to === 'not_in' ? 'not_in' : 'in' })}
        />
      )}
      {'argument' in x && (
        <Textarea
          label="One in a line"
          description={`For example ${examples[kind] ?? ''}; * stands for anything.`}
          rows={3}
          value={of}
          onChange={(e) => setOf(e.currentTarget.value)}
        />
      )}
      {'amount' in x && (
        <div className={c.row}>
          <NumberInput
            label="At least"
            min={0}
            value={x.amount.atLeast ?? ''}
            onChange={(n) => setX({ amount: { ...x.amount, atLeast: typeof n === 'number' ? n : undefined } })}
          />
          <NumberInput
            label="At most"
            min={0}
            value={x.amount.atMost ?? ''}
            onChange={(n) => setX({ amount: { ...x.amount, atMost: typeof n === 'number' ? n : undefined } })}
          />
        </div>
      )}
      {'surface' in x && several(surfaceNames, x.surface, (surface) => setX({ ...x, surface }), 'It comes from')}
      {'device' in x && several(deviceNames, x.device, (device) => setX({ ...x, device }), 'The device is')}
      {'time' in x && (
        <>
          {several(dayNames, x.time.days, (days) => setX({ ...x, time: { ...x.time, days } }), 'On')}
          <div className={c.row}>
            <TextInput
              label="From"
              value={x.time.from}
              onChange={(e) => setX({ ...x, time: { ...x.time, from: e.currentTarget.value } })}
            />
            <TextInput
              label="To"
              value={x.time.to}
              onChange={(e) => setX({ ...x, time: { ...x.time, to: e.currentTarget.value } })}
            />
          </div>
        </>
      )}
      <div className={c.foot}>
        {onRemove && <Button onClick={onRemove}>Take it away</Button>}
        <Button variant="filled" onClick={done}>
          {value ? 'Change it' : 'Add it'}
        </Button>
      </div>
    </>
  );
}
