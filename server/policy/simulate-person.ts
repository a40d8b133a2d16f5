import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import type { ArgumentFacts } from './argument.ts';
import { noConnector, noUser, type Catalogue } from './catalogue.ts';
import { seenFacts } from './facts-asked.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { nowIn } from './now.ts';
import {
  freshSession,
  type Circumstances,
  type Device,
  type SessionFacts,
  type Surface,
  type ToolClass,
} from './schema.ts';
import { simulateTool, type Simulated, type SimulatedTool } from './simulate.ts';

/** From where and when it is asked about; where they are absent, nobody vouches for the device, `at` is now, and the session has read nothing. */
export type Standpoint = {
  surface: Surface;
  device?: Device | undefined;
  at?: Date | undefined;
  session?: SessionFacts | undefined;
};

/** The same as rules are told it. */
export const circumstancesOf = (q: Standpoint, zone: string, now: Date): Circumstances => ({
  surface: q.surface,
  device: q.device ?? 'unknown',
  now: nowIn(zone, q.at ?? now),
  session: q.session ?? freshSession,
});

export type PersonQuestion = Standpoint & {
  user: Id<'usr'>;
  connector?: Id<'con'> | undefined;
  class?: ToolClass | undefined;
  outcome?: Simulated | undefined;
  facts?: ArgumentFacts | undefined;
  /** Looked for in the names of tools and connectors. */
  q?: string | undefined;
};

/** What a person can do: every tool, or those of one connector, with what would become of a call. By connector and name. */
export async function simulatePerson(ctx: OrgCtx, q: PersonQuestion, catalogue: Catalogue): Promise<SimulatedTool[]> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const user = (await findMemberByUser(db, q.user)) && (await findUser(db, q.user));
    if (!user) throw noUser(q.user);
    if (q.connector !== undefined && !(await catalogue.hasConnector(db, q.connector))) throw noConnector(q.connector);
    const set = await loadPolicySet(db);
    const who = { user: q.user, groups: await groupsOfUser(db, q.user), live: user.state === 'active' };
    const moment = circumstancesOf(q, set.zone, ctx.now);
    const wanted = q.q?.toLowerCase();
    return (await catalogue.tools(db))
      .filter((t) => q.connector === undefined || t.connector.id === q.connector)
      .filter((t) => q.class === undefined || (t.class ?? 'destructive') === q.class)
      .filter(
        (t) =>
          wanted === undefined || `${t.name}\n${t.connector.name}\n${t.connector.slug}`.toLowerCase().includes(wanted),
      )
      .map((t) => simulateTool(set, who, t, moment, q.facts && seenFacts(q.facts, t.projection)))
      .filter((t) => q.outcome === undefined || t.outcome === q.outcome)
      .toSorted((a, b) => compare(a.connector.slug, b.connector.slug) || compare(a.tool, b.tool));
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
