import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { project, type ArgumentFacts } from './argument.ts';
import { explain, type Explained } from './because.ts';
import { noConnector, noUser, type Catalogue } from './catalogue.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { nowIn } from './now.ts';
import { listGroupNames } from './rule.sql.ts';
import type { Moment, ToolClass } from './schema.ts';
import type { Standpoint } from './simulate-person.ts';

export type CallQuestion = Standpoint & {
  user: Id<'usr'>;
  connector: Id<'con'>;
  tool: string;
  /** As an agent would send them; none where they are absent. */
  arguments?: Readonly<Record<string, unknown>> | undefined;
};

/** The facts that a decision stands on. */
export type FactsUsed = {
  class: ToolClass;
  groups: { id: Id<'grp'>; name: string }[];
  context: Moment;
  /** What rules see of the arguments, one record per combination. */
  args: readonly ArgumentFacts[];
};

/** What would happen if this person called this tool now, by which rules, and which rules come close. */
export async function explainCall(
  ctx: OrgCtx,
  q: CallQuestion,
  catalogue: Catalogue,
): Promise<Explained & Omit<FactsUsed, 'args'> & { combinations: FactsUsed['args'] }> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    if (!(await findMemberByUser(db, q.user))) throw noUser(q.user);
    if (!(await catalogue.hasConnector(db, q.connector))) throw noConnector(q.connector);
    const set = await loadPolicySet(db);
    const groups = await groupsOfUser(db, q.user);
    const tool = await toolOf(db, q, catalogue);
    const context = { surface: q.surface, device: q.device ?? 'unknown', now: nowIn(set.zone, q.at ?? ctx.now) };
    const projected = project(tool.projection, q.arguments ?? {});
    const args = projected.kind === 'facts' ? projected.combinations : [];
    const explained = explain(set, {
      user: q.user,
      groups,
      tool: { connector: q.connector, name: q.tool, class: tool.class },
      context,
      args,
    });
    const used = { class: tool.class, groups: await listGroupNames(db, groups), context, combinations: args };
    if (projected.kind === 'facts') return { ...explained, ...used };
    // As the gate does: what rules cannot read, they do not let through.
    const says = `the argument at ${projected.at} ${projected.says}, so rules cannot see it`;
    return { ...explained, ...used, outcome: 'denied', says, rules: [], close: [] };
  });
}

async function toolOf(
  db: Reader,
  q: CallQuestion,
  catalogue: Catalogue,
): Promise<{ class: ToolClass; projection: Parameters<typeof project>[0] }> {
  const known = (await catalogue.tools(db)).find((t) => t.connector.id === q.connector && t.name === q.tool);
  return { class: (known?.reviewed ? known.class : undefined) ?? 'destructive', projection: known?.projection ?? [] };
}
