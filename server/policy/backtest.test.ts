import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId, type Id } from '#kernel/id.ts';
import { Backtest, type Report } from './backtest.ts';
import { decideByWasm } from './cedar.ts';
import { ask, decidedCall, MAX_ASKED_BYTES, type Answer, type AskedCall } from './decided-call.ts';
import type { RecordedCall } from './decided-call.sql.ts';
import { factsOf, policySet, type PolicySet } from './decide.ts';
import type { Rule, RuleDraft } from './rule.ts';
import { surfaces, toolClasses } from './schema.ts';

const org = newId('org');
const [ada, eve] = [newId('usr'), newId('usr')];
const [sales, leads] = [newId('grp'), newId('grp')];
const [crm, mail] = [newId('con'), newId('con')];
/** A draft in short; the whole form is in decided-call.test.ts. */
type Change = { add: readonly (RuleDraft | Rule)[]; remove: readonly string[]; cedar: Record<string, string> };
const unchanged: Change = { add: [], remove: [], cedar: {} };
function changed(set: PolicySet, { add, remove, cedar }: Change): PolicySet {
  const rules = [...set.rules.values()];
  const experts = Object.fromEntries(Object.entries(set.policies).filter(([id]) => /^e\d$/.test(id)));
  const added = add.map((r): Rule => ({ ...r, id: newId('rul') }));
  return policySet(org, [...rules.filter((r) => !remove.includes(r.id)), ...added], { ...experts, ...cedar });
}
const now = new Date('2026-11-20T12:00:00Z');

let n = 0;
const rule = (over: object = {}): Rule => ({
  id: newId('rul'),
  name: `rule ${n++}`,
  who: { kind: 'group', group: sales },
  connector: crm,
  tools: { classes: ['read'] },
  effect: 'allow',
  asks: 'never',
  ...over,
});

const asked = (over: Partial<AskedCall> = {}): AskedCall => ({
  user: ada,
  groups: [sales],
  tool: { connector: crm, name: 'list_deals', class: 'read' },
  context: { surface: 'mcp', device: 'unknown', now: { weekday: 3, minute: 720 } },
  args: [{}],
  ...over,
});

/** The row of a call that was decided by this set. */
function recorded(set: PolicySet, question: AskedCall, over: Partial<RecordedCall> = {}): RecordedCall {
  const kept = decidedCall(question, ask(set, question));
  return {
    id: newId('tcl'),
    user: question.user,
    connector: question.tool.connector,
    tool: question.tool.name,
    at: now,
    outcome: kept.answer === 'allowed' ? 'answered' : kept.answer === 'asks' ? 'held' : 'denied',
    why: kept.answer === 'denied' ? 'policy' : null,
    answer: kept.answer,
    asked: kept.asked,
    ...over,
  };
}

function backtest(set: PolicySet, draft: Change, calls: readonly RecordedCall[]): Report {
  const b = new Backtest(set, changed(set, draft));
  for (const c of calls) b.add(c);
  return b.report();
}

test('a stricter rule is said to stop the calls that ran, with the rule, the tool, the person and examples', () => {
  const set = policySet(org, [rule({ tools: { classes: ['read', 'write'] } })]);
  const write = asked({ tool: { connector: crm, name: 'update_deal', class: 'write' } });
  const calls = [recorded(set, asked()), recorded(set, write), recorded(set, { ...write, user: eve })];
  const strict: Change = {
    ...unchanged,
    add: [
      {
        name: 'nobody writes',
        who: { kind: 'everyone' },
        connector: crm,
        tools: { classes: ['write'] },
        effect: 'forbid',
      },
    ],
  };
  const r = backtest(set, strict, calls);
  assert.deepEqual([r.calls, r.same, r.changed], [3, 1, 2]);
  const [change] = r.changes;
  assert.deepEqual([change?.from, change?.to, change?.calls, change?.ran], ['allowed', 'denied', 2, 2]);
  assert.deepEqual(
    change?.examples.map((e) => [e.call, e.user, e.tool, e.outcome]),
    calls.slice(1).map((c) => [c.id, c.user, 'update_deal', 'answered']),
  );
  assert.deepEqual(
    r.policies.items.map((p) => [p.name, p.words, p.calls]),
    [['nobody writes', 'everyone may not use write tools', 2]],
  );
  assert.deepEqual(
    r.tools.items.map((t) => [t.connector, t.tool, t.calls]),
    [[crm, 'update_deal', 2]],
  );
  assert.deepEqual(
    new Map(r.people.items.map((p) => [p.user, p.calls])),
    new Map([
      [ada, 1],
      [eve, 1],
    ]),
  );
});

test('a rule that is taken out is named as what made the difference, and a wider one as what lets calls run', () => {
  const only = rule();
  const set = policySet(org, [only]);
  const lost = backtest(set, { ...unchanged, remove: [only.id] }, [recorded(set, asked())]);
  assert.deepEqual([lost.changes[0]?.to, lost.policies.items[0]?.policy], ['denied', only.id]);
  const none = policySet(org, []);
  const wider: Change = { ...unchanged, cedar: { expert: 'permit(principal, action, resource);' } };
  const won = backtest(none, wider, [recorded(none, asked())]);
  assert.deepEqual(
    [won.changes[0]?.from, won.changes[0]?.to, won.changes[0]?.ran, won.policies.items[0]?.policy],
    ['denied', 'allowed', 0, 'expert'],
  );
});

test('a rule that asks from now on is told apart from one that forbids', () => {
  const free = rule();
  const set = policySet(org, [free]);
  const { id: _, ...draft } = rule({ asks: 'always' });
  const r = backtest(set, { ...unchanged, remove: [free.id], add: [draft] }, [recorded(set, asked())]);
  assert.deepEqual([r.changes[0]?.from, r.changes[0]?.to], ['allowed', 'asks']);
});

test('a rule about an argument is tried on the arguments that the calls had', () => {
  const set = policySet(org, [rule()]);
  const to = (domain: string): RecordedCall => recorded(set, asked({ args: [{ recipient_domain: domain }] }));
  const r = backtest(
    set,
    {
      ...unchanged,
      cedar: {
        inside:
          'forbid(principal, action, resource) when { context.args has recipient_domain && context.args.recipient_domain != "ours.example" };',
      },
    },
    [
      to('ours.example'),
      to('theirs.example'),
      recorded(set, asked({ args: [{ recipient_domain: 'ours.example' }, { recipient_domain: 'x.example' }] })),
    ],
  );
  assert.deepEqual([r.same, r.changed], [1, 2]);
});

test('what is not known is counted as not known, and what policy was never asked is counted apart', () => {
  const set = policySet(org, [rule()]);
  const big = asked({ args: [{ text: 'x'.repeat(MAX_ASKED_BYTES) }] });
  const calls = [
    recorded(set, big),
    recorded(set, asked(), { answer: null, asked: null, outcome: 'lost' }),
    recorded(set, asked(), { answer: null, asked: null, outcome: 'denied', why: 'policy' }),
    recorded(set, asked(), { answer: null, asked: null, outcome: 'denied', why: 'unknown_tool' }),
    recorded(set, asked(), { asked: '{"groups":"not a list"}' }),
  ];
  assert.equal(calls[0]?.asked, null);
  const r = backtest(set, { ...unchanged, cedar: { all: 'permit(principal, action, resource);' } }, calls);
  assert.deepEqual(r.unknown, { truncated: 1, not_kept: 2, failed: 1 });
  assert.deepEqual([r.calls, r.notAsked, r.same, r.changed], [5, 1, 0, 0]);
});

test('of many changes of one kind, all are counted and twenty are shown', () => {
  const set = policySet(org, [rule()]);
  const r = backtest(
    set,
    { ...unchanged, cedar: { no: 'forbid(principal, action, resource);' } },
    Array.from({ length: 50 }, () => recorded(set, asked())),
  );
  assert.deepEqual([r.changes[0]?.calls, r.changes[0]?.examples.length], [50, 20]);
});

const anyRule = fc
  .record({
    who: fc.constantFrom(
      { kind: 'everyone' } as const,
      { kind: 'group', group: sales } as const,
      { kind: 'group', group: leads } as const,
      { kind: 'user', user: ada } as const,
    ),
    connector: fc.constantFrom(crm, mail, 'any' as const),
    tools: fc.subarray([...toolClasses], { minLength: 1 }).map((classes) => ({ classes })),
    does: fc.constantFrom(
      { effect: 'allow', asks: 'never' } as const,
      { effect: 'allow', asks: 'always' } as const,
      { effect: 'forbid' } as const,
    ),
  })
  .map(({ does, ...r }) => rule({ ...r, ...does, ...(does.effect === 'forbid' ? { asks: undefined } : {}) }));
const anyExpert = fc.constantFrom(
  'forbid(principal, action, resource) when { context.args has folder && context.args.folder like "/secret*" };',
  'permit(principal, action, resource) when { context.args has recipient_domain && context.args.recipient_domain == "ours.example" };',
  'forbid(principal, action == Action::"call_unattended", resource) when { context.args has amount && context.args.amount > 100 };',
  'forbid(principal, action, resource) when { context.now.minute * 9223372036854775807 > 1 && context.surface == Surface::"api" };',
  'permit(principal, action, resource) when { context.device == Device::"managed" };',
);
const anyArgs = fc.record(
  {
    folder: fc.constantFrom('/secret/a', '/open'),
    recipient_domain: fc.constantFrom('ours.example', 'x.example'),
    amount: fc.constantFrom(1, 1000),
  },
  { requiredKeys: [] },
);
const anyCall: fc.Arbitrary<AskedCall> = fc.record({
  user: fc.constantFrom(ada, eve),
  groups: fc.subarray([sales, leads]),
  tool: fc.record({
    connector: fc.constantFrom(crm, mail),
    name: fc.constantFrom('a', 'b'),
    class: fc.constantFrom(...toolClasses),
  }),
  context: fc.record({
    surface: fc.constantFrom(...surfaces),
    device: fc.constantFrom('managed' as const, 'unknown' as const),
    now: fc.record({ weekday: fc.integer({ min: 1, max: 7 }), minute: fc.integer({ min: 0, max: 1439 }) }),
  }),
  args: fc.array(anyArgs, { minLength: 1, maxLength: 3 }),
});
const anySet = fc
  .record({ rules: fc.array(anyRule, { maxLength: 5 }), experts: fc.array(anyExpert, { maxLength: 2 }) })
  .map(({ rules, experts }) => policySet(org, rules, Object.fromEntries(experts.map((e, i) => [`e${i}`, e]))));

test('a backtest of the policies as they are changes nothing', () => {
  fc.assert(
    fc.property(anySet, fc.array(anyCall, { minLength: 1, maxLength: 20 }), (set, calls) => {
      const r = backtest(
        set,
        unchanged,
        calls.map((c) => recorded(set, c)),
      );
      assert.deepEqual([r.calls, r.same, r.changed, r.changes], [calls.length, calls.length, 0, []]);
      assert.equal(r.draft, r.now);
    }),
    { numRuns: 300 },
  );
});

/** What cedar-wasm says, by the definition of the three answers. */
function oracle(set: PolicySet, { args, ...call }: AskedCall): Answer {
  const says = (action: 'call' | 'call_unattended'): boolean =>
    args.every(
      (a) =>
        decideByWasm(set.policies, factsOf(org, { ...call, action, context: { ...call.context, args: a } })).allowed,
    );
  return says('call') ? (says('call_unattended') ? 'allowed' : 'asks') : 'denied';
}

test('a backtest of any draft counts exactly what cedar-wasm says before and after', () => {
  const seen = { same: 0, changed: 0 };
  fc.assert(
    fc.property(
      anySet,
      fc.record({ add: fc.array(anyRule, { maxLength: 2 }), drop: fc.nat(), cedar: fc.option(anyExpert) }),
      fc.array(anyCall, { minLength: 4, maxLength: 12 }),
      (set, d, calls) => {
        const ids: Id<'rul'>[] = [...set.rules.keys()];
        const draft: Change = {
          add: d.add,
          remove: ids.length > 0 && d.drop % 2 === 0 ? [ids[d.drop % ids.length]!] : [],
          cedar: d.cedar === null ? {} : { e0: d.cedar },
        };
        const after = changed(set, draft);
        const expected = new Map<string, number>();
        for (const c of calls) {
          const key = `${oracle(set, c)} ${oracle(after, c)}`;
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
        const r = backtest(
          set,
          draft,
          calls.map((c) => recorded(set, c)),
        );
        const differ = [...expected].filter(([k]) => k.split(' ')[0] !== k.split(' ')[1]);
        assert.deepEqual(new Map(r.changes.map((c) => [`${c.from} ${c.to}`, c.calls])), new Map(differ));
        seen.same += r.same;
        seen.changed += r.changed;
      },
    ),
    { numRuns: 200 },
  );
  // A draft that never mattered would agree about nothing.
  assert.ok(seen.changed > 100 && seen.same > 100, JSON.stringify(seen));
});

test('what would end differently is counted by day, in order', () => {
  const set = policySet(org, [rule()]);
  const at = (day: string) => recorded(set, asked(), { at: new Date(`2026-11-${day}T23:59:59.999Z`) });
  const nobody: Change = { ...unchanged, remove: [...set.rules.keys()] };
  assert.deepEqual(backtest(set, nobody, [at('20'), at('18'), at('20')]).days, [
    { day: '2026-11-18', from: 'allowed', to: 'denied', calls: 1 },
    { day: '2026-11-20', from: 'allowed', to: 'denied', calls: 2 },
  ]);
});
