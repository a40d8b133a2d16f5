import type { Id } from '#kernel/id.ts';
import { jcs } from '@gatehouse/contract/jcs.ts';
import type { CataloguedTool } from './catalogue.ts';
import { policyJson } from './cedar.ts';
import type { PolicySet } from './decide.ts';
import type { Person } from './people.sql.ts';
import { peerKey, standingOf, standings, type Held, type Standing } from './standing.ts';

/**
 * What a change does to what somebody has of a tool. `differs`: it depends on something, or somebody must agree, as before, but on something
 * else or by somebody else.
 */
export const effects = ['gains', 'loses', 'wider', 'narrower', 'differs'] as const;
export type Effect = (typeof effects)[number];

/** Some people for whom some tools of a connector change in one way. */
export type Line = {
  effect: Effect;
  from: Standing;
  to: Standing;
  connector: Id<'con'>;
  connectorName: string;
  /** At most fifty of `toolCount`, by name. */
  tools: { name: string; class: string }[];
  toolCount: number;
  /** At most five of `peopleCount`, by id. */
  people: { user: Id<'usr'>; name: string }[];
  peopleCount: number;
};

export type Preview = {
  /** How many people and tools were looked at. */
  looked: { people: number; tools: number };
  /** For each effect, how many people it touches, and how many pairs of a person and a tool. */
  counts: Record<Effect, { people: number; pairs: number }>;
  /** How many of each group it touches, most first; `moreGroups` were left out. Who has no group is in `counts` all the same. */
  groups: ({ group: Id<'grp'> } & Record<Effect, number>)[];
  moreGroups: number;
  /** The widest first. `more` were left out. */
  lines: Line[];
  more: number;
};

const MAX_LINES = 100;
const MAX_GROUPS = 100;
const MAX_TOOLS = 50;
const MAX_EXAMPLES = 5;

/** Who gains and who loses what, from one set to another: computed by asking both about every person and every tool. Pure. */
export function preview(
  before: PolicySet,
  after: PolicySet,
  people: readonly Person[],
  tools: readonly CataloguedTool[],
): Preview {
  const touched: Record<Effect, Set<Person>> = {
    gains: new Set(),
    loses: new Set(),
    wider: new Set(),
    narrower: new Set(),
    differs: new Set(),
  };
  const pairs: Record<Effect, number> = { gains: 0, loses: 0, wider: 0, narrower: 0, differs: 0 };
  const lines: (Line & { all: readonly Person[] })[] = [];
  for (const [connector, own] of Map.groupBy(tools, (t) => t.connector)) {
    const peers = Map.groupBy(
      people,
      (p) => `${peerKey(before, p, connector, own)}\n${peerKey(after, p, connector, own)}`,
    );
    for (const alike of peers.values()) {
      const [one] = alike;
      if (!one) continue;
      const found = new Map<string, { effect: Effect; from: Standing; to: Standing; tools: CataloguedTool[] }>();
      for (const tool of own) {
        const [was, is] = [standingOf(before, one, tool), standingOf(after, one, tool)];
        const effect = effectOf(before, was, after, is);
        if (!effect) continue;
        const key = `${effect} ${was.standing} ${is.standing}`;
        const line = found.get(key) ?? { effect, from: was.standing, to: is.standing, tools: [] };
        line.tools.push(tool);
        found.set(key, line);
      }
      for (const { tools: of, ...line } of found.values()) {
        for (const p of alike) touched[line.effect].add(p);
        pairs[line.effect] += of.length * alike.length;
        lines.push({
          ...line,
          connector,
          connectorName: of[0]?.connectorName ?? '',
          tools: of.map((t) => ({ name: t.name, class: t.class })),
          toolCount: of.length,
          people: [],
          peopleCount: 0,
          all: alike,
        });
      }
    }
  }
  const merged = mergeLines(lines);
  const groups = groupsOf(touched);
  return {
    looked: { people: people.length, tools: tools.length },
    counts: each((e) => ({ people: touched[e].size, pairs: pairs[e] })),
    groups: groups.slice(0, MAX_GROUPS),
    moreGroups: Math.max(0, groups.length - MAX_GROUPS),
    lines: merged.slice(0, MAX_LINES),
    more: Math.max(0, merged.length - MAX_LINES),
  };
}

const each = <T>(of: (e: Effect) => T): Record<Effect, T> => ({
  gains: of('gains'),
  loses: of('loses'),
  wider: of('wider'),
  narrower: of('narrower'),
  differs: of('differs'),
});

/** People whom policies tell apart, but who see the same change, are one line. */
function mergeLines(lines: readonly (Line & { all: readonly Person[] })[]): Line[] {
  const same = Map.groupBy(lines, (l) => jcs([l.effect, l.from, l.to, l.connector, l.tools.map((t) => t.name)]));
  return [...same.values()]
    .flatMap((of): Line[] => {
      const [first] = of;
      if (!first) return [];
      const { all: _, ...line } = first;
      const everybody = of.flatMap((l) => l.all).toSorted((a, b) => (a.user < b.user ? -1 : 1));
      const people = everybody.slice(0, MAX_EXAMPLES).map((p) => ({ user: p.user, name: p.name }));
      return [{ ...line, tools: line.tools.slice(0, MAX_TOOLS), people, peopleCount: everybody.length }];
    })
    .toSorted((a, b) => b.peopleCount * b.toolCount - a.peopleCount * a.toolCount);
}

function groupsOf(touched: Record<Effect, ReadonlySet<Person>>): Preview['groups'] {
  const groups = new Map<Id<'grp'>, Record<Effect, number>>();
  for (const effect of effects)
    for (const p of touched[effect])
      for (const g of p.groups) {
        const counts = groups.get(g) ?? each(() => 0);
        counts[effect]++;
        groups.set(g, counts);
      }
  const sum = (c: Record<Effect, number>): number => effects.reduce((n, e) => n + c[e], 0);
  return [...groups]
    .map(([group, c]) => ({ group, ...c }))
    .toSorted((a, b) => sum(b) - sum(a) || (a.group < b.group ? -1 : 1));
}

function effectOf(before: PolicySet, was: Held, after: PolicySet, is: Held): Effect | undefined {
  if (was.standing === is.standing) {
    if (was.standing !== 'sometimes' && was.standing !== 'asks') return undefined;
    return saying(before, was) === saying(after, is) ? undefined : 'differs';
  }
  if (was.standing === 'denied') return 'gains';
  if (is.standing === 'denied') return 'loses';
  return standings.indexOf(is.standing) > standings.indexOf(was.standing) ? 'wider' : 'narrower';
}

/** What the policies behind a standing say, and who may agree, without what they are called. */
function saying(set: PolicySet, held: Held): string {
  const texts = held.policies.flatMap((id) =>
    [id, `${id}:approve`].flatMap((key) => {
      const policy = set.policies[key];
      if (policy === undefined) return [];
      const { annotations: _, ...says } = policyJson(policy);
      return [jcs(JSON.parse(JSON.stringify(says)))];
    }),
  );
  return [...new Set(texts)].sort().join('\n');
}
