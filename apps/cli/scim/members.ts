import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { getGroup, readMembers, unfit } from './read-target.ts';
import { addMembersBody, filterValue, patchBody, removeMembersBody } from './requests.ts';
import type { Answer, Target } from './target.ts';
import { walkList, withQuery } from './walk.ts';
import { field, isJson, parseGroup, parseList, textOf, type Json } from './wire.ts';

export type Change = 'add' | 'remove';
type GroupName = { id: string; displayName: string };

/** Told before a request leaves and after the target has said yes. */
export type Told = { begun(ids: readonly string[]): void; done(ids: readonly string[]): void };

/** A list is replaced this often before somebody who writes at the same time has won. */
const REWRITES = 5;

/**
 * Adds or removes members, as many at once as the target takes. A part that is refused is halved until the one that is at fault stands
 * alone; the others get through. INVARIANT (others untouched): no request names anybody but those in `ids`, unless the profile asks for
 * replacement, and then by version or looked at afterwards.
 */
export async function changeMembers(
  t: Target,
  group: GroupName,
  how: Change,
  ids: readonly string[],
  told: Told,
): Promise<Map<string, Problem>> {
  const failed = new Map<string, Problem>();
  const part = async (some: readonly string[]): Promise<boolean> => {
    told.begun(some);
    const why = await changeOnce(t, group, how, some);
    if (why === undefined) {
      told.done(some);
      return true;
    }
    const [only] = some;
    if (some.length === 1 && only !== undefined) {
      failed.set(only, why);
      return false;
    }
    const half = Math.ceil(some.length / 2);
    const tooLarge = why.more?.['status'] === 413;
    if (tooLarge) t.learnt.batch = half;
    const first = await part(some.slice(0, half));
    const second = await part(some.slice(half));
    // Nobody was at fault, so it was the number.
    if (first && second && !tooLarge) t.learnt.batch = Math.min(half, t.learnt.batch ?? half);
    return false;
  };
  for (let at = 0; at < ids.length;) {
    const some = fitting(t, how, ids.slice(at, at + Math.min(t.profile.batch, t.learnt.batch ?? Infinity)));
    await part(some);
    at += some.length;
  }
  return failed;
}

/** As many from the front as fit into one body. */
function fitting(t: Target, how: Change, ids: readonly string[]): readonly string[] {
  const bytes = (some: readonly string[]): number =>
    Buffer.byteLength(
      JSON.stringify(how === 'add' ? addMembersBody(t.profile, some) : removeMembersBody(t.profile, 'rfc', some)),
    );
  let some = ids;
  while (some.length > 1 && bytes(some) > t.profile.maxBody) some = some.slice(0, Math.ceil(some.length / 2));
  return some;
}

/** undefined: it is so. */
async function changeOnce(
  t: Target,
  group: GroupName,
  how: Change,
  ids: readonly string[],
): Promise<Problem | undefined> {
  if (t.profile.update === 'put' || (how === 'remove' && t.profile.removeForm === 'replace'))
    return rewriteMembers(t, group, how, ids);
  const path = `/Groups/${encodeURIComponent(group.id)}`;
  if (how === 'add') {
    const a = await t.ask({ method: 'PATCH', path, body: addMembersBody(t.profile, ids) });
    return a.ok ? undefined : refusal(t, group, how, ids, a);
  }
  const { removeForm } = t.profile;
  const sure = removeForm === 'auto' ? t.learnt.removeForm : removeForm === 'replace' ? undefined : removeForm;
  let refused: Answer | undefined;
  for (const form of sure === undefined ? (['rfc', 'entraLegacy'] as const) : [sure]) {
    const a = await t.ask({ method: 'PATCH', path, body: removeMembersBody(t.profile, form, ids) });
    if (a.ok && sure !== undefined) return undefined;
    // A success that changed nothing is what a form that a target does not know often gets.
    if (a.ok && (await absent(t, group, ids))) {
      t.learnt.removeForm = form;
      return undefined;
    }
    if (a.status === 404 || a.status === 413 || a.status === 403) return refusal(t, group, how, ids, a);
    refused = a;
  }
  if (refused === undefined || refused.ok)
    return new Problem('upstream', 'scim/cannot-remove', {
      says: `the target says that it removed members of ${group.displayName} and did not, in either form of removal`,
      fix: 'if it can only replace the list, say so: --profile replace-only',
    });
  return refusal(t, group, how, ids, refused);
}

async function absent(t: Target, group: GroupName, ids: readonly string[]): Promise<boolean> {
  const now = await readMembers(t, group.id);
  return now === 'gone' || !now.some((m) => ids.includes(m.id));
}

/** Some targets refuse to remove who is not there, or to add who is. Then it is as it should be, which is looked at. */
async function refusal(
  t: Target,
  group: GroupName,
  how: Change,
  ids: readonly string[],
  a: Answer,
): Promise<Problem | undefined> {
  if (a.status === 404 || (ids.length === 1 && (a.status === 400 || a.status === 409))) {
    const now = await readMembers(t, group.id);
    if (now === 'gone')
      return how === 'remove'
        ? undefined
        : new Problem('missing', 'scim/group-gone', {
            says: `the group ${group.displayName} (${group.id}) is not there any more`,
            fix: 'make the plan again',
          });
    const there = new Set(now.map((m) => m.id));
    if (ids.every((id) => there.has(id) === (how === 'add'))) return undefined;
  }
  return unfit(
    `to ${how} ${ids.length === 1 ? `the member ${ids[0]}` : `${ids.length} members`} of ${group.displayName}`,
    a,
  );
}

/**
 * For targets that can only be given the whole list. Read, changed, sent with the version that was read, and looked at afterwards; when
 * somebody else was faster, again. We refuse it where the list is not shown, because then it would remove everybody.
 */
async function rewriteMembers(
  t: Target,
  group: GroupName,
  how: Change,
  ids: readonly string[],
): Promise<Problem | undefined> {
  const path = `/Groups/${encodeURIComponent(group.id)}`;
  for (let n = 0; n < REWRITES; n++) {
    const found = await getGroup(t, group.id);
    if (found === 'gone')
      return how === 'remove'
        ? undefined
        : new Problem('missing', 'scim/group-gone', {
            says: `the group ${group.displayName} (${group.id}) is not there any more`,
            fix: 'make the plan again',
          });
    const raw = field(found.body, 'members');
    const list = Array.isArray(raw) ? (raw as unknown[]) : [];
    if (t.profile.listMembersVia !== 'group' || (list.length === 0 && (await othersInside(t, group.id))))
      return new Problem('unavailable', 'scim/blind-replace', {
        says: `${group.displayName} does not show its members, so its list cannot be replaced without losing them`,
        fix: 'use a profile whose update is "patch" and whose removeForm is not "replace"',
      });
    const has = new Set(parseGroup(found.body, true).members?.map((m) => m.id));
    if (ids.every((id) => has.has(id) === (how === 'add'))) return undefined;
    const idOf = (m: unknown): string => (isJson(m) ? (textOf(m, 'value') ?? '') : String(m));
    const next =
      how === 'add'
        ? [...list, ...ids.filter((id) => !has.has(id)).map((value) => ({ value }))]
        : list.filter((m) => !ids.includes(idOf(m)));
    const meta = field(found.body, 'meta');
    const version = found.etag ?? (isJson(meta) ? textOf(meta, 'version') : undefined);
    const { meta: _meta, members: _members, ...rest } = found.body;
    const body: Json =
      t.profile.update === 'put'
        ? { ...rest, members: next }
        : patchBody(t.profile, [{ op: 'replace', path: 'members', value: next }]);
    const a = await t.ask({
      method: t.profile.update === 'put' ? 'PUT' : 'PATCH',
      path,
      body,
      ifMatch: t.profile.ifMatch ? version : undefined,
    });
    // 412, or 409 where a target calls it that: somebody wrote in between.
    if (a.status === 412 || a.status === 409) continue;
    if (!a.ok) return unfit(`the new list of members of ${group.displayName}`, a);
    const after = await readMembers(t, group.id);
    if (after === 'gone') continue;
    const there = new Set(after.map((m) => m.id));
    if (ids.every((id) => there.has(id) === (how === 'add'))) return undefined;
  }
  return new Problem('conflict', 'scim/contended', {
    says: `somebody else writes the members of ${group.displayName} at the same time; ${REWRITES} attempts were overtaken`,
    fix: 'find out who, and run the same command again',
  });
}

/** Whether users say that they are in a group that shows nobody. */
async function othersInside(t: Target, group: string): Promise<boolean> {
  const inside = (u: Json): boolean => {
    const groups = field(u, 'groups');
    return Array.isArray(groups) && groups.some((g) => isJson(g) && textOf(g, 'value') === group);
  };
  if (t.profile.filter !== 'none') {
    const filter = `groups.value eq ${filterValue(t.profile, group)}`;
    const a = await t.ask({ method: 'GET', path: withQuery('/Users', { filter, startIndex: 1, count: 1 }) });
    if (a.ok && a.body) return parseList(a.body, '/Users').resources.some(inside);
  }
  return (await walkList(t, '/Users')).resources.some(inside);
}
