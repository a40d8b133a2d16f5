import type { Id } from '#kernel/id.ts';
import { jcs } from '@gatehouse/contract/jcs.ts';
import type { CataloguedTool } from './catalogue.ts';
import { policyJson } from './cedar.ts';
import type { PolicySet } from './decide.ts';
import type { Person } from './people.sql.ts';
import { outlookOn, sameView } from './outlook.ts';
import { standings, type Held, type Standing } from './standing.ts';

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
  const [was, is] = [outlookOn(before), outlookOn(after)];
  const lists = people.map((who) => ({ who, was: was.applies(who), is: is.applies(who) }));
  const touched = each(() => new Set<Person>());
  const pairs = each(() => 0);
  const lines: Line[] = [];
  for (const own of Map.groupBy(tools, (t) => t.connector).values()) {
    const views = own.map((tool) => ({ tool, was: was.view(tool), is: is.view(tool) }));
    const found: Found[] = [];
    for (const alike of Map.groupBy(views, (v) => `${v.was.key}\n${v.is.key}`).values()) {
      const [view] = alike;
      if (!view || sameView(view.was, view.is)) continue;
      const kinds = new Map<string, Found>();
      const peers = Map.groupBy(lists, (l) => `${was.key(view.was, l.was, l.who)}\n${is.key(view.is, l.is, l.who)}`);
      for (const group of peers.values()) {
        const [one] = group;
        if (!one) continue;
        const [from, to] = [was.held(view.was, one.was, one.who), is.held(view.is, one.is, one.who)];
        const effect = effectOf(before, from, after, to);
        if (!effect) continue;
        const key = `${effect} ${from.standing} ${to.standing}`;
        const kind = kinds.get(key) ?? {
          effect,
          from: from.standing,
          to: to.standing,
          tools: alike.map((v) => v.tool),
          people: [],
        };
        for (const { who } of group) {
          kind.people.push(who);
          touched[effect].add(who);
        }
        pairs[effect] += alike.length * group.length;
        kinds.set(key, kind);
      }
      found.push(...kinds.values());
    }
    lines.push(...linesOf(found));
  }
  lines.sort((a, b) => b.peopleCount * b.toolCount - a.peopleCount * a.toolCount);
  const groups = groupsOf(touched);
  return {
    looked: { people: people.length, tools: tools.length },
    counts: each((e) => ({ people: touched[e].size, pairs: pairs[e] })),
    groups: groups.slice(0, MAX_GROUPS),
    moreGroups: Math.max(0, groups.length - MAX_GROUPS),
    lines: lines.slice(0, MAX_LINES),
    more: Math.max(0, lines.length - MAX_LINES),
  };
}

type Found = { effect: Effect; from: Standing; to: Standing; tools: CataloguedTool[]; people: Person[] };

const each = <T>(of: (e: Effect) => T): Record<Effect, T> => ({
  gains: of('gains'),
  loses: of('loses'),
  wider: of('wider'),
  narrower: of('narrower'),
  differs: of('differs'),
});

/** Tools of one connector that change in the same way for the same people are one line. */
function linesOf(found: readonly Found[]): Line[] {
  for (const f of found) f.people.sort((a, b) => (a.user < b.user ? -1 : 1));
  const same = Map.groupBy(found, (f) => `${f.effect} ${f.from} ${f.to} ${f.people.map((p) => p.user).join(' ')}`);
  return [...same.values()].flatMap((of): Line[] => {
    const [first] = of;
    const tools = of.flatMap((f) => f.tools);
    const [tool] = tools;
    if (!first || !tool) return [];
    const { effect, from, to, people } = first;
    return [
      {
        effect,
        from,
        to,
        connector: tool.connector,
        connectorName: tool.connectorName,
        tools: tools.slice(0, MAX_TOOLS).map((t) => ({ name: t.name, class: t.class })),
        toolCount: tools.length,
        people: people.slice(0, MAX_EXAMPLES).map((p) => ({ user: p.user, name: p.name })),
        peopleCount: people.length,
      },
    ];
  });
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
