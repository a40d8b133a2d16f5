import { Radio, Select } from '@mantine/core';
import { setControl } from '@gatehouse/client/policy.ts';
import { useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useConnectors } from '../../kit/choose.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { countOf } from '../../kit/words.ts';
import type { Draft, Wish } from './draft.ts';
import { Effect, usePreview } from './effect.tsx';
import { WhoForm } from './part-forms.tsx';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';

type Form = Extract<Wish, { kind: 'set_control' }>['control'];
const accesses = [
  { value: 'read', label: 'may read' },
  { value: 'read_write', label: 'may read and write' },
  { value: 'off', label: 'has nothing but by rules' },
  { value: 'blocked', label: 'has nothing, whatever a rule says' },
] as const;
type Access = (typeof accesses)[number]['value'];

/** Sets what everyone, a group or a person has of a connector; its effect stands in it before anything is set. */
export function ControlDialog({ onClose }: { onClose(): void }) {
  const org = useOrg();
  const { orgName } = useHere();
  const connectors = useConnectors();
  const [who, setWho] = useState<Draft['who']>({ kind: 'everyone' });
  const [connector, setConnector] = useState('any');
  const [access, setAccess] = useState<Access>('read');
  const set = useDo(setControl);
  const form: Form =
    who.kind === 'everyone'
      ? { who, connector, access }
      : {
          who: who.kind === 'group' ? { kind: 'group', group: who.group } : { kind: 'user', user: who.user },
          connector,
          access: access === 'off' ? 'blocked' : access,
        };
  const preview = usePreview({ kind: 'set_control', control: form });
  const save = async (reason: string): Promise<void> => {
    if (!preview.seen) return;
    const saying = { reason, expects: preview.seen.version, previewed: preview.seen.hash };
    if (await set.run({ org, body: { ...form, ...saying } })) onClose();
  };
  return (
    <SaveDialog
      title="Set a control"
      act={
        losers(preview.seen) > 0 ? `Set it, and limit ${countOf(losers(preview.seen), 'person', 'people')}` : 'Set it'
      }
      seen={preview.fresh ? preview.seen : undefined}
      opened
      onClose={onClose}
      busy={set.busy}
      refusal={set.refusal ?? preview.refusal}
      onSave={(reason) => void save(reason)}
    >
      <WhoForm
        label="Whom"
        plain={[{ kind: 'everyone', label: `anyone in ${orgName}` }]}
        value={who}
        onDone={(to) => {
          setWho(to);
          if (to.kind !== 'everyone' && access === 'off') setAccess('read');
        }}
      />
      <Select
        label="Connector"
        searchable
        data={[
          { value: 'any', label: 'any connector' },
          ...connectors.items.map((i) => ({ value: i.id, label: i.name })),
        ]}
        value={connector}
        onChange={(to) => to !== null && setConnector(to)}
      />
      <Radio.Group
        label="Access without any rule"
        value={access}
        onChange={(to) => setAccess(accesses.find((a) => a.value === to)?.value ?? access)}
      >
        <div className={c.choices}>
          {accesses
            .filter((a) => who.kind === 'everyone' || a.value !== 'off')
            .map((a) => (
              <Radio key={a.value} value={a.value} label={a.label} />
            ))}
        </div>
      </Radio.Group>
      {preview.seen && <Effect seen={preview.seen} />}
    </SaveDialog>
  );
}
