import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { listGroups } from '@gatehouse/client/provisioning.ts';
import { useMemo, useState } from 'react';
import { groupNote, type Chosen } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import { useRows } from '../../kit/rows.ts';
import c from './connectors.module.css';

/** Several groups at once: searched by the server, what is chosen stays in sight. */
export function PickGroups({
  chosen,
  onChoose,
}: {
  chosen: readonly Chosen[];
  onChoose: (to: readonly Chosen[]) => void;
}) {
  const org = useOrg();
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed.trim(), 250);
  const input = useMemo(() => ({ org, ...(q === '' ? {} : { query: { q } }) }), [org, q]);
  const rows = useRows(listGroups, input, false);
  const found = rows.items.map((g) => ({ id: g.id, name: g.name, note: groupNote(g) }));
  const kept = chosen.filter((p) => !found.some((f) => f.id === p.id)).map((p) => ({ ...p, note: '' }));
  const on = (id: string): boolean => chosen.some((p) => p.id === id);
  const toggle = ({ id, name }: Chosen): void =>
    onChoose(on(id) ? chosen.filter((x) => x.id !== id) : [...chosen, { id, name }]);
  return (
    <div className={c.stack}>
      <TextInput label="Groups" placeholder="Search" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
      <div className={`${c.pick} ${c.scroll}`} role="group" aria-label="Groups">
        {[...kept, ...found].map((p) => (
          <label key={p.id}>
            <input type="checkbox" checked={on(p.id)} onChange={() => toggle(p)} />
            <b>{p.name}</b>
            {p.note !== '' && <span className="gh-xs">{p.note}</span>}
          </label>
        ))}
      </div>
      <p className="gh-xs gh-3" role="status">
        {rows.waiting
          ? 'Looking'
          : found.length === 0
            ? 'No group is called so.'
            : rows.whole
              ? ' '
              : 'There are more: search.'}
      </p>
    </div>
  );
}
