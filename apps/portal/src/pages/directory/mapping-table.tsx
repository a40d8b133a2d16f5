import { ActionIcon, Menu, Select } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { State, Tag } from '@gatehouse/ui/parts.tsx';
import { Fragment } from 'react';
import { useMay } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import { useGo } from '../people/go.tsx';
import { givenRoles, isGivenRole, roleWord } from '../people/role-words.ts';
import type { Added, Draft, Mapping, Miss } from './draft.ts';
import c from './mappings.module.css';
import { NearMiss } from './near-miss.tsx';
import type { Plan } from './plan-box.tsx';

const choices = [...givenRoles.map((r) => ({ ...r })), { value: 'none', label: 'Not mapped' }];

/** The mappings with what was seen of each, the draft marked in place. */
export function MappingTable({
  mappings,
  misses,
  draft,
  onDraft,
  onPlan,
  onDone,
}: {
  mappings: readonly Mapping[];
  misses: readonly Miss[];
  draft: Draft;
  onDraft: (draft: Draft) => void;
  onPlan: (plan: Plan) => void;
  onDone: (says: string) => void;
}) {
  const may = useMay('directory.manage').ok;
  const go = useGo();
  const set = (id: string, to: string | null): void => {
    if (to === 'none' || isGivenRole(to)) onDraft({ ...draft, changed: { ...draft.changed, [id]: to } });
  };
  return (
    <table className={`gh-table ${c.map}`}>
      <thead>
        <tr>
          <th>Group</th>
          <th>Seen</th>
          <th>Gives</th>
          <th className={c.opt}>State</th>
          <th>
            <span className="gh-vh">Menu</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {mappings.map((m) => {
          const to = draft.changed[m.id] ?? m.role;
          const changed = to !== m.role;
          const label = m.name ?? m.group ?? m.id;
          const miss = misses.find((n) => n.mapping === m.id);
          return (
            <Fragment key={m.id}>
              <tr data-draft={changed || undefined}>
                <td>
                  <span className={c.name}>
                    <b className={to === 'none' ? c.gone : undefined}>{label}</b>
                    <small title={m.group ?? undefined}>{m.group === null ? 'by name' : m.group}</small>
                  </span>
                </td>
                <td>
                  <Seen m={m} />
                </td>
                <td className={c.role}>
                  {may ? (
                    <Select
                      size="sm"
                      aria-label={`${label} gives`}
                      data={choices}
                      value={to}
                      allowDeselect={false}
                      onChange={(v) => set(m.id, v)}
                      comboboxProps={{ width: 160, position: 'bottom-start' }}
                    />
                  ) : (
                    roleWord[m.role]
                  )}
                </td>
                <td className={c.opt}>
                  {changed ? (
                    <Tag as={to === 'none' ? 'negative' : 'info'} is={to === 'none' ? 'minus' : 'swap'}>
                      {to === 'none' ? 'removed' : 'changed'}
                    </Tag>
                  ) : m.seen ? (
                    <State is="ok" quiet>
                      In use
                    </State>
                  ) : (
                    <State is="caution">Not seen</State>
                  )}
                </td>
                <td className={c.menu}>
                  <Menu position="bottom-end">
                    <Menu.Target>
                      <ActionIcon size="sm" aria-label={`More about ${label}`}>
                        <IconDots size={16} aria-hidden />
                      </ActionIcon>
                    </Menu.Target>
                    <Menu.Dropdown>
                      {m.group !== null && (
                        <Menu.Item onClick={() => go(`directory/groups/${m.group ?? ''}`)}>Who is in it</Menu.Item>
                      )}
                      {m.group === null && (
                        <Menu.Item onClick={() => go('directory/groups', { q: label })}>Look for the group</Menu.Item>
                      )}
                      {may && to !== 'none' && (
                        <Menu.Item onClick={() => set(m.id, 'none')}>Remove the mapping</Menu.Item>
                      )}
                      {may && changed && <Menu.Item onClick={() => set(m.id, m.role)}>Undo the change</Menu.Item>}
                    </Menu.Dropdown>
                  </Menu>
                </td>
              </tr>
              {miss && <NearMiss of={miss} columns={5} onPlan={onPlan} onDone={onDone} />}
            </Fragment>
          );
        })}
        {draft.added.map((a) => (
          <tr key={a.key} data-draft>
            <td>
              <span className={c.name}>
                <b>{a.label}</b>
                <small>{'group' in a ? a.group : 'by name'}</small>
              </span>
            </td>
            <td>
              <span className={c.seen}>
                {a.people === undefined ? 'not yet' : countOf(a.people, 'person', 'people')}
              </span>
            </td>
            <td className={c.role}>
              <Select
                size="sm"
                aria-label={`${a.label} gives`}
                data={choices}
                value={a.role}
                allowDeselect={false}
                onChange={(v) => onDraft(addedAs(draft, a, v))}
                comboboxProps={{ width: 160, position: 'bottom-start' }}
              />
            </td>
            <td className={c.opt}>
              <Tag is="plus" as="info">
                new
              </Tag>
            </td>
            <td className={c.menu} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A mapping to come with another role; `none` takes it away again. */
const addedAs = (draft: Draft, a: Added, role: string | null): Draft => ({
  ...draft,
  added: isGivenRole(role)
    ? draft.added.map((x) => (x.key === a.key ? { ...x, role } : x))
    : draft.added.filter((x) => x.key !== a.key),
});

const Seen = ({ m }: { m: Mapping }) =>
  m.seen ? (
    <span className={c.seen}>
      {countOf(m.seen.members, 'person', 'people')}
      <small>
        <When at={m.seen.last} />
      </small>
    </span>
  ) : (
    <span className={c.seen}>never seen</span>
  );
