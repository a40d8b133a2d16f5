import type { OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Catalogue } from './catalogue.ts';
import { toolClasses, type ToolClass } from './schema.ts';
import { simulatePerson } from './simulate-person.ts';
import { simulated, type Simulated, type SimulatedTool } from './simulate.ts';

/** What somebody may do with the tools of one class at one connector: how many end how, and the sentence where one is true of all. */
export type ClassAccess = { class: ToolClass; counts: Record<Simulated, number>; says: string | null };
export type ConnectorAccess = { connector: SimulatedTool['connector']; classes: ClassAccess[] };

/** A person's own access at a glance: connector by connector, class by class. By the question that decides a real call. */
export async function readOwnAccess(ctx: OrgCtx, user: Id<'usr'>, catalogue: Catalogue): Promise<ConnectorAccess[]> {
  const all = await simulatePerson(ctx, { user, surface: 'mcp' }, catalogue);
  return [...Map.groupBy(all, (t) => t.connector.id).values()].flatMap((own) => {
    const [first] = own;
    return first ? [{ connector: first.connector, classes: toolClasses.flatMap((c) => classAccess(c, own)) }] : [];
  });
}

function classAccess(klass: ToolClass, own: readonly SimulatedTool[]): ClassAccess[] {
  const tools = own.filter((t) => t.class === klass);
  const [first] = tools;
  if (!first) return [];
  const counts = Object.fromEntries(simulated.map((s) => [s, tools.filter((t) => t.outcome === s).length]));
  // A sentence names its tool; of several tools it would be about one of them.
  const says = tools.length === 1 ? first.says : null;
  return [{ class: klass, counts: counts as Record<Simulated, number>, says }];
}
