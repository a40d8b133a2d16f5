import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { explain, type Explained } from './because.ts';
import { noConnector, noUser, type Catalogue } from './catalogue.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { nowIn } from './now.ts';
import { listGroupNames } from './rule.sql.ts';
import type { Surface, ToolClass } from './schema.ts';

export type CallQuestion = { user: Id<'usr'>; connector: Id<'con'>; tool: string; surface: Surface };

/** What would happen if this person called this tool now, and by which rules. */
export async function explainCall(
  ctx: OrgCtx,
  q: CallQuestion,
  catalogue: Catalogue,
): Promise<Explained & { class: ToolClass; groups: { id: Id<'grp'>; name: string }[] }> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    if (!(await findMemberByUser(db, q.user))) throw noUser(q.user);
    if (!(await catalogue.hasConnector(db, q.connector))) throw noConnector(q.connector);
    const set = await loadPolicySet(db);
    const groups = await groupsOfUser(db, q.user);
    const klass = (await catalogue.toolClass(db, q.connector, q.tool)) ?? 'destructive';
    const explained = explain(set, {
      user: q.user,
      groups,
      tool: { connector: q.connector, name: q.tool, class: klass },
      action: 'call',
      context: { surface: q.surface, device: 'unknown', now: nowIn(set.zone, ctx.now), args: {} },
    });
    return { ...explained, class: klass, groups: await listGroupNames(db, groups) };
  });
}
