import { Select } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { listMembers } from '@gatehouse/client/org.ts';
import { listGroups } from '@gatehouse/client/provisioning.ts';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { question, useAsk } from './ask.ts';
import { useOrg } from './org.tsx';
import { countOf } from './words.ts';

/** Somebody or something chosen: its id and what it is called. */
export type Chosen = { id: string; name: string };
/** `required`: another one can be chosen, and not none. */
type Field = { label: string; value: Chosen | undefined; onChange(to: Chosen | undefined): void; required?: boolean };

const SHOWN = 20;

/** A field that searches as one types; the server searches, so it does not matter how many there are. */
function Find({
  label,
  value,
  onChange,
  required = false,
  found,
  q,
  setQ,
  none,
}: Field & {
  found: readonly (Chosen & { note?: string })[];
  q: string;
  setQ(q: string): void;
  none: string;
}) {
  const known = value && !found.some((f) => f.id === value.id) ? [value, ...found] : found;
  return (
    <Select
      label={label}
      searchable
      clearable={!required}
      allowDeselect={!required}
      nothingFoundMessage={none}
      data={known.map((f) => ({ value: f.id, label: 'note' in f && f.note ? `${f.name}, ${f.note}` : f.name }))}
      value={value?.id ?? null}
      searchValue={q}
      onSearchChange={setQ}
      filter={({ options }) => options}
      onChange={(id) => {
        const one = known.find((f) => f.id === id);
        onChange(one && { id: one.id, name: one.name });
      }}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** What is asked for: nothing while the field shows the name of what is chosen. */
const asked = (q: string, value: Chosen | undefined): string => (value && q.startsWith(value.name) ? '' : q.trim());

/** A person of the organization. */
export function ChoosePerson(props: Field) {
  const org = useOrg();
  const [q, setQ] = useState('');
  const [settled] = useDebouncedValue(asked(q, props.value), 200);
  const { data } = useQuery({
    ...question(listMembers, { org, query: { limit: SHOWN, ...(settled === '' ? {} : { q: settled }) } }),
    placeholderData: keepPreviousData,
  });
  const found = (data?.items ?? []).map((m) => ({ id: m.user, name: m.displayName, note: m.email }));
  return <Find {...props} found={found} q={q} setQ={setQ} none="Nobody here is called so" />;
}

/** What tells groups of one name apart. */
export const groupNote = (g: {
  source: 'directory' | 'attribute' | 'hand';
  from: string | null;
  members: number;
}): string =>
  `${g.source === 'hand' ? 'made by hand' : (g.from ?? g.source)}, ${countOf(g.members, 'person', 'people')}`;

/** A group of any kind. */
export function ChooseGroup(props: Field) {
  const org = useOrg();
  const [q, setQ] = useState('');
  const [settled] = useDebouncedValue(asked(q, props.value), 200);
  const { data } = useQuery({
    ...question(listGroups, { org, query: { limit: SHOWN, ...(settled === '' ? {} : { q: settled }) } }),
    placeholderData: keepPreviousData,
  });
  const found = (data?.items ?? []).map((g) => ({ id: g.id, name: g.name, note: groupNote(g) }));
  return <Find {...props} found={found} q={q} setQ={setQ} none="No group is called so" />;
}

const MOST = 200;
/** The connectors of an organization by id; the page waits until they are there. */
export function useConnectors(): { items: readonly Chosen[]; nameOf(id: string): string } {
  const org = useOrg();
  const { items } = useAsk(listConnectors, connectorsOf(org));
  const names = new Map(items.map((i) => [i.id, i.name]));
  return { items, nameOf: (id) => (id === 'any' ? 'any connector' : (names.get(id) ?? id)) };
}
/** What a loader asks beforehand for `useConnectors`. */
export const connectorsOf = (org: string) => ({ org, query: { limit: MOST } });
