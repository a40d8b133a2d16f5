import { Checkbox, MultiSelect, Radio } from '@mantine/core';
import { listTools } from '@gatehouse/client/connectors.ts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { question } from '../../kit/ask.ts';
import { ChooseGroup, ChoosePerson, type Chosen } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import type { Approvers, Draft } from './draft.ts';
import c from './policy.module.css';

type Whom =
  | { kind: 'group'; group: string; name?: string | undefined }
  | { kind: 'user'; user: string; name?: string | undefined };

/** Everyone of some kinds, a group or a person. */
export function WhoForm<K extends string>({
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

/** Tools by what a reviewer said they do, or by name. */
export function ToolsForm({ draft, onDone }: { draft: Draft; onDone(to: Draft['tools']): void }) {
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

/** How the yes is given. */
export function MannerForm({ value, onChange }: { value: Approvers; onChange(to: Approvers): void }) {
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
