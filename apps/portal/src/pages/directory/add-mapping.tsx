import { SegmentedControl, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { listGroups } from '@gatehouse/client/provisioning.ts';
import { useMemo, useState } from 'react';
import { useOrg } from '../../kit/org.tsx';
import { useRows } from '../../kit/rows.ts';
import { countOf } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import { givenRoles, isGivenRole, type GivenRole } from '../people/role-words.ts';
import type { Added } from './draft.ts';

/** Chooses a group that has come, or a name that will. Nothing is sent: it becomes part of the draft. */
export function AddMapping({ onAdd, onClose }: { onAdd: (added: Added) => void; onClose: () => void }) {
  const org = useOrg();
  const [by, setBy] = useState('group');
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed.trim(), 250);
  const input = useMemo(() => ({ org, query: q === '' ? {} : { q } }), [org, q]);
  const groups = useRows(listGroups, input, false);
  const [chosen, setChosen] = useState<{ id: string; name: string; members: number }>();
  const [name, setName] = useState('');
  const [role, setRole] = useState<GivenRole>('user');
  const free = groups.items.filter((g) => g.mapped.length === 0);
  const options = chosen && !free.some((g) => g.id === chosen.id) ? [chosen, ...free] : free;
  const wait =
    by === 'group' ? (chosen ? undefined : 'Choose a group.') : name.trim() === '' ? 'Enter the name.' : undefined;
  return (
    <Confirm
      open
      title="Add a mapping"
      act="Add to the plan"
      wait={wait}
      onClose={onClose}
      onAct={() => {
        if (by === 'group' && chosen)
          onAdd({ key: chosen.id, label: chosen.name, role, people: chosen.members, group: chosen.id });
        if (by === 'name') onAdd({ key: name.trim(), label: name.trim(), role, people: undefined, name: name.trim() });
      }}
    >
      <p className="gh-s gh-2">Nothing changes yet: you see what it would do to whom, and apply it from there.</p>
      <SegmentedControl
        aria-label="Map"
        value={by}
        onChange={setBy}
        data={[
          { value: 'group', label: 'A group that has come' },
          { value: 'name', label: 'A name that will come' },
        ]}
      />
      {by === 'group' ? (
        <Select
          label="Group"
          placeholder="Search a group"
          searchable
          data-autofocus
          data={options.map((g) => ({ value: g.id, label: `${g.name}, ${countOf(g.members, 'person', 'people')}` }))}
          filter={({ options: all }) => all}
          searchValue={typed}
          onSearchChange={setTyped}
          value={chosen?.id ?? null}
          onChange={(id) => setChosen(options.find((g) => g.id === id))}
          nothingFoundMessage={groups.waiting ? 'Looking' : 'No unmapped group has this name'}
          maxDropdownHeight={280}
        />
      ) : (
        <TextInput
          label="Name"
          description="Exactly as the identity provider will send it. A name that is only close gives nothing."
          autoComplete="off"
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          data-autofocus
        />
      )}
      <Select
        label="Gives"
        data={givenRoles.map((r) => ({ ...r }))}
        value={role}
        allowDeselect={false}
        onChange={(r) => isGivenRole(r) && setRole(r)}
      />
    </Confirm>
  );
}
