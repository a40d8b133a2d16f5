import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { listGroups } from '@gatehouse/client/directory.ts';
import { listMembers } from '@gatehouse/client/org.ts';
import { useMemo, useState } from 'react';
import { useOrg } from '../../kit/org.tsx';
import { useRows, type ListOp } from '../../kit/rows.ts';
import { countOf } from '../../kit/words.ts';
import c from './connectors.module.css';

export type Picked = { id: string; name: string };

/** Choosing of many: searched by the server, what is chosen stays in sight. */
function Pick<R>({
  op,
  of,
  label,
  one,
  chosen,
  onChoose,
}: {
  op: ListOp<{ org: string; query?: { q?: string } }, R>;
  of(row: R): Picked & { note: string };
  label: string;
  one: boolean;
  chosen: readonly Picked[];
  onChoose: (to: readonly Picked[]) => void;
}) {
  const org = useOrg();
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed.trim(), 250);
  const input = useMemo(() => ({ org, ...(q === '' ? {} : { query: { q } }) }), [org, q]);
  const rows = useRows(op, input, false);
  const found = rows.items.map(of);
  const kept = chosen.filter((p) => !found.some((f) => f.id === p.id)).map((p) => ({ ...p, note: '' }));
  const on = (id: string): boolean => chosen.some((p) => p.id === id);
  const toggle = ({ id, name }: Picked): void =>
    onChoose(one ? [{ id, name }] : on(id) ? chosen.filter((p) => p.id !== id) : [...chosen, { id, name }]);
  return (
    <div className={c.stack}>
      <TextInput label={label} placeholder="Search" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
      <div className={`${c.pick} ${c.scroll}`} role={one ? 'radiogroup' : 'group'} aria-label={label}>
        {[...kept, ...found].map((p) => (
          <label key={p.id}>
            <input type={one ? 'radio' : 'checkbox'} name="pick" checked={on(p.id)} onChange={() => toggle(p)} />
            <b>{p.name}</b>
            {p.note !== '' && <span className="gh-xs">{p.note}</span>}
          </label>
        ))}
      </div>
      <p className="gh-xs gh-3" role="status">
        {rows.waiting
          ? 'Looking'
          : found.length === 0
            ? 'Nothing is called so.'
            : !rows.whole
              ? 'There are more: search.'
              : ' '}
      </p>
    </div>
  );
}

type Choice = { one?: boolean; chosen: readonly Picked[]; onChoose: (to: readonly Picked[]) => void };

export const PickGroups = ({ one = false, ...p }: Choice) => (
  <Pick
    op={listGroups}
    of={(g) => ({ id: g.id, name: g.name, note: countOf(g.members, 'person', 'people') })}
    label={one ? 'Group' : 'Groups'}
    one={one}
    {...p}
  />
);
export const PickPerson = (p: Choice) => (
  <Pick op={listMembers} of={(m) => ({ id: m.user, name: m.displayName, note: m.email })} label="Person" {...p} one />
);
