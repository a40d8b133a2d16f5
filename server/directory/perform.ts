import { parseId, type Id } from '#kernel/id.ts';
import { createScimGroup } from './create-scim-group.ts';
import { createScimUser } from './create-scim-user.ts';
import { deleteScimGroup } from './delete-scim-group.ts';
import { deleteScimUser } from './delete-scim-user.ts';
import type { ScimCtx } from './directory.ts';
import { patchScimGroup } from './patch-scim-group.ts';
import { patchScimUser } from './patch-scim-user.ts';
import { replaceScimGroup } from './replace-scim-group.ts';
import { replaceScimUser } from './replace-scim-user.ts';
import type { Precondition } from './scim-etag.ts';
import type { ScimGroup } from './scim-group.ts';
import { noGroup, noUser } from './scim-missing.ts';
import type { ScimUser } from './scim-user.ts';

export const scimMethods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** One thing that a directory wants done, whichever way it came: as a request, in a Bulk request, or from the journal. */
export type Act = {
  method: (typeof scimMethods)[number];
  kind: 'User' | 'Group';
  /** Undefined for POST. */
  id: string | undefined;
  body: unknown;
  when: Precondition;
};

export type Performed = { kind: 'User'; user: ScimUser } | { kind: 'Group'; group: ScimGroup } | { kind: 'gone' };

/** An id of a path; what cannot be ours is missing like any other. */
export const userId = (text: string): Id<'scu'> => {
  const id = parseId('scu', text);
  if (!id) throw noUser(text);
  return id;
};
export const groupId = (text: string): Id<'grp'> => {
  const id = parseId('grp', text);
  if (!id) throw noGroup(text);
  return id;
};

/** Does it. `chosen`: the id that a POST shall give, where others refer to it already. */
export async function perform(ctx: ScimCtx, act: Act, chosen?: string): Promise<Performed> {
  const { method, kind, body, when } = act;
  if (kind === 'User') {
    if (method === 'POST')
      return { kind, user: await createScimUser(ctx, body, chosen === undefined ? undefined : userId(chosen)) };
    const id = userId(act.id ?? '');
    if (method === 'PUT') return { kind, user: await replaceScimUser(ctx, id, body, when) };
    if (method === 'PATCH') return { kind, user: await patchScimUser(ctx, id, body, when) };
    await deleteScimUser(ctx, id, when);
    return { kind: 'gone' };
  }
  if (method === 'POST')
    return { kind, group: await createScimGroup(ctx, body, chosen === undefined ? undefined : groupId(chosen)) };
  const id = groupId(act.id ?? '');
  if (method === 'PUT') return { kind, group: await replaceScimGroup(ctx, id, body, when) };
  if (method === 'PATCH') return { kind, group: await patchScimGroup(ctx, id, body, when) };
  await deleteScimGroup(ctx, id, when);
  return { kind: 'gone' };
}
