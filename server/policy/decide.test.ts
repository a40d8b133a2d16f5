import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId } from '#kernel/id.ts';
import { because, explain } from './because.ts';
import { checkPolicies, decideByWasm, policyJson, policyText, type Policies } from './cedar.ts';
import type { ArgumentFacts } from './argument.ts';
import { couldCall, decide, decideApproval, decideCall, factsOf, policySet } from './decide.ts';
import { MAX_RULES, policiesOf, type Rule } from './rule.ts';
import { devices, questions, surfaces, toolClasses, type PolicyRequest, type ToolClass } from './schema.ts';

const atNoon = { surface: 'mcp', device: 'unknown', now: { weekday: 3, minute: 720 }, args: {} } as const;
const org = newId('org');
const [crm, drive] = [newId('con'), newId('con')];
const [sales, leads, support] = [newId('grp'), newId('grp'), newId('grp')];
const [ada, bob, eve] = [newId('usr'), newId('usr'), newId('usr')];

const rule = (name: string, over: Partial<Rule>): Rule => ({
  id: newId('rul'),
  name,
  who: { kind: 'everyone' },
  connector: crm,
  tools: { classes: ['read'] },
  effect: 'allow',
  asks: 'never',
  ...(over as object),
});
const may = (
  rules: readonly Rule[],
  over: Partial<Omit<PolicyRequest, 'action' | 'context' | 'tool'>> & { klass?: ToolClass; tool?: string },
) => ({
  rules: policySet(org, rules),
  request: {
    user: ada,
    groups: [],
    ...over,
    tool: { connector: crm, name: over.tool ?? 'list_deals', class: over.klass ?? 'read' },
    action: 'call',
    context: atNoon,
  } as PolicyRequest & { action: 'call' },
});
const asked = (
  rules: readonly Rule[],
  over: Parameters<typeof may>[1],
  action: 'call' | 'call_unattended' = 'call',
) => {
  const m = may(rules, over);
  return decide(m.rules, { ...m.request, action });
};

const readers = rule('Sales may read CRM', { who: { kind: 'group', group: sales, name: 'Sales' } });
const writers = rule('Sales leads may write CRM', {
  who: { kind: 'group', group: leads },
  tools: { classes: ['read', 'write'] },
});
const nobody = rule('Nobody deletes', { connector: 'any', tools: { classes: ['destructive'] }, effect: 'forbid' });
const deleters = rule('Leads may do anything', {
  who: { kind: 'group', group: leads },
  tools: { classes: [...toolClasses] },
});
const careful = rule('Support may write, asking', {
  who: { kind: 'group', group: support },
  tools: { classes: ['write'] },
  effect: 'allow',
  asks: 'always',
});

test('without a rule nothing is allowed', () => {
  assert.equal(asked([], {}).allowed, false);
});

test('a rule for a group allows its members and nobody else', () => {
  assert.equal(asked([readers], { groups: [sales] }).allowed, true);
  assert.equal(asked([readers], { groups: [leads] }).allowed, false);
});

test('a rule for a person allows that person only', () => {
  const own = rule('Ada reads', { who: { kind: 'user', user: ada } });
  assert.equal(asked([own], { user: ada }).allowed, true);
  assert.equal(asked([own], { user: bob }).allowed, false);
});

test('a rule for one connector says nothing about a tool of the same name in another', () => {
  const named = rule('List', { tools: { names: ['list_deals'] } });
  const there = may([named], {});
  const elsewhere = { ...there.request, tool: { connector: drive, name: 'list_deals', class: 'read' as const } };
  assert.equal(decide(there.rules, there.request).allowed, true);
  assert.equal(decide(there.rules, elsewhere).allowed, false);
});

test('a forbid wins over every allow, and the decision names it', () => {
  const d = asked([deleters, nobody], { groups: [leads], klass: 'destructive' });
  assert.deepEqual([d.allowed, d.reasons], [false, [nobody.id]]);
});

test('what always asks may be called, but not unattended', () => {
  assert.equal(asked([careful], { groups: [support], klass: 'write' }).allowed, true);
  assert.equal(asked([careful], { groups: [support], klass: 'write' }, 'call_unattended').allowed, false);
});

test('who approves is somebody whose role may decide, and never the one who asked', () => {
  const set = policySet(org, [careful]);
  const approve = (approver: typeof ada, mayDecide: boolean, klass: ToolClass = 'write') =>
    decide(set, {
      user: approver,
      groups: [],
      tool: { connector: crm, name: 'update_deal', class: klass },
      action: 'approve',
      context: {
        ...atNoon,
        surface: 'portal',
        fresh: false,
        isManager: false,
        mayDecide,
        requester: { user: ada, groups: [support] },
        asked: atNoon,
      },
    }).allowed;
  assert.equal(approve(bob, true), true);
  assert.equal(approve(ada, true), false);
  assert.equal(approve(bob, false), false);
  assert.equal(approve(bob, true, 'destructive'), false);
});

test('the version of a policy set is that of its content: the same rules in any order, another when one differs', () => {
  assert.equal(policySet(org, [readers, writers]).version, policySet(org, [writers, readers]).version);
  assert.notEqual(
    policySet(org, [readers]).version,
    policySet(org, [{ ...readers, tools: { classes: ['write'] } }]).version,
  );
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"); permit(principal, action, resource); //', '\\', '\u2028', '@id("x")', '${x}', '*'),
);
const anyRule = fc
  .record({
    name: text,
    who: fc.constantFrom<Rule['who'][]>(
      { kind: 'everyone' },
      { kind: 'group', group: sales },
      { kind: 'group', group: leads },
      { kind: 'user', user: ada },
    ),
    connector: fc.constantFrom<Rule['connector'][]>(crm, drive, 'any'),
    tools: fc.oneof(
      fc.subarray([...toolClasses], { minLength: 1 }).map((classes) => ({ classes })),
      fc.array(fc.oneof(text, fc.constant('list_deals')), { minLength: 1, maxLength: 3 }).map((names) => ({ names })),
    ),
    does: fc.constantFrom<({ effect: 'allow'; asks: 'never' | 'always' } | { effect: 'ask' | 'forbid' })[]>(
      { effect: 'ask' },
      { effect: 'allow', asks: 'never' },
      { effect: 'allow', asks: 'always' },
      { effect: 'forbid' },
    ),
  })
  .map(({ does, ...r }): Rule => ({ id: newId('rul'), ...r, ...does }));

test('every rule, whatever its names, becomes policies that fit the schema strictly and that no name in it can change', () => {
  fc.assert(
    fc.property(anyRule, (r) => {
      const policies = policiesOf(r, org);
      checkPolicies(policies);
      for (const [id, json] of Object.entries(policies)) {
        const back = policyJson(policyText(json));
        assert.deepEqual(back.annotations, { id, name: r.name });
        assert.deepEqual(
          [back.effect, back.principal, back.action, back.resource],
          [json.effect, json.principal, json.action, json.resource],
        );
        if ('names' in r.tools)
          assert.deepEqual(
            JSON.parse(JSON.stringify(back.conditions[0])),
            JSON.parse(JSON.stringify(json.conditions[0])),
          );
      }
    }),
    { numRuns: 300, seed: 11 },
  );
});

const paths = ['/Reports/Q4.xlsx', '/reports/q4.xlsx', '/Reports', '/Secret/a*b', '/'];
const anyFacts: fc.Arbitrary<ArgumentFacts> = fc.record(
  {
    path: fc.constantFrom(...paths),
    path_folded: fc.constantFrom(...paths.map((p) => p.toLowerCase())),
    repository: fc.constantFrom('acme/site', 'acme/secret'),
    recipient: fc.constantFrom('bob@acme.example', 'eve@evil.example'),
    recipient_domain: fc.constantFrom('acme.example', 'evil.example'),
    amount: fc.constantFrom(0, 99, 100, 101),
  },
  { requiredKeys: [] },
);

test('cedar-wasm decides every rule and request as we do', () => {
  const request = fc.record({
    user: fc.constantFrom(ada, bob),
    groups: fc.subarray([sales, leads, support]),
    connector: fc.constantFrom(crm, drive),
    name: fc.constantFrom('list_deals', 'other'),
    klass: fc.constantFrom(...toolClasses),
    action: fc.constantFrom(...questions),
    surface: fc.constantFrom(...surfaces),
    device: fc.constantFrom(...devices),
    now: fc.record({ weekday: fc.integer({ min: 1, max: 7 }), minute: fc.integer({ min: 0, max: 1439 }) }),
    args: anyFacts,
    fresh: fc.boolean(),
    isManager: fc.boolean(),
    mayDecide: fc.boolean(),
    requester: fc.constantFrom(ada, eve),
  });
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 6 }),
      fc.array(request, { minLength: 4, maxLength: 4 }),
      (rules, requests) => {
        const set = policySet(org, rules);
        const policies: Policies = set.policies;
        for (const q of requests) {
          const moment = { surface: q.surface, device: q.device, now: q.now, args: q.args };
          const base = {
            user: q.user,
            groups: q.groups,
            tool: { connector: q.connector, name: q.name, class: q.klass },
          };
          const r: PolicyRequest =
            q.action === 'approve'
              ? {
                  ...base,
                  action: q.action,
                  context: {
                    ...moment,
                    fresh: q.fresh,
                    isManager: q.isManager,
                    mayDecide: q.mayDecide,
                    requester: { user: q.requester, groups: [] },
                    asked: { ...moment, surface: 'mcp' },
                  },
                }
              : { ...base, action: q.action, context: moment };
          const ours = decide(set, r);
          const theirs = decideByWasm(policies, factsOf(org, r));
          assert.deepEqual({ allowed: ours.allowed, reasons: ours.reasons, errors: ours.errors }, theirs);
          assert.equal(ours.engine, 'compiled');
        }
      },
    ),
    { numRuns: 1000, seed: 12 },
  );
});

const invalid: readonly [what: string, policy: string, says: RegExp][] = [
  [
    'a class that does not exist',
    'permit(principal, action == Action::"call", resource) when { resource.class == Class::"wirte" };',
    /wirte/,
  ],
  ['an attribute that does not exist', 'permit(principal, action, resource) when { resource.nmae == "x" };', /nmae/],
  ['an action that does not exist', 'permit(principal, action == Action::"cal", resource);', /cal/],
  ['a comparison of different kinds', 'permit(principal, action, resource) when { resource.name == 1 };', /type/],
  [
    'two policies in one',
    'permit(principal, action, resource); permit(principal, action, resource);',
    /unexpected token/,
  ],
  ['half a policy', 'permit(principal, ', /unexpected end/],
];
for (const [what, policy, says] of invalid)
  test(`a policy with ${what} is refused before it is kept`, () => {
    assert.throws(
      () => checkPolicies({ p: policy }),
      (e: Error & { code?: string; says?: string }) => {
        assert.equal(e.code, 'policy/not-valid');
        assert.match(e.says ?? '', says);
        return true;
      },
    );
  });

test('what is no policy cannot be shown as one', () => {
  assert.throws(() => policyText('permit('), { code: 'policy/not-printable' });
});

const told: readonly [what: string, rules: Rule[], over: Parameters<typeof may>[1], says: string][] = [
  [
    'somebody whom no rule comes close to',
    [readers],
    { groups: [support], klass: 'write', tool: 'update_deal' },
    'no rule lets you use update_deal (write)',
  ],
  ['an empty policy', [], { klass: 'write', tool: 'update_deal' }, 'no rule lets you use update_deal (write)'],
  [
    'a reader who writes',
    [writers, readers],
    { groups: [sales], klass: 'write', tool: 'update_deal' },
    'no rule lets you use update_deal (write); rules that come close: "Sales may read CRM", "Sales leads may write CRM"',
  ],
  [
    'a forbidden call',
    [deleters, nobody],
    { groups: [leads], klass: 'destructive', tool: 'delete_deal' },
    'the rule "Nobody deletes" does not let you use delete_deal (destructive)',
  ],
  ['an allowed call', [readers], { groups: [sales] }, 'the rule "Sales may read CRM" lets you use list_deals (read)'],
];
for (const [what, rules, over, says] of told)
  test(`${what} is told: ${says}`, () => {
    const m = may(rules, over);
    assert.equal(because(decide(m.rules, m.request), m.rules), says);
  });

test('a refusal tells of a policy that could not be evaluated', () => {
  const set = policySet(org, [], { expert: 'permit(principal, action, resource) when { resource.size + 1 > 2 };' });
  const d = decide(set, may([], {}).request);
  assert.equal(because(d, set), 'no rule lets you use list_deals (read); not counted because of an error: "expert"');
});

test('explain says that a call waits for a yes, through which group, and by which rule', () => {
  const m = may([careful, readers], { groups: [support], klass: 'write' });
  const e = explain(m.rules, { ...m.request, args: [{}] });
  assert.equal(e.outcome, 'asks');
  assert.equal(e.says, 'the rule "Support may write, asking" lets you use list_deals (write), after somebody agrees');
  assert.deepEqual(
    e.rules.map((r) => [r.rule, r.through]),
    [[careful.id, support]],
  );
});

test('explain of a call that one rule lets run and another makes wait names both', () => {
  const waits = rule('Reading waits', { who: { kind: 'everyone' }, effect: 'ask' });
  const m = may([readers, waits], { groups: [sales] });
  const e = explain(m.rules, { ...m.request, args: [{}] });
  assert.equal(e.outcome, 'asks');
  assert.deepEqual(e.rules.map((r) => r.name).sort(), ['Reading waits', 'Sales may read CRM']);
});

test('explain tells a refused person which rules come close and what differs', () => {
  const m = may([readers, writers], { groups: [sales], klass: 'write' });
  const e = explain(m.rules, { ...m.request, args: [{}] });
  assert.equal(e.outcome, 'denied');
  assert.deepEqual(
    e.close.map((c) => [c.name, c.differs]),
    [
      ['Sales may read CRM', 'tool'],
      ['Sales leads may write CRM', 'who'],
    ],
  );
});

test(`${MAX_RULES} rules compile without help from cedar-wasm`, () => {
  const many = Array.from({ length: MAX_RULES }, (_, i) => rule(`r${i}`, { who: { kind: 'group', group: sales } }));
  assert.deepEqual(policySet(org, many).program.lacks, []);
});

const reads = { classes: ['read'] } as const;
const outside =
  'forbid(principal, action, resource) when { context.args has recipient_domain && context.args.recipient_domain != "acme.example" };';
const call = (set: ReturnType<typeof policySet>, combinations: readonly ArgumentFacts[], groups = [sales]) =>
  decideCall(
    set,
    { user: ada, groups, tool: { connector: crm, name: 'list_deals', class: 'read' }, context: atNoon },
    combinations,
  );

test('a call is allowed only if every combination of its arguments is, and one that is forbidden forbids it', () => {
  const set = policySet(org, [rule('All', { tools: reads })], { outside });
  const [us, them] = [{ recipient_domain: 'acme.example' }, { recipient_domain: 'evil.example' }];
  assert.equal(call(set, [us]).outcome, 'allowed');
  const both = call(set, [us, them]);
  assert.deepEqual([both.outcome, both.reasons], ['denied', ['outside']]);
  assert.deepEqual(both.telling.request.context, { ...atNoon, args: them });
});

test('each combination may be permitted by another policy, and a call asks if one of them does', () => {
  const permit = (path: string, action: string) =>
    `permit(principal, ${action}, resource) when { context.args has path && context.args.path like "${path}" };`;
  const set = policySet(org, [], {
    a: permit('/a/*', 'action'),
    b: permit('/b/*', 'action == Action::"call"'),
  });
  assert.deepEqual(call(set, [{ path: '/a/1' }, { path: '/a/2' }]).reasons, ['a']);
  const d = call(set, [{ path: '/a/1' }, { path: '/b/1' }]);
  assert.deepEqual([d.outcome, d.reasons, d.telling.reasons], ['asks', ['a', 'b'], ['b']]);
  assert.equal(call(set, [{ path: '/a/1' }, { path: '/c' }]).outcome, 'denied');
});

test('a call about which nothing is known is decided without any argument', () => {
  const set = policySet(org, [], { a: 'permit(principal, action, resource) when { !(context.args has path) };' });
  assert.equal(call(set, []).outcome, 'allowed');
  assert.equal(call(policySet(org, []), []).outcome, 'denied');
});

test('a tool is shown where some arguments could be allowed, and not where none could', () => {
  const show = (more: Policies) =>
    couldCall(policySet(org, [], more), {
      user: ada,
      groups: [],
      tool: { connector: crm, name: 'list_deals', class: 'read' },
      context: atNoon,
    });
  const some = 'permit(principal, action, resource) when { context.args has path && context.args.path like "/a/*" };';
  assert.equal(show({ some }), true);
  assert.equal(show({ some, outside }), true);
  assert.equal(show({ outside }), false);
  assert.equal(show({ some, never: 'forbid(principal, action, resource);' }), false);
  assert.equal(
    show({
      other: `permit(principal, action, resource) when { resource.class == Class::"write" && context.args has path };`,
    }),
    false,
  );
  const address =
    'permit(principal, action, resource) when { context.args has path && ip(context.args.path).isLoopback() };';
  assert.equal(show({ address }), true);
});

test('a yes needs a permit for every combination of the arguments of the call that waits', () => {
  const set = policySet(org, [], {
    small:
      'permit(principal, action == Action::"approve", resource) when { context.args has amount && context.args.amount < 100 };',
  });
  const yes = (combinations: readonly ArgumentFacts[]) =>
    decideApproval(
      set,
      {
        user: bob,
        groups: [],
        tool: { connector: crm, name: 'pay', class: 'write' },
        context: {
          ...atNoon,
          fresh: false,
          isManager: false,
          mayDecide: true,
          requester: { user: ada, groups: [] },
          asked: atNoon,
        },
      },
      combinations,
    ).allowed;
  assert.deepEqual([yes([{ amount: 1 }]), yes([{ amount: 1 }, { amount: 100 }]), yes([])], [true, false, false]);
});
