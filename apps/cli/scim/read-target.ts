import { Problem } from '@gatehouse/server/kernel/problem.ts';
import type { Progress } from './progress.ts';
import { filterValue } from './requests.ts';
import { fold, type Member, type RemoteGroup, type RemoteUser, type Snapshot } from './snapshot.ts';
import type { Answer, Target } from './target.ts';
import { walkList, withQuery } from './walk.ts';
import { errorText, parseGroup, parseList, parseUser, type Json } from './wire.ts';

/** Groups whose members are read at the same time. More would look like an attack to some targets. */
const ABREAST = 4;

/** Reads all users, all groups, and the members of the groups that matter. */
export async function readTarget(
  t: Target,
  progress: Progress,
  matters: (g: RemoteGroup) => boolean = () => true,
): Promise<Snapshot> {
  const users = await walkList(t, '/Users', {}, (n, of) => progress.step('users', n, of));
  // Members are read group by group: lists of groups leave them out, or have some of them.
  const listed = await walkList(t, '/Groups', { excludedAttributes: 'members' }, (n, of) =>
    progress.step('groups', n, of),
  );
  const groups = listed.resources.map((g) => parseGroup(g, false));
  const warnings = [...users.warnings, ...listed.warnings];
  const wanted = groups.filter(matters);
  const members = new Map<string, readonly Member[]>();
  const gone = new Set<string>();
  const queue = [...wanted];
  const reader = async (): Promise<void> => {
    for (let g = queue.shift(); g; g = queue.shift()) {
      const found = await readMembers(t, g.id);
      if (found === 'gone') {
        gone.add(g.id);
        warnings.push(`the group ${g.displayName} was deleted while it was read`);
      } else members.set(g.id, found);
      progress.step('memberships', members.size, wanted.length);
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, reader));
  return {
    users: users.resources.map(parseUser),
    groups: groups.filter((g) => !gone.has(g.id)).map((g) => ({ ...g, members: members.get(g.id) })),
    warnings,
  };
}

/** The members of a group as they are now. */
export async function readMembers(t: Target, group: string): Promise<readonly Member[] | 'gone'> {
  if (t.profile.listMembersVia === 'userFilter') {
    const filter = `groups.value eq ${filterValue(t.profile, group)}`;
    const { resources } = await walkList(t, '/Users', { filter });
    return resources.map((u) => ({ id: parseUser(u).id, kind: 'user' }));
  }
  const found = await getGroup(t, group);
  return found === 'gone' ? 'gone' : (parseGroup(found.body, true).members ?? []);
}

/** A group as the target shows it, with its version. */
export async function getGroup(t: Target, group: string): Promise<{ body: Json; etag: string | undefined } | 'gone'> {
  const a = await t.ask({ method: 'GET', path: `/Groups/${encodeURIComponent(group)}` });
  if (a.status === 404) return 'gone';
  if (!a.ok || !a.body) throw unfit(`the group ${group}`, a);
  return { body: a.body, etag: a.etag };
}

/** The account with this userName, if this SCIM shows one. Filters that a target ignores or does not know are made up for. */
export async function findUser(t: Target, userName: string): Promise<RemoteUser | undefined> {
  const found = await search(t, '/Users', `userName eq ${filterValue(t.profile, userName)}`);
  const users = found.map(parseUser).filter((u) => fold(u.userName) === fold(userName));
  if (users.length > 1)
    throw new Problem('conflict', 'scim/ambiguous', {
      says: `there are ${users.length} accounts called ${userName}: ${users.map((u) => u.id).join(', ')}`,
      fix: 'remove one of them at the target; this command does not choose',
    });
  return users[0];
}

/** The group with this name or id. */
export async function findGroup(t: Target, name: string): Promise<RemoteGroup | undefined> {
  const found = await search(t, '/Groups', `displayName eq ${filterValue(t.profile, name)}`);
  const all = found.map((g) => parseGroup(g, false)).filter((g) => fold(g.displayName) === fold(name));
  const exact = all.filter((g) => g.displayName === name);
  const one = exact.length === 1 ? exact[0] : all[0];
  if (all.length > 1 && exact.length !== 1)
    throw new Problem('conflict', 'scim/ambiguous', {
      says: `there are ${all.length} groups called ${name}: ${all.map((g) => g.id).join(', ')}`,
      fix: 'give the id of the one you mean',
    });
  if (one) return one;
  const byId = await getGroup(t, name);
  return byId === 'gone' ? undefined : parseGroup(byId.body, false);
}

async function search(t: Target, path: '/Users' | '/Groups', filter: string): Promise<Json[]> {
  const lean: Record<string, string> = path === '/Groups' ? { excludedAttributes: 'members' } : {};
  if (t.profile.filter === 'none') return (await walkList(t, path, lean)).resources;
  const a = await t.ask({ method: 'GET', path: withQuery(path, { ...lean, filter, count: t.profile.pageSize }) });
  // Some answer 404 where the list is empty.
  if (a.status === 404) return [];
  if (!a.ok || !a.body) return (await walkList(t, path, lean)).resources;
  const p = parseList(a.body, path);
  // More than a page for one name: the filter was not understood.
  return p.total !== undefined && p.total > p.resources.length
    ? (await walkList(t, path, lean)).resources
    : p.resources;
}

/** A refusal of the target, as ours. */
export const unfit = (what: string, a: Answer): Problem =>
  new Problem('upstream', 'scim/refused', {
    says: `the target refuses ${what}: ${errorText(a.status, a.body)}`,
    fix: 'the journal (--journal FILE) shows what was sent; a profile may say how this target differs',
    more: { status: a.status },
  });
