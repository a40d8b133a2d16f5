import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { project, type ArgumentFacts } from './argument.ts';
import { explain, type Explained } from './because.ts';
import { noConnector, noUser, type Catalogue } from './catalogue.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { listGroupNames } from './rule.sql.ts';
import type { AskedTool, Circumstances, ToolClass } from './schema.ts';
import { circumstancesOf, type Standpoint } from './simulate-person.ts';

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
  context: Circumstances;
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
    const context = circumstancesOf(q, set.zone, ctx.now);
    const projected = project(tool.projection, q.arguments ?? {});
    const args = projected.kind === 'facts' ? projected.combinations : [];
    const explained = explain(set, {
      user: q.user,
      groups,
      tool: tool.asked,
      context,
      args,
    });
    const used = { class: tool.asked.class, groups: await listGroupNames(db, groups), context, combinations: args };
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
): Promise<{ asked: AskedTool; projection: Parameters<typeof project>[0] }> {
  const known = (await catalogue.tools(db)).find((t) => t.connector.id === q.connector && t.name === q.tool);
  const reviewed = known?.reviewed ? known : undefined;
  return {
    asked: {
      connector: q.connector,
      name: q.tool,
      class: reviewed?.class ?? 'destructive',
      outward: reviewed?.outward,
      type: known?.connector.type,
    },
    projection: known?.projection ?? [],
  };
}
