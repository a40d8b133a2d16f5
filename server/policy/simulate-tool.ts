import { setImmediate } from 'node:timers/promises';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { ArgumentFacts } from './argument.ts';
import { noConnector, noTool, type Catalogue, type CatalogueTool } from './catalogue.ts';
import { seenFacts } from './facts-asked.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { listPeoplePage, type PersonWithGroups } from './people.sql.ts';
import type { ToolClass } from './schema.ts';
import { outsideDomains, simulateTool, widest, type Simulated } from './simulate.ts';
import { circumstancesOf, type Standpoint } from './simulate-person.ts';

export type ToolQuestion = Standpoint & {
  connector?: Id<'con'> | undefined;
  /** One tool by its name, or all of a class. */
  tool?: string | undefined;
  class?: ToolClass | undefined;
  outcome?: Simulated | undefined;
  facts?: ArgumentFacts | undefined;
  /** To a recipient whose domain is not one of the organization's own. */
  outside?: boolean | undefined;
  q?: string | undefined;
};

export type WhoCan = Omit<PersonWithGroups, 'groups'> & {
  /** The widest of what follows. */
  outcome: Simulated;
  /** With which tools, and of `outside` to which domains (`any`: to one that no rule names). */
  tools: { connector: string; tool: string; outcome: Simulated; says: string; domains: string[] }[];
};

const BLIND = '; no reviewer has said where this tool has its recipients, so rules do not see them';
/** People that are looked at between two looks at the rest of the world. */
const PAGE = 200;

/** Who can use a tool, or any tool of a class: members by e-mail, each with what would become of a call. One more than asked. */
export async function simulateTools(
  ctx: OrgCtx,
  q: ToolQuestion,
  page: { after: readonly string[] | undefined; limit: number },
  catalogue: Catalogue,
): Promise<WhoCan[]> {
  if (q.tool === undefined && q.class === undefined)
    throw new Problem('invalid', 'policy/which-tools', {
      says: 'the question names neither a tool nor a class of tools',
      fix: 'give tool, with its connector, or class',
    });
  const { set, tools, ours } = await ctx.db.read(scopeOf(ctx), async (db) => {
    if (q.connector !== undefined && !(await catalogue.hasConnector(db, q.connector))) throw noConnector(q.connector);
    const tools = (await catalogue.tools(db)).filter(
      (t) =>
        (q.connector === undefined || t.connector.id === q.connector) &&
        (q.tool === undefined || t.name === q.tool) &&
        (q.class === undefined || (t.class ?? 'destructive') === q.class),
    );
    if (q.tool !== undefined && tools.length === 0) throw noTool(q.tool);
    return { set: await loadPolicySet(db), tools, ours: q.outside ? await catalogue.ownDomains(db) : [] };
  });
  const moment = circumstancesOf(q, set.zone, ctx.now);
  const domains = q.outside ? outsideDomains(set, ours) : undefined;

  const ofTool = (who: PersonWithGroups, t: CatalogueTool): WhoCan['tools'][number] => {
    const name = { connector: t.connector.slug, tool: t.name };
    if (!domains) {
      const s = simulateTool(set, who, t, moment, q.facts && seenFacts(q.facts, t.projection));
      return { ...name, outcome: s.outcome, says: s.says, domains: [] };
    }
    const each = domains.map(({ domain, shown }) => {
      const facts = { ...q.facts, recipient: q.facts?.recipient ?? `somebody@${domain}`, recipient_domain: domain };
      return { shown, ...simulateTool(set, who, t, moment, seenFacts(facts, t.projection)) };
    });
    const outcome = widest(each.map((e) => e.outcome));
    const can = each.filter((e) => e.outcome === outcome);
    const says = t.projection.some((p) => p.kind === 'recipient') ? '' : BLIND;
    return {
      ...name,
      outcome,
      says: `${can[0]?.says ?? ''}${says}`,
      domains: outcome === 'denied' ? [] : can.map((e) => e.shown),
    };
  };

  const found: WhoCan[] = [];
  let after = page.after;
  for (;;) {
    const people = await ctx.db.read(scopeOf(ctx), (db) => listPeoplePage(db, { q: q.q, after, limit: PAGE }));
    for (const who of people.slice(0, PAGE)) {
      const each = tools.map((t) => ofTool(who, t));
      const outcome = widest(each.map((t) => t.outcome));
      if (q.outcome !== undefined && q.outcome !== outcome) continue;
      const { groups: _, ...person } = who;
      found.push({ ...person, outcome, tools: each.filter((t) => t.outcome === outcome) });
      if (found.length > page.limit) return found;
    }
    const last = people[PAGE - 1];
    if (people.length <= PAGE || !last) return found;
    after = [last.email.toLowerCase(), last.user];
    await setImmediate();
  }
}
