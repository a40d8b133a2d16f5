import { randomUUID } from 'node:crypto';
import type { ProfileWish } from './profile.ts';
import type { Answer, Target } from './target.ts';
import { withQuery } from './walk.ts';
import { field, isJson, parseList, textOf, type Json } from './wire.ts';

/** What a target says and shows of itself. */
export type Probed = { profile: ProfileWish; notes: string[] };

const at = (of: Json | undefined, ...path: string[]): unknown =>
  path.reduce<unknown>((v, name) => (isJson(v) ? field(v, name) : undefined), of);

/**
 * Asks a target how it wants to be spoken to. Only reads: what can only be known by writing (the form of a removal) is learnt by the first
 * write, which is looked at.
 */
export async function probeTarget(t: Target, wish: ProfileWish): Promise<Probed> {
  const notes: string[] = [];
  const profile: ProfileWish = {};
  let config = await t.ask({ method: 'GET', path: '/ServiceProviderConfig' });
  if ((config.status === 406 || config.status === 415) && wish.mediaType === undefined) {
    profile.mediaType = 'application/json';
    t.profile = { ...t.profile, mediaType: 'application/json' };
    notes.push('it takes application/json only');
    config = await t.ask({ method: 'GET', path: '/ServiceProviderConfig' });
  }
  const says = config.ok ? config.body : undefined;
  if (says) {
    if (at(says, 'patch', 'supported') === false) {
      profile.update = 'put';
      notes.push('it has no PATCH; groups are written whole');
    }
    if (at(says, 'etag', 'supported') === false) profile.ifMatch = false;
    if (at(says, 'pagination', 'cursor') === true) {
      profile.paging = 'cursor';
      notes.push('it pages by cursor');
    }
    const max = at(says, 'pagination', 'maxPageSize');
    const most = at(says, 'filter', 'maxResults');
    for (const n of [max, most])
      if (typeof n === 'number' && n > 0 && n < t.profile.pageSize)
        profile.pageSize = Math.min(n, profile.pageSize ?? n);
  } else notes.push(`it has no ServiceProviderConfig (${config.status})`);

  if (wish.filter === undefined) {
    profile.filter = at(says, 'filter', 'supported') === false ? 'none' : await probeFilter(t);
    if (profile.filter !== 'quoted')
      notes.push(profile.filter === 'none' ? 'it does not filter' : 'its filters want values without quotes');
  }
  if (wish.listMembersVia === undefined) {
    profile.listMembersVia = await probeMembers(t);
    if (profile.listMembersVia === 'userFilter') notes.push('its groups do not list members; its users do');
  }
  return { profile, notes };
}

/** A name that nobody has must find nobody. A target that answers with everybody has not understood the filter. */
async function probeFilter(t: Target): Promise<'quoted' | 'unquoted' | 'none'> {
  const nobody = `nobody-${randomUUID()}`;
  const empty = (a: Answer): boolean => {
    if (a.status === 404) return true;
    if (!a.ok || !a.body) return false;
    const p = parseList(a.body, '/Users');
    return p.resources.length === 0;
  };
  const ask = (value: string): Promise<Answer> =>
    t.ask({ method: 'GET', path: withQuery('/Users', { filter: `userName eq ${value}`, startIndex: 1, count: 1 }) });
  if (empty(await ask(JSON.stringify(nobody)))) return 'quoted';
  return empty(await ask(nobody)) ? 'unquoted' : 'none';
}

/** Looks at the first groups: one whose members are not shown, though users say they are in it, is one that never shows them. */
async function probeMembers(t: Target): Promise<'group' | 'userFilter'> {
  const list = await t.ask({ method: 'GET', path: withQuery('/Groups', { startIndex: 1, count: 3 }) });
  if (!list.ok || !list.body) return 'group';
  for (const g of parseList(list.body, '/Groups').resources.slice(0, 3)) {
    const id = textOf(g, 'id');
    if (id === undefined) continue;
    const one = await t.ask({ method: 'GET', path: `/Groups/${encodeURIComponent(id)}` });
    const members = one.body && field(one.body, 'members');
    if (Array.isArray(members) && members.length > 0) return 'group';
    const filter = `groups.value eq ${JSON.stringify(id)}`;
    const users = await t.ask({ method: 'GET', path: withQuery('/Users', { filter, startIndex: 1, count: 1 }) });
    const shown = users.ok && users.body ? parseList(users.body, '/Users').resources[0] : undefined;
    const groups = shown && field(shown, 'groups');
    // Only a user who says so himself counts: a target that ignores the filter would show anybody.
    if (Array.isArray(groups) && groups.some((x) => isJson(x) && textOf(x, 'value') === id)) return 'userFilter';
  }
  return 'group';
}
