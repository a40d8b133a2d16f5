import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noUser, type Catalogue } from './catalogue.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { listPeople } from './people.sql.ts';
import { wordsOf } from './rule.ts';
import { listGroupNames } from './rule.sql.ts';
import { standingOf, type Standing } from './standing.ts';

/** A policy that somebody's access comes from, in words. */
export type Why = { policy: string; name: string; words: string };

export type Access = {
  user: Id<'usr'>;
  name: string;
  groups: { id: Id<'grp'>; name: string }[];
  version: string;
  connectors: {
    connector: Id<'con'>;
    name: string;
    counts: Record<Standing, number>;
    tools: { name: string; class: string; standing: Standing; because: string[] }[];
    because: Why[];
  }[];
};

/** What a person has of every connector and why, by the engine that decides their calls. A suspended person has nothing and is not here. */
export const readAccess = (
  ctx: OrgCtx,
  user: Id<'usr'>,
  catalogue: Pick<Catalogue, 'reviewedTools'>,
): Promise<Access> =>
  ctx.db.read(scopeOf(ctx), async (db) => {
    const [person] = await listPeople(db, user);
    if (!person) throw noUser(user);
    const set = await loadPolicySet(db);
    const tools = await catalogue.reviewedTools(db);
    const connectors = [...Map.groupBy(tools, (t) => t.connector)].map(([connector, own]) => {
      const counts: Record<Standing, number> = { denied: 0, sometimes: 0, asks: 0, allowed: 0 };
      const named = new Map<string, Why>();
      const shown = own.map((tool) => {
        const { standing, policies } = standingOf(set, person, tool);
        counts[standing]++;
        for (const policy of policies) {
          const rule = [...set.rules.values()].find((r) => r.id === policy);
          const name = rule?.name ?? set.names.get(policy) ?? policy;
          named.set(policy, { policy, name, words: rule ? wordsOf(rule) : name });
        }
        return { name: tool.name, class: tool.class, standing, because: [...policies] };
      });
      return { connector, name: own[0]?.connectorName ?? '', counts, tools: shown, because: [...named.values()] };
    });
    return {
      user,
      name: person.name,
      groups: await listGroupNames(db, person.groups),
      version: set.version,
      connectors,
    };
  });
