import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId, type Id } from '#kernel/id.ts';
import type { ArgumentFacts } from './argument.ts';
import type { Approvers } from './approvers.ts';
import type { CataloguedTool } from './catalogue.ts';
import type { Policies } from './cedar.ts';
import type { Condition } from './condition.ts';
import { decideCall, policySet, type PolicySet } from './decide.ts';
import type { Person } from './people.sql.ts';
import { preview } from './preview.ts';
import type { Rule } from './rule.ts';
import { devices, surfaces, toolClasses } from './schema.ts';
import { outlookOn } from './outlook.ts';
import { standingOf } from './standing.ts';

const org = newId('org');
const groups = Array.from({ length: 5 }, () => newId('grp'));
const [crm, drive] = [newId('con'), newId('con')];
const person = (name: string, ...of: Id<'grp'>[]): Person => ({ user: newId('usr'), name, groups: of.toSorted() });
const tools: CataloguedTool[] = [crm, drive].flatMap((connector) =>
  toolClasses.map((c) => ({
    connector,
    connectorName: connector === crm ? 'CRM' : 'Drive',
    name: `${c}_it`,
    class: c,
  })),
);
const [sales, leads] = [groups[0]!, groups[1]!];
const [ada, bob] = [person('Ada', sales), person('Bob')];

const rule = (over: Partial<Rule>): Rule => ({
  id: newId('rul'),
  name: 'r',
  who: { kind: 'everyone' },
  connector: crm,
  tools: { classes: ['read'] },
  effect: 'allow',
  asks: 'never',
  ...(over as object),
});
const inReports: Condition = { argument: 'path', is: 'in', of: ['/Reports/*'] };
const manager: Approvers = { who: { kind: 'manager' }, secondPerson: true, surface: 'any', fresh: false };
const free = rule({});

const changes: readonly [what: string, before: Rule[], after: Rule[], lines: unknown[]][] = [
  ['a rule for everyone', [], [free], [['gains', 'denied', 'allowed', 1, 2]]],
  ['a rule for a group', [], [rule({ who: { kind: 'group', group: sales } })], [['gains', 'denied', 'allowed', 1, 1]]],
  ['a rule less', [free], [], [['loses', 'allowed', 'denied', 1, 2]]],
  ['a forbid', [free], [free, rule({ effect: 'forbid' })], [['loses', 'allowed', 'denied', 1, 2]]],
  ['a rule beside another that says the same', [free], [free, rule({ name: 'again' })], []],
  ['a rule under another name', [free], [{ ...free, id: newId('rul'), name: 'other' }], []],
  [
    'a rule that asks from now on',
    [free],
    [rule({ effect: 'allow', asks: 'always' })],
    [['narrower', 'allowed', 'asks', 1, 2]],
  ],
  [
    'a rule that asks no more',
    [rule({ effect: 'allow', asks: 'always' })],
    [free],
    [['wider', 'asks', 'allowed', 1, 2]],
  ],
  ['a rule that asks beside it', [free], [free, rule({ effect: 'ask' })], [['narrower', 'allowed', 'asks', 1, 2]]],
  ['a condition', [free], [rule({ when: [inReports] })], [['narrower', 'allowed', 'sometimes', 1, 2]]],
  [
    'a forbid with a condition',
    [free],
    [free, rule({ effect: 'forbid', when: [inReports] })],
    [['narrower', 'allowed', 'sometimes', 1, 2]],
  ],
  [
    'another condition',
    [rule({ when: [inReports] })],
    [rule({ when: [{ ...inReports, of: ['/Secret/*'] }] })],
    [['differs', 'sometimes', 'sometimes', 1, 2]],
  ],
  [
    'somebody else who must agree',
    [rule({ effect: 'allow', asks: 'always' })],
    [rule({ effect: 'allow', asks: 'always', approvers: manager })],
    [['differs', 'asks', 'asks', 1, 2]],
  ],
  [
    'more classes of every connector',
    [free],
    [free, rule({ connector: 'any', tools: { classes: ['write', 'destructive'] } })],
    [
      ['gains', 'denied', 'allowed', 2, 2],
      ['gains', 'denied', 'allowed', 2, 2],
    ],
  ],
];
for (const [what, before, after, lines] of changes)
  test(`a change to ${what} shows as ${JSON.stringify(lines)}`, () => {
    const seen = preview(policySet(org, before), policySet(org, after), [ada, bob], tools);
    assert.deepEqual(
      seen.lines.map((l) => [l.effect, l.from, l.to, l.toolCount, l.peopleCount]),
      lines,
    );
  });

test('people whom rules tell apart but who see the same change are one line, and each is counted once', () => {
  const people = [person('A', sales), person('B', leads), person('C', sales, leads), person('D')];
  const both = [sales, leads].map((group) =>
    rule({ who: { kind: 'group', group }, tools: { classes: ['read', 'write'] } }),
  );
  const seen = preview(policySet(org, []), policySet(org, both), people, tools);
  assert.deepEqual(seen.counts.gains, { people: 3, pairs: 6 });
  assert.deepEqual(
    seen.lines.map((l) => [l.peopleCount, l.toolCount, l.people.map((p) => p.name).sort()]),
    [[3, 2, ['A', 'B', 'C']]],
  );
  assert.deepEqual(new Map(seen.groups.map((g) => [g.group, g.gains])), new Map([sales, leads].map((g) => [g, 2])));
});

test('what is left out is counted', () => {
  const many = Array.from({ length: 130 }, (_, i) => newId('con', i));
  const each = many.map((connector) => ({ connector, connectorName: 'C', name: 'x', class: 'read' as const }));
  const people = Array.from({ length: 130 }, (_, i) => person(`P${i}`, newId('grp')));
  const seen = preview(policySet(org, []), policySet(org, [rule({ connector: 'any' })]), people, each);
  assert.deepEqual([seen.lines.length, seen.more, seen.groups.length, seen.moreGroups], [100, 30, 100, 30]);
  assert.deepEqual([seen.lines[0]?.people.length, seen.lines[0]?.peopleCount], [5, 130]);
  const wide = Array.from({ length: 60 }, (_, i) => ({ ...each[0]!, name: `x${i}` }));
  const line = preview(policySet(org, []), policySet(org, [rule({ connector: 'any' })]), people, wide).lines[0];
  assert.deepEqual([line?.tools.length, line?.toolCount], [50, 60]);
});

const someRule: fc.Arbitrary<Rule> = fc
  .record({
    who: fc.constantFrom<Rule['who'][]>(
      { kind: 'everyone' },
      ...groups.map((group) => ({ kind: 'group' as const, group })),
      { kind: 'user', user: ada.user },
    ),
    connector: fc.constantFrom<Rule['connector'][]>(crm, drive, 'any'),
    classes: fc.subarray([...toolClasses], { minLength: 1 }),
    when: fc.subarray<Condition>([
      inReports,
      { device: ['managed'], is: 'not_in' },
      { surface: ['desk'], is: 'in' },
      { time: { days: ['mon'], from: '22:00', to: '06:00' }, is: 'in' },
    ]),
    does: fc.constantFrom<({ effect: 'allow'; asks: 'never' | 'always' } | { effect: 'ask' | 'forbid' })[]>(
      { effect: 'ask' },
      { effect: 'allow', asks: 'never' },
      { effect: 'allow', asks: 'always' },
      { effect: 'forbid' },
    ),
  })
  .map(({ does, classes, ...r }) => ({ id: newId('rul'), name: 'r', tools: { classes }, ...r, ...does }));
const experts: Policies[] = [
  {},
  { x: `permit(principal, action, resource) when { principal in Group::"${sales}" };` },
  { x: `forbid(principal, action, resource) unless { principal in [Group::"${leads}", Group::"${groups[2]!}"] };` },
  {
    x: 'forbid(principal, action, resource) when { resource.class == Class::"write" && ip("10.0.0.1").isLoopback() };',
  },
];
type CallOf = Parameters<typeof decideCall>[1]['context'] & { args: ArgumentFacts };
const people = fc
  .array(
    fc.subarray(groups).map((of) => person('P', ...of)),
    { minLength: 2, maxLength: 8 },
  )
  .map((p) => [ada, ...p]);

test('many people are told of many tools what the engine says of each alone, by rules and by what experts write', () => {
  let seen = 0;
  fc.assert(
    fc.property(fc.array(someRule, { maxLength: 8 }), fc.constantFrom(...experts), people, (rules, more, everybody) => {
      const set = policySet(org, rules, more);
      const outlook = outlookOn(set);
      const told = new Map<string, unknown>();
      for (const tool of tools)
        for (const who of everybody) {
          const [view, applies] = [outlook.view(tool), outlook.applies(who)];
          const held = standingOf(set, who, tool);
          assert.deepEqual(outlook.held(view, applies, who), held);
          // Whoever has the same key has the same.
          const key = `${tool.connector} ${view.key}\n${outlook.key(view, applies, who)}`;
          if (told.has(key)) {
            assert.deepEqual(told.get(key), held);
            seen++;
          }
          told.set(key, held);
        }
    }),
    { numRuns: 500, seed: 41 },
  );
  assert.ok(seen > 1000, `only ${seen} alike`);
});

test('what is said to be always so is so for every call, and what is said to be never so for none', () => {
  const call = fc.record({
    surface: fc.constantFrom(...surfaces),
    device: fc.constantFrom(...devices),
    now: fc.record({ weekday: fc.integer({ min: 1, max: 7 }), minute: fc.integer({ min: 0, max: 1439 }) }),
    args: fc.constantFrom({}, { path: '/Reports/a', path_folded: '/reports/a' }, { path: '/x', path_folded: '/x' }),
  });
  const outcome = (set: PolicySet, who: Person, tool: CataloguedTool, { args, ...context }: CallOf) =>
    decideCall(set, { ...who, tool, context }, [args]).outcome;
  fc.assert(
    fc.property(
      fc.array(someRule, { maxLength: 6 }),
      people,
      fc.array(call, { minLength: 4, maxLength: 4 }),
      (rules, everybody, calls) => {
        const set = policySet(org, rules);
        for (const who of everybody)
          for (const tool of tools) {
            const { standing } = standingOf(set, who, tool);
            if (standing === 'sometimes') continue;
            for (const c of calls) assert.equal(outcome(set, who, tool, c), standing);
          }
      },
    ),
    { numRuns: 150, seed: 42 },
  );
});
