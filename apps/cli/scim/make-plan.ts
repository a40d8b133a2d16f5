import type { Desired, Person } from './desired.ts';
import { planHash, type GroupRef, type Note, type Operation, type Plan, type UserRef } from './plan-file.ts';
import { fold, type RemoteGroup, type RemoteUser, type Snapshot } from './snapshot.ts';

export type PlanRules = {
  base: string;
  now: Date;
  softDelete: boolean;
  /** The file's groups are all groups: make the missing, delete the rest. */
  manageGroups: boolean;
  /** People whom the file does not name keep their accounts. */
  keepUnlisted: boolean;
};

/** The groups of a target that a file governs; only their members need to be read. */
export function governs(d: Desired, manageGroups: boolean): (g: Pick<RemoteGroup, 'id' | 'displayName'>) => boolean {
  const named = new Set(d.groups.flatMap((name) => [name, fold(name)]));
  return (g) => manageGroups || named.has(g.id) || named.has(fold(g.displayName));
}

/**
 * What to do so that the target is as the file says. Pure: the same file and the same target give the same plan. What it cannot tell
 * apart it does not touch; that is a conflict.
 */
export function makePlan(d: Desired, s: Snapshot, rules: PlanRules): Plan {
  const drift: Note[] = s.warnings.map((says) => ({ kind: 'incomplete', says }));
  const conflicts: Note[] = [];
  const found = matchPeople(d.people, s.users, rules, drift, conflicts);

  const makesGroups: Operation[] = [];
  const makesUsers: Operation[] = [];
  const switchesOn: Operation[] = [];
  const governed = resolveGroups(d, s.groups, rules, conflicts, makesGroups);
  const who = new Map<string, UserRef>();
  for (const p of d.people) {
    const m = found.of.get(p);
    if (m === 'unclear') continue;
    if (m) {
      who.set(fold(p.userName), { id: m.id, userName: m.userName });
      if (rules.softDelete && !m.active) switchesOn.push({ kind: 'switch_on_user', user: refOf(m) });
      continue;
    }
    if (p.displayName === undefined || !/^[^\s@"]+@[^\s@"]+$/.test(p.userName)) {
      conflicts.push({
        kind: 'incomplete_person',
        says: `${p.userName} has no account, and to make one the file must give ${p.displayName === undefined ? 'a display name' : 'an e-mail address'}`,
      });
      continue;
    }
    who.set(fold(p.userName), { made: makesGroups.length + makesUsers.length, userName: p.userName });
    const { userName, displayName, externalId = null } = p;
    makesUsers.push({ kind: 'create_user', userName, displayName, externalId });
  }

  const leaving = s.users.filter((u) => !found.spokenFor.has(u.id) && (u.active || !rules.softDelete));
  const deletes: Operation[] = [];
  for (const u of leaving)
    if (rules.keepUnlisted)
      drift.push({ kind: 'unlisted', says: `${u.userName} has an account and is not in the file; it stays` });
    else deletes.push({ kind: 'delete_user', user: refOf(u), externalId: u.externalId ?? null });

  const { grants, revokes } = memberships(d, s, rules, governed, who, found.unclear, drift);
  const deletesGroups: Operation[] = [];
  const ours = new Set(governed.values().flatMap((x) => ('id' in x ? [x.id] : [])));
  const spoken = new Set(d.groups.map(fold));
  for (const g of s.groups) {
    if (ours.has(g.id)) continue;
    if (!rules.manageGroups)
      drift.push({
        kind: 'ungoverned_group',
        says: `the group ${g.displayName} is not in the file; it stays as it is`,
      });
    // Of two groups of the same name neither is deleted: which one was meant is a conflict.
    else if (!spoken.has(fold(g.displayName)))
      deletesGroups.push({ kind: 'delete_group', group: groupRef(g), members: g.members?.length ?? 0 });
  }

  // Additions first: somebody who moves to another account or group is never without either.
  const operations = [
    ...makesGroups,
    ...makesUsers,
    ...switchesOn,
    ...grants,
    ...revokes,
    ...deletes,
    ...deletesGroups,
  ];
  const plan = {
    gatehouse: 'scim-plan-v1' as const,
    base: rules.base,
    made: rules.now.toISOString(),
    deletes: rules.softDelete ? ('soft' as const) : ('hard' as const),
    people: s.users.filter((u) => u.active || !rules.softDelete).length,
    operations,
    drift,
    conflicts,
  };
  return { ...plan, hash: planHash(plan) };
}

const refOf = (u: RemoteUser): { id: string; userName: string } => ({ id: u.id, userName: u.userName });
const groupRef = (g: RemoteGroup): { id: string; displayName: string } => ({ id: g.id, displayName: g.displayName });

type Match = RemoteUser | 'unclear' | undefined;

/** The accounts that a person could be: by externalId, which is theirs for ever, then by userName without regard to capitals. */
export function accountsOf(
  p: Pick<Person, 'userName' | 'externalId'>,
  users: readonly RemoteUser[],
): { byExternalId: RemoteUser[]; byName: RemoteUser[] } {
  return {
    byExternalId: p.externalId === undefined ? [] : users.filter((u) => u.externalId === p.externalId),
    byName: users.filter((u) => fold(u.userName) === fold(p.userName)),
  };
}

/** Finds each person's account. Nobody is given an account that might be somebody else's. */
function matchPeople(
  people: readonly Person[],
  users: readonly RemoteUser[],
  rules: PlanRules,
  drift: Note[],
  conflicts: Note[],
): { of: Map<Person, Match>; spokenFor: Set<string>; unclear: Set<string> } {
  const byExternal = Map.groupBy(users, (u) => u.externalId);
  const byName = Map.groupBy(users, (u) => fold(u.userName));
  const of = new Map<Person, Match>();
  const takenBy = new Map<string, Person>();
  const unclear = new Set<string>();
  for (const p of people) {
    const a = p.externalId === undefined ? [] : (byExternal.get(p.externalId) ?? []);
    const b = byName.get(fold(p.userName)) ?? [];
    const all = [...new Set([...a, ...b])];
    const [one] = all;
    const taken = one && takenBy.get(one.id);
    const why =
      all.length > 1
        ? `there are ${all.length} accounts that could be ${p.userName}: ${all.map((u) => `${u.userName} (${u.id})`).join(', ')}`
        : taken
          ? `${p.userName} and ${taken.userName} are both the account ${one.userName} (${one.id})`
          : one && p.externalId !== undefined && one.externalId !== undefined && one.externalId !== p.externalId
            ? `the account ${one.userName} has the externalId ${one.externalId}; the file says ${p.externalId}, so it may be somebody else's`
            : undefined;
    if (why !== undefined) {
      conflicts.push({ kind: 'unclear_account', says: why });
      for (const u of all) unclear.add(u.id);
      of.set(p, 'unclear');
      continue;
    }
    of.set(p, one);
    if (!one) continue;
    takenBy.set(one.id, p);
    differences(p, one, rules, drift);
  }
  return { of, spokenFor: new Set([...takenBy.keys(), ...unclear]), unclear };
}

function differences(p: Person, u: RemoteUser, rules: PlanRules, drift: Note[]): void {
  const say = (kind: string, says: string): void => void drift.push({ kind, says });
  if (fold(p.userName) !== fold(u.userName))
    say('user_name_differs', `${p.userName} has the account ${u.userName} there (same externalId)`);
  if (p.externalId !== undefined && u.externalId === undefined)
    say('external_id_missing', `${u.userName} has no externalId there; the file says ${p.externalId}`);
  if (p.displayName !== undefined && u.displayName !== undefined && p.displayName !== u.displayName)
    say('name_differs', `${u.userName} is called ${u.displayName} there; the file says ${p.displayName}`);
  if (!u.active && !rules.softDelete) say('inactive', `the account ${u.userName} is switched off there`);
}

/** The target's group of each name in the file. */
function resolveGroups(
  d: Desired,
  groups: readonly RemoteGroup[],
  rules: PlanRules,
  conflicts: Note[],
  makes: Operation[],
): Map<string, GroupRef> {
  const ids = new Map(groups.map((g) => [g.id, g]));
  const names = Map.groupBy(groups, (g) => fold(g.displayName));
  const made = new Map<string, GroupRef>();
  const governed = new Map<string, GroupRef>();
  for (const name of d.groups) {
    const all = names.get(fold(name)) ?? [];
    const exact = all.filter((g) => g.displayName === name);
    const one = ids.get(name) ?? (exact.length === 1 ? exact[0] : all.length === 1 ? all[0] : undefined);
    if (one) governed.set(name, groupRef(one));
    else if (all.length > 1)
      conflicts.push({
        kind: 'unclear_group',
        says: `there are ${all.length} groups called ${name}: ${all.map((g) => g.id).join(', ')}; write the id`,
      });
    else if (rules.manageGroups) {
      const ref = made.get(fold(name)) ?? { made: makes.length, displayName: name };
      if (!made.has(fold(name))) makes.push({ kind: 'create_group', displayName: name });
      made.set(fold(name), ref);
      governed.set(name, ref);
    } else
      conflicts.push({
        kind: 'no_group',
        says: `there is no group ${name}; make it in the identity provider, or let this plan make it with --manage-groups`,
      });
  }
  return governed;
}

function memberships(
  d: Desired,
  s: Snapshot,
  rules: PlanRules,
  governed: ReadonlyMap<string, GroupRef>,
  who: ReadonlyMap<string, UserRef>,
  unclear: ReadonlySet<string>,
  drift: Note[],
): { grants: Operation[]; revokes: Operation[] } {
  const grants: Operation[] = [];
  const revokes: Operation[] = [];
  const users = new Map(s.users.map((u) => [u.id, u]));
  const groups = new Map(s.groups.map((g) => [g.id, g]));
  const leaves = new Set(who.values().flatMap((r) => ('id' in r ? [r.id] : [])));
  const grantsOf = Map.groupBy(d.grants, (g) => g.group);
  const byKey = Map.groupBy(governed, ([, ref]) => ('id' in ref ? ref.id : ref.made));
  for (const named of byKey.values()) {
    const ref = named[0]?.[1];
    if (!ref) continue;
    const wanted = new Map<string, UserRef>();
    for (const g of named.flatMap(([name]) => grantsOf.get(name) ?? [])) {
      const user = who.get(fold(g.user));
      if (user) wanted.set('id' in user ? user.id : `made ${user.made}`, user);
    }
    const there = new Set<string>();
    for (const m of ('id' in ref && groups.get(ref.id)?.members) || []) {
      there.add(m.id);
      const user = users.get(m.id);
      if (wanted.has(m.id) || unclear.has(m.id)) continue;
      if (m.kind === 'group' || !user) {
        drift.push({
          kind: m.kind === 'group' ? 'nested_group' : 'unknown_member',
          says: `${ref.displayName} has the member ${m.id}, which is ${m.kind === 'group' ? 'a group' : 'no account that this SCIM shows'}; it stays`,
        });
        continue;
      }
      // A deleted account takes its memberships along, unless it is only switched off.
      const stays = rules.softDelete || rules.keepUnlisted || leaves.has(m.id);
      if (stays && 'id' in ref) revokes.push({ kind: 'revoke', group: ref, user: refOf(user) });
    }
    for (const [key, user] of wanted) if (!there.has(key)) grants.push({ kind: 'grant', group: ref, user });
  }
  return { grants, revokes };
}
