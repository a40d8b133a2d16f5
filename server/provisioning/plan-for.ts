import type { OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { findApiKey } from '#org/api-key.sql.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import type { Member } from '#org/member.ts';
import type { LiveMapping } from './decide.ts';
import { countPeopleOf } from './group.sql.ts';
import { lineOf, mappingsOf, planHash, type Line, type Target } from './plan.ts';
import { listActiveOwners, listConcerned } from './person.sql.ts';
import { mappedGroups, type Rules } from './settle-people.ts';
import { liveMappings, type Settings } from './settings.sql.ts';

const PAGE = 5000;

/** What a target would do to everybody, as of now. */
export type Computed = {
  rules: Rules;
  mappings: readonly LiveMapping[];
  lines: Line[];
  hash: string;
  ownersMapped: number;
};

/** Plays a target through for everybody whom it can concern. Reads only. */
export async function planFor(db: Reader, settings: Settings, target: Target): Promise<Computed> {
  const mappings = await liveMappings(db, mappingsOf(settings, target));
  const rules: Rules = {
    settings: { ...settings, mode: target.mode, prefix: target.prefix, domains: target.domains },
    mappings,
  };
  const mapped = mappedGroups(mappings);
  const owners = await listActiveOwners(db);
  const lines: Line[] = [];
  for (let after = ''; ;) {
    const page = await listConcerned(db, mapped, { after, limit: PAGE });
    for (const f of page) {
      const line = lineOf(rules, f, owners.length === 1 && owners[0] === f.user);
      if (line) lines.push(line);
    }
    const last = page.at(-1)?.user;
    if (last === undefined || page.length < PAGE) break;
    after = last;
  }
  const ownersMapped = await countPeopleOf(
    db,
    mappings.filter((m) => m.role === 'owner').flatMap((m) => m.groups),
  );
  return { rules, mappings, lines, hash: planHash(settings.version, target, lines), ownersMapped };
}

export const noGroup = (id: string | undefined): Problem =>
  new Problem('missing', 'provisioning/no-group', {
    says: `there is no group ${id?.slice(0, 60) ?? ''} here`,
    fix: 'list the groups that have come',
  });

/** Whoever stands behind the request: the person, or the one who created the key. Nobody for ourselves. */
export async function memberBehind(db: Reader, ctx: OrgCtx): Promise<Member | undefined> {
  const { actor } = ctx;
  const user: Id<'usr'> | undefined =
    actor.kind === 'user'
      ? actor.id
      : actor.kind === 'api_key'
        ? (await findApiKey(db, actor.id))?.createdBy
        : undefined;
  return user && findMemberByUser(db, user);
}
