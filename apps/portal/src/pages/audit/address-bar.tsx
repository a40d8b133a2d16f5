import { listMembers } from '@gatehouse/client/org.ts';
import { Autocomplete } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { question } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import type { Names } from './event-words.tsx';
import { chipsOf, keyNames, keys, typedFilter, type Filters, type Key } from './query.ts';
import c from './audit.module.css';

const presets: Partial<Record<Key, readonly string[]>> = {
  outcome: ['held', 'denied,blocked', 'failed,lost', 'answered'],
  since: ['1h', '24h', '7d', '30d'],
  log: ['parent'],
  type: ['tool.finished', 'tool.called', 'session.opened', 'connector.added', 'audit.read'],
};

/** The search as one text of typed filters, the same as in the address. Backspace in the empty field takes the last one away. */
export function AddressBar({
  filters,
  names,
  found,
  set,
}: {
  filters: Filters;
  names: Names;
  found: string;
  set: (change: Partial<Filters>) => void;
}) {
  const { org, may } = useHere();
  const [typed, setTyped] = useState('');
  const chips = chipsOf(filters);
  const key = keyNames.find((k) => typed.startsWith(`${k}:`));
  const rest = key ? typed.slice(key.length + 1) : '';
  const people = useQuery({
    ...question(listMembers, { org, query: { limit: 8, ...(rest === '' ? {} : { q: rest }) } }),
    enabled: key === 'actor' && may('member.read').ok,
    placeholderData: keepPreviousData,
  });
  const offered = (): { value: string; label: string; note: string }[] => {
    if (!key) {
      const looked = typedFilter(typed);
      return [
        ...(looked?.key === 'text'
          ? [{ value: `text:${looked.value}`, label: `text:${looked.value}`, note: 'anywhere in the event' }]
          : []),
        ...keyNames.map((k) => ({ value: `${k}:`, label: `${k}:`, note: keys[k] })),
      ];
    }
    const listed =
      key === 'actor'
        ? (people.data?.items ?? []).map((p) => ({ value: `actor:${p.user}`, label: p.displayName, note: p.email }))
        : key === 'connector'
          ? Object.entries(names)
              .filter(([id, name]) => id.startsWith('con_') && name.toLowerCase().includes(rest.toLowerCase()))
              .map(([id, name]) => ({ value: `connector:${id}`, label: name, note: id }))
          : (presets[key] ?? []).map((v) => ({ value: `${key}:${v}`, label: `${key}:${v}`, note: '' }));
    return listed;
  };
  const options = offered();
  const add = (text: string): void => {
    if (text.endsWith(':')) return setTyped(text);
    const filter = typedFilter(text);
    if (!filter) return;
    setTyped('');
    set({ [filter.key]: filter.value });
  };
  return (
    <div className={c.address} role="group" aria-label="What of the log is shown">
      <span aria-hidden>audit?</span>
      {chips.map(({ key: k, value }) => (
        <span key={k} className={c.chip}>
          <i>{k}:</i>
          <span className="gh-cut" title={value}>
            {value
              .split(',')
              .map((v) => names[v] ?? v)
              .join(',')}
          </span>
          <button type="button" aria-label={`Remove ${k}:${value}`} onClick={() => set({ [k]: '' })}>
            <IconX size={13} aria-hidden />
          </button>
        </span>
      ))}
      <Autocomplete
        className={c.field ?? ''}
        aria-label="Filter the log"
        placeholder={chips.length > 0 ? 'and…' : 'outcome:held since:24h'}
        value={typed}
        onChange={setTyped}
        data={options.map(({ value, label }) => ({ value, label }))}
        filter={({ options: all, search }) =>
          key ? all : all.filter((o) => 'value' in o && (o.value.startsWith(search) || o.value.startsWith('text:')))
        }
        maxDropdownHeight={360}
        onOptionSubmit={(value) => setTimeout(() => add(value))}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && !e.nativeEvent.isComposing) add(typed);
          const last = chips.at(-1);
          if (e.key === 'Backspace' && typed === '' && last) set({ [last.key]: '' });
        }}
        renderOption={({ option }) => {
          const o = options.find((x) => x.value === option.value);
          return (
            <span className="gh-line gh-grow">
              <span className={o?.label.includes(':') ? 'gh-mono' : ''}>{o?.label}</span>
              <span className={`gh-3 gh-xs gh-cut ${c.hint}`}>{o?.note}</span>
            </span>
          );
        }}
        comboboxProps={{ width: 420, position: 'bottom-start', transitionProps: { duration: 0 } }}
      />
      <span className={c.found} role="status">
        {found}
      </span>
    </div>
  );
}
