import { accountsOf } from './make-plan.ts';
import type { GroupRef, Operation, Plan, UserRef } from './plan-file.ts';
import { fold, type RemoteGroup, type RemoteUser, type Snapshot } from './snapshot.ts';
import type { Done } from './state-file.ts';

/** How an operation stands against the target as it is now. `moved`: it would not do any more what somebody read and agreed to. */
export type Standing = { is: 'todo' } | { is: 'already'; id?: string } | { is: 'moved'; says: string };

const todo: Standing = { is: 'todo' };
const already: Standing = { is: 'already' };
const moved = (says: string): Standing => ({ is: 'moved', says });

/** Groups whose members must be read to judge a plan. */
export function judges(plan: Plan): (g: RemoteGroup) => boolean {
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const o of plan.operations) {
    if (o.kind === 'grant' || o.kind === 'revoke' || o.kind === 'delete_group')
      if ('id' in o.group) ids.add(o.group.id);
    if (o.kind === 'create_group') names.add(fold(o.displayName));
  }
  return (g) => ids.has(g.id) || names.has(fold(g.displayName));
}

/** Judges operations, by default all that are not done. Pure, and used before an apply as well as to prove it afterwards. */
export function judge(
  plan: Plan,
  s: Snapshot,
  done: ReadonlyMap<number, Done>,
  which: (n: number) => boolean = (n) => !done.has(n),
): Map<number, Standing> {
  const out = new Map<number, Standing>();
  const users = new Map(s.users.map((u) => [u.id, u]));
  const groups = new Map(s.groups.map((g) => [g.id, g]));
  const members = new Map(s.groups.map((g) => [g.id, new Set(g.members?.map((m) => m.id))]));
  const soft = plan.deletes === 'soft';
  const byExternal = Map.groupBy(s.users, (u) => u.externalId);
  const byName = Map.groupBy(s.users, (u) => fold(u.userName));

  const made = (n: number): string | undefined => {
    const standing = out.get(n);
    return done.get(n)?.id ?? (standing?.is === 'already' ? standing.id : undefined);
  };
  const userNow = (ref: UserRef): RemoteUser | Standing => {
    const id = 'id' in ref ? ref.id : made(ref.made);
    if (id === undefined) return todo;
    const u = users.get(id);
    if (!u) return moved(`the account ${ref.userName} (${id}) is not there any more`);
    return fold(u.userName) === fold(ref.userName)
      ? u
      : moved(`the account ${id} was ${ref.userName} and is now ${u.userName}`);
  };
  const groupNow = (ref: GroupRef): RemoteGroup | Standing => {
    const id = 'id' in ref ? ref.id : made(ref.made);
    if (id === undefined) return todo;
    const g = groups.get(id);
    if (!g) return moved(`the group ${ref.displayName} (${id}) is not there any more`);
    return g.displayName === ref.displayName
      ? g
      : fold(g.displayName) === fold(ref.displayName)
        ? g
        : moved(`the group ${id} was ${ref.displayName} and is now ${g.displayName}`);
  };
  const gone = (ref: { id: string }): boolean => !users.has(ref.id);

  const standing = (o: Operation): Standing => {
    switch (o.kind) {
      case 'create_group': {
        const all = s.groups.filter((g) => fold(g.displayName) === fold(o.displayName));
        const [one] = all;
        if (all.length > 1) return moved(`there are ${all.length} groups called ${o.displayName} by now`);
        return one ? { is: 'already', id: one.id } : todo;
      }
      case 'create_user': {
        const candidates = [
          ...(o.externalId === null ? [] : (byExternal.get(o.externalId) ?? [])),
          ...(byName.get(fold(o.userName)) ?? []),
        ];
        return accountMade(o, candidates, soft);
      }
      case 'switch_on_user': {
        const u = userNow(o.user);
        return 'is' in u ? u : u.active ? already : todo;
      }
      case 'grant': {
        const [u, g] = [userNow(o.user), groupNow(o.group)];
        if ('is' in u && u.is === 'moved') return u;
        if ('is' in g && g.is === 'moved') return g;
        return !('is' in u) && !('is' in g) && members.get(g.id)?.has(u.id) ? already : todo;
      }
      case 'revoke': {
        // Whoever is gone has lost it, and whatever is gone gives nothing.
        if (gone(o.user) || !groups.has(o.group.id)) return already;
        const [u, g] = [userNow(o.user), groupNow(o.group)];
        if ('is' in u) return u;
        if ('is' in g) return g;
        return members.get(g.id)?.has(u.id) ? todo : already;
      }
      case 'delete_user': {
        if (gone(o.user)) return already;
        const u = userNow(o.user);
        if ('is' in u) return u;
        if ((u.externalId ?? null) !== o.externalId)
          return moved(
            `the account ${u.userName} had the externalId ${o.externalId ?? 'none'} and has ${u.externalId ?? 'none'} now`,
          );
        return soft && !u.active ? already : todo;
      }
      case 'delete_group': {
        if (!groups.has(o.group.id)) return already;
        const g = groupNow(o.group);
        if ('is' in g) return g;
        const now = members.get(g.id)?.size ?? 0;
        return now > o.members ? moved(`the group ${g.displayName} had ${o.members} members and has ${now} now`) : todo;
      }
    }
  };
  for (const [n, o] of plan.operations.entries()) if (which(n)) out.set(n, standing(o));
  return out;
}

/** Whether the person that shall be made is there, whoever made them. */
export function accountMade(
  o: { userName: string; externalId: string | null },
  users: readonly RemoteUser[],
  soft: boolean,
): Standing {
  const { byExternalId, byName } = accountsOf({ userName: o.userName, externalId: o.externalId ?? undefined }, users);
  const all = [...new Set([...byExternalId, ...byName])];
  const [u] = all;
  if (all.length > 1) return moved(`there are ${all.length} accounts by now that could be ${o.userName}`);
  if (!u) return todo;
  if (o.externalId !== null && u.externalId !== undefined && u.externalId !== o.externalId)
    return moved(
      `an account ${u.userName} is there by now, with the externalId ${u.externalId} instead of ${o.externalId}`,
    );
  if (soft && !u.active) return moved(`an account ${u.userName} is there by now, and it is switched off`);
  return { is: 'already', id: u.id };
}
