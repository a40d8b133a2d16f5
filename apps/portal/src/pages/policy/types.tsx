import { Radio, Select } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listTypes, removeTypeControl, setTypeControl } from '@gatehouse/client/policy.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { ChooseGroup, type Chosen } from '../../kit/choose.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { countOf } from '../../kit/words.ts';
import { both, type Wish } from './draft.ts';
import { Effect, usePreview } from './effect.tsx';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';

type Type = OutputOf<typeof listTypes>['items'][number];
const states = [
  { value: 'nothing', label: 'nothing is said', description: 'Rules and what holds by default decide.' },
  { value: 'on', label: 'on for everyone' },
  { value: 'groups', label: 'for people of some groups only' },
  { value: 'off', label: 'off', description: 'Whatever a rule says.' },
] as const;
type StateName = (typeof states)[number]['value'];
const accesses = [
  { value: 'off', label: 'nothing but by rules' },
  { value: 'read', label: 'read' },
  { value: 'read_write', label: 'read and write' },
] as const;

/** What holds for all connectors of a kind. */
export function Types() {
  const org = useOrg();
  const [open, setOpen] = useState<Type>();
  const groupsOf = (t: Type): string => both(t.groups.map((g) => g.name ?? g.group));
  return (
    <>
      <DataTable
        op={listTypes}
        input={{ org }}
        name="kinds of systems"
        row={(t) => t.type}
        onRow={setOpen}
        searchable="Search kinds"
        columns={[
          { head: 'Kind', cell: (t) => <b>{t.name}</b>, value: (t) => t.name },
          {
            head: 'Holds',
            cell: (t) =>
              t.control === null ? (
                <span className="gh-3">nothing is said</span>
              ) : t.state === 'off' ? (
                <State is="denied">off</State>
              ) : (
                <State is="answered" quiet>
                  {t.state === 'groups' ? `only ${groupsOf(t)}` : 'on'}
                </State>
              ),
            value: (t) => (t.control === null ? '' : t.state),
          },
          { head: 'In words', cell: (t) => t.words, value: (t) => t.words, width: 'minmax(240px, 2fr)' },
        ]}
        empty={<p>The catalogue has no kinds of systems.</p>}
      />
      {open && <TypeDialog type={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function TypeDialog({ type: t, onClose }: { type: Type; onClose(): void }) {
  const org = useOrg();
  const [state, setState] = useState<StateName>(t.control === null ? 'nothing' : t.state);
  const [access, setAccess] = useState(t.access);
  const [groups, setGroups] = useState<readonly Chosen[]>(
    t.groups.map((g) => ({ id: g.group, name: g.name ?? g.group })),
  );
  const [set, remove] = [useDo(setTypeControl), useDo(removeTypeControl)];
  const form =
    state === 'off'
      ? ({ state } as const)
      : state === 'groups'
        ? ({ state, groups: groups.map((g) => g.id), access } as const)
        : ({ state: 'on', access } as const);
  const whole = state !== 'groups' || groups.length > 0;
  const wish: Wish | undefined =
    state === 'nothing'
      ? t.control === null
        ? undefined
        : { kind: 'remove_type_control', type: t.type }
      : whole
        ? { kind: 'set_type_control', control: { ...form, type: t.type } }
        : undefined;
  const preview = usePreview(wish);
  const save = async (reason: string): Promise<void> => {
    if (!preview.seen) return;
    const saying = { reason, expects: preview.seen.version, previewed: preview.seen.hash };
    if (state === 'nothing') await remove.run({ org, type: t.type, query: saying });
    else {
      const body = form.state === 'groups' ? { ...form, groups: [...form.groups], ...saying } : { ...form, ...saying };
      if (!(await set.run({ org, type: t.type, body }))) return;
    }
    onClose();
  };
  return (
    <SaveDialog
      title={`All connectors of ${t.name}`}
      act={
        losers(preview.seen) > 0 ? `Set it, and limit ${countOf(losers(preview.seen), 'person', 'people')}` : 'Set it'
      }
      seen={preview.fresh ? preview.seen : undefined}
      opened
      onClose={onClose}
      busy={set.busy || remove.busy}
      refusal={set.refusal ?? remove.refusal ?? preview.refusal}
      onSave={(reason) => void save(reason)}
    >
      <Radio.Group
        label="They are"
        value={state}
        onChange={(to) => setState(states.find((s) => s.value === to)?.value ?? state)}
      >
        <div className={c.choices}>
          {states.map((s) => (
            <Radio key={s.value} {...s} />
          ))}
        </div>
      </Radio.Group>
      {state === 'groups' && (
        <>
          <ChooseGroup
            label="Add a group"
            value={undefined}
            onChange={(g) => g && setGroups([...groups.filter((x) => x.id !== g.id), g])}
          />
          <ul className={c.changes}>
            {groups.map((g) => (
              <li key={g.id} className="gh-line">
                <span className="gh-grow">{g.name}</span>
                <Act can="policy.manage" size="sm" onClick={() => setGroups(groups.filter((x) => x.id !== g.id))}>
                  Take out
                </Act>
              </li>
            ))}
          </ul>
        </>
      )}
      {(state === 'on' || state === 'groups') && (
        <Select
          label="Without any rule they have"
          data={[...accesses]}
          value={access}
          onChange={(to) => setAccess(accesses.find((a) => a.value === to)?.value ?? access)}
        />
      )}
      {preview.seen && <Effect seen={preview.seen} />}
    </SaveDialog>
  );
}
