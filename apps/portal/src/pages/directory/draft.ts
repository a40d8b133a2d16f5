import type { OutputOf } from '@gatehouse/client/call.ts';
import type { listMappings, listNearMisses } from '@gatehouse/client/provisioning.ts';
import type { GivenRole } from '../people/role-words.ts';
import type { Edit } from './use-plan.ts';

export type Mapping = OutputOf<typeof listMappings>['items'][number];
export type Miss = OutputOf<typeof listNearMisses>['items'][number];

/** A mapping that is not made yet: of a group that has come, or of a name that will. */
export type Added = { key: string; label: string; role: GivenRole; people: number | undefined } & (
  | { group: string }
  | { name: string }
);

/** What was changed and not applied: roles by mapping, `none` where the mapping is to end, and mappings to come. */
export type Draft = { changed: Readonly<Record<string, GivenRole | 'none'>>; added: readonly Added[] };
export const nothing: Draft = { changed: {}, added: [] };

const by = (m: { group: string | null; name: string | null }): { group: string } | { name: string } =>
  m.group === null ? { name: m.name ?? '' } : { group: m.group };

/** The draft as the server takes it. */
export function editsOf(draft: Draft, mappings: readonly Mapping[]): Edit[] {
  const changed = mappings.flatMap((m): Edit[] => {
    const to = draft.changed[m.id];
    if (to === undefined || to === m.role) return [];
    if (to === 'none') return [{ set: 'unmap', mapping: m.id }];
    return [{ set: 'map', ...by(m), role: to, tier: m.tier }];
  });
  const added = draft.added.map((a): Edit => ({
    set: 'map',
    ...('group' in a ? { group: a.group } : { name: a.name }),
    role: a.role,
  }));
  return [...changed, ...added];
}
