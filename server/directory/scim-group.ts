import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Filter } from './scim-filter.ts';
import type { PatchOp } from './scim-patch.ts';
import { isComplex, type Complex, type Value } from './scim-value.ts';

/** A group as a directory names it, without its members: those are rows, and there may be a hundred thousand. */
export type ScimGroup = {
  id: Id<'grp'>;
  displayName: string;
  externalId: string | undefined;
  version: number;
  created: Date;
  changed: Date;
};

/** What happens to the members of a group. Adding and removing may happen beside each other; `replace` has the group for itself. */
export type MemberOp = { op: 'add' | 'remove' | 'replace'; ids: readonly Id<'scu'>[] } | { op: 'remove_all' };

const invalid = (says: string, fix: string, more: Record<string, unknown> = {}): Problem =>
  new Problem('invalid', 'directory/invalid-member', {
    says,
    fix,
    more: { scimType: 'invalidValue', path: 'members', ...more },
  });

/** The people that a list of members names. An id that no user of ours can have is refused as unknown, like any other. */
export function memberIds(value: Value | undefined): Id<'scu'>[] {
  const list: readonly Value[] = Array.isArray(value)
    ? (value as readonly Value[])
    : value === undefined
      ? []
      : [value];
  return [
    ...new Set(
      list.map((m) => {
        const id = isComplex(m) ? m['value'] : undefined;
        if (typeof id !== 'string') throw invalid('a member has no "value"', 'send the id of a user as {"value": "…"}');
        const parsed = parseId('scu', id);
        if (!parsed) throw unknownMember(id);
        return parsed;
      }),
    ),
  ];
}

/** The same words for an id that never was and for one of another directory. */
export const unknownMember = (id: string): Problem =>
  invalid(
    `there is no user ${id.slice(0, 100)} in this directory; nothing was changed`,
    'add the user first, then the membership',
  );

/** An operation on `members` as sets of people. */
export function memberOp(op: PatchOp): MemberOp {
  const { where, sub } = op.at;
  if (sub && sub.name !== 'value') throw invalid(`members.${sub.name} is set by us`, 'change the user instead');
  if (where) {
    const ids = idsOf(where);
    if (!ids)
      throw new Problem('invalid', 'directory/invalid-filter', {
        says: 'members can be chosen by "value eq" only, joined by "or"',
        fix: 'send members[value eq "…"]',
        more: { scimType: 'invalidFilter', path: 'members' },
      });
    if (op.op === 'remove' || op.value === undefined)
      return { op: 'remove', ids: ids.flatMap((id) => parseId('scu', id) ?? []) };
    return { op: 'add', ids: memberIds(ids.map((value) => ({ value }))) };
  }
  if (op.op === 'remove') return op.only ? { op: 'remove', ids: knownIds(op.only) } : { op: 'remove_all' };
  return { op: op.op, ids: memberIds(op.value) };
}

/** Ids to remove; what is no id of ours is in no group, so it is gone already. */
const knownIds = (list: readonly Value[]): Id<'scu'>[] =>
  list.flatMap((m) => {
    const id = isComplex(m) ? m['value'] : m;
    return typeof id === 'string' ? (parseId('scu', id) ?? []) : [];
  });

/** The ids of a filter that is `value eq` joined by `or`, else undefined. */
function idsOf(f: Filter): string[] | undefined {
  if (f.is === 'compare' && f.op === 'eq' && f.path[0].name === 'value' && typeof f.value === 'string')
    return [f.value];
  if (f.is !== 'or') return undefined;
  const all: string[] = [];
  for (const each of f.of) {
    const ids = idsOf(each);
    if (!ids) return undefined;
    all.push(...ids);
  }
  return all;
}

/** What a group has beside its members. */
export type GroupFields = Pick<ScimGroup, 'displayName' | 'externalId'>;

export function groupFields(attributes: Complex): GroupFields {
  const { displayName, externalId } = attributes;
  return {
    displayName: typeof displayName === 'string' ? displayName : '',
    externalId: typeof externalId === 'string' ? externalId : undefined,
  };
}
