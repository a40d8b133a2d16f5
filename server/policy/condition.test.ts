import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newId } from '#kernel/id.ts';
import { project, type ArgumentFacts, type ArgumentKind } from './argument.ts';
import { checkPolicies, decideByWasm, policyJson, policyText } from './cedar.ts';
import { Condition, MAX_CONDITIONS, wordsOfCondition, type ConditionInput } from './condition.ts';
import { decide, decideApproval, decideCall, factsOf, policySet, type ApproveRequest } from './decide.ts';
import { globbed, wrongGlob, type Globbed } from './glob.ts';
import { policiesOf, wordsOf, type Rule } from './rule.ts';
import type { Approvers } from './approvers.ts';
import type { Moment, PolicyRequest } from './schema.ts';

const org = newId('org');
const [crm, sales] = [newId('con'), newId('grp')];
const [ada, bob, eve] = [newId('usr'), newId('usr'), newId('usr')];
const noon: Moment = { surface: 'mcp', device: 'unknown', now: { weekday: 3, minute: 720 } };

const rule = (effect: 'allow' | 'forbid', ...when: ConditionInput[]): Rule => ({
  id: newId('rul'),
  name: effect,
  who: { kind: 'everyone' },
  connector: crm,
  tools: { classes: ['read', 'write', 'destructive'] },
  when: when.map((c) => Condition.parse(c)),
  ...(effect === 'allow' ? { effect, asks: 'never' } : { effect }),
});
const all = rule('allow');
const request = (args: ArgumentFacts, moment: Partial<Moment> = {}): PolicyRequest => ({
  user: ada,
  groups: [],
  tool: { connector: crm, name: 'do', class: 'write' },
  action: 'call',
  context: { ...noon, ...moment, args },
});
/** Whether the condition lets through as an allow, and whether it stops as a forbid. */
function both(c: ConditionInput, args: ArgumentFacts, moment: Partial<Moment> = {}) {
  const decided = (...rules: Rule[]) => {
    const set = policySet(org, rules);
    for (const r of rules) checkPolicies(policiesOf(r, org));
    const ours = decide(set, request(args, moment));
    const theirs = decideByWasm(set.policies, factsOf(org, request(args, moment)));
    assert.deepEqual(
      [ours.allowed, ours.reasons, ours.errors, ours.engine],
      [theirs.allowed, theirs.reasons, [], 'compiled'],
    );
    return ours.allowed;
  };
  return { lets: decided(rule('allow', c)), stops: !decided(all, rule('forbid', c)) };
}
const read = (kind: ArgumentKind, value: unknown): ArgumentFacts => {
  const p = project([{ kind, at: '/x' }], { x: value });
  assert.ok(p.kind === 'facts' && p.combinations[0]);
  return p.combinations[0];
};

const inReports = { argument: 'path', is: 'in', of: ['/Reports/*'] } as const;
const outsideReports = { ...inReports, is: 'not_in' } as const;
const cases: readonly [what: string, c: ConditionInput, args: ArgumentFacts, lets: boolean, stops: boolean][] = [
  ['a path in the folder', inReports, read('path', '/Reports/Q4.xlsx'), true, true],
  ['a path below the folder, spelt otherwise', inReports, read('path', 'Reports//./2026/Q4.xlsx'), true, true],
  ['a path elsewhere', inReports, read('path', '/Secret/Q4.xlsx'), false, false],
  [
    'a path with the folder’s name in another case: not let through, but stopped',
    inReports,
    read('path', '/REPORTS/Q4.xlsx'),
    false,
    true,
  ],
  ['the folder itself: not let through, but stopped', inReports, read('path', '/Reports/'), false, true],
  ['no path', inReports, {}, false, false],
  ['anything but a path in the folder: a path in it', outsideReports, read('path', '/Reports/a'), false, false],
  ['anything but a path in the folder: a path elsewhere', outsideReports, read('path', '/Secret/a'), true, true],
  [
    'anything but a path in the folder: one in another case is neither let through nor spared',
    outsideReports,
    read('path', '/REPORTS/a'),
    false,
    true,
  ],
  ['anything but a path in the folder: no path is not let through, and is stopped', outsideReports, {}, false, true],
  ['a file name anywhere', { argument: 'path', of: ['*.env'] }, read('path', '/app/.env'), true, true],
  [
    'a path without a slash at the front in the rule',
    { argument: 'path', of: ['Reports/*'] },
    read('path', '/Reports/a'),
    true,
    true,
  ],
  ['one path of several', { argument: 'path', of: ['/a', '/b'] }, read('path', 'b'), true, true],
  ['a folder', { argument: 'folder', of: ['Board'] }, read('folder', '/Board/'), true, true],
  ['a star that is meant as one', { argument: 'text', of: ['a\\*b'] }, { text: 'a*b' }, true, true],
  [
    'a star that is meant as one does not stand for others',
    { argument: 'text', of: ['a\\*b'] },
    { text: 'aXb' },
    false,
    false,
  ],
  ['a repository in any case', { argument: 'repository', of: ['Acme/*'] }, read('repository', 'ACME/site'), true, true],
  [
    'a channel with or without its sign',
    { argument: 'channel', of: ['#General'] },
    read('channel', 'general'),
    true,
    true,
  ],
  [
    'a recipient of a domain',
    { argument: 'recipient', of: ['*@Acme.example'] },
    read('recipient', 'Bob <bob@ACME.example>'),
    true,
    true,
  ],
  [
    'a recipient of a domain that only ends like it',
    { argument: 'recipient', of: ['*@acme.example'] },
    read('recipient', 'bob@evil-acme.example'),
    false,
    false,
  ],
  [
    'a recipient of a domain beyond ASCII',
    { argument: 'recipient', of: ['*@*.Bücher.example'] },
    read('recipient', 'a@mail.xn--bcher-kva.example'),
    true,
    true,
  ],
  [
    'a domain',
    { argument: 'recipient_domain', of: ['acme.example', '*.acme.example'] },
    read('recipient', 'a@eu.acme.example'),
    true,
    true,
  ],
  [
    'a recipient without a domain is outside every domain',
    { argument: 'recipient_domain', is: 'not_in', of: ['acme.example'] },
    read('recipient', 'bob'),
    false,
    true,
  ],
  [
    'the host of an address',
    { argument: 'url', of: ['*.acme.example'] },
    read('url', 'https://WWW.acme.example:444/x'),
    true,
    true,
  ],
  ['an amount at the limit', { amount: { atMost: 100 } }, read('amount', 100), true, true],
  ['an amount a little above the limit', { amount: { atMost: 100 } }, read('amount', 100.001), false, false],
  ['an amount from the limit on', { amount: { atLeast: 100 } }, read('amount', 99.5), true, true],
  ['an amount between', { amount: { atLeast: 10, atMost: 20 } }, read('amount', 21), false, false],
  ['no amount', { amount: { atLeast: 0 } }, {}, false, false],
];
for (const [what, c, args, lets, stops] of cases)
  test(`"${wordsOfCondition(Condition.parse(c))}" and ${what}`, () => assert.deepEqual(both(c, args), { lets, stops }));

const office = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '18:00' } as const;
const night = { days: ['fri'], from: '22:00', to: '06:00' } as const;
const moments: readonly [what: string, c: ConditionInput, moment: Partial<Moment>, is: boolean][] = [
  ['a surface that is named', { surface: ['mcp', 'desk'] }, { surface: 'desk' }, true],
  ['a surface that is not', { surface: ['mcp', 'desk'] }, { surface: 'api' }, false],
  ['all surfaces but one', { surface: ['dispatch'], is: 'not_in' }, { surface: 'dispatch' }, false],
  ['a managed device', { device: ['managed'] }, { device: 'managed' }, true],
  ['a device that nobody vouches for is not managed', { device: ['managed'] }, { device: 'unknown' }, false],
  [
    'a device that nobody vouches for is none of the managed',
    { device: ['managed'], is: 'not_in' },
    { device: 'unknown' },
    true,
  ],
  ['the first minute of office hours', { time: office }, { now: { weekday: 1, minute: 540 } }, true],
  ['the minute before', { time: office }, { now: { weekday: 1, minute: 539 } }, false],
  ['the minute at which they end', { time: office }, { now: { weekday: 5, minute: 1080 } }, false],
  ['Saturday', { time: office }, { now: { weekday: 6, minute: 600 } }, false],
  ['outside office hours', { time: office, is: 'not_in' }, { now: { weekday: 6, minute: 600 } }, true],
  ['Friday night', { time: night }, { now: { weekday: 5, minute: 1320 } }, true],
  ['the Saturday morning of Friday night', { time: night }, { now: { weekday: 6, minute: 359 } }, true],
  ['the Friday morning before', { time: night }, { now: { weekday: 5, minute: 359 } }, false],
  [
    'the Monday morning of Sunday night',
    { time: { ...night, days: ['sun'] } },
    { now: { weekday: 1, minute: 0 } },
    true,
  ],
  [
    'the whole day',
    { time: { days: ['tue'], from: '00:00', to: '24:00' } },
    { now: { weekday: 2, minute: 1439 } },
    true,
  ],
];
for (const [what, c, moment, is] of moments)
  test(`"${wordsOfCondition(Condition.parse(c))}" ${is ? 'holds' : 'does not hold'}: ${what}`, () =>
    assert.deepEqual(both(c, {}, moment), { lets: is, stops: is }));

test('all conditions of a rule must hold', () => {
  const r = rule('allow', inReports, { amount: { atMost: 10 } }, { surface: ['mcp'] });
  const may = (args: ArgumentFacts) => decide(policySet(org, [r]), request(args)).allowed;
  const [path, amount] = [read('path', '/Reports/a'), read('amount', 10)];
  assert.deepEqual([may({ ...path, ...amount }), may(path), may(amount)], [true, false, false]);
});

const bad: readonly [what: string, c: unknown][] = [
  ['an unknown argument', { argument: 'subject', of: ['a'] }],
  ['no glob', { argument: 'path', of: [] }],
  ['a glob twice', { argument: 'path', of: ['/a', '/a'] }],
  ['an empty glob', { argument: 'path', of: [''] }],
  ['a path that leads up', { argument: 'path', of: ['/a/../b'] }],
  ['a path with a dot', { argument: 'path', of: ['/a/./b*'] }],
  ['a path with a backslash', { argument: 'path', of: ['a\\\\b'] }],
  ['a slash behind a star', { argument: 'folder', of: ['/a*/'] }],
  ['a backslash that escapes nothing', { argument: 'text', of: ['a\\b'] }],
  ['an invisible character', { argument: 'text', of: ['a\u200bb'] }],
  ['a glob that is too long', { argument: 'text', of: ['a'.repeat(301)] }],
  ['a star in a label beyond ASCII', { argument: 'url', of: ['büch*.example'] }],
  ['a recipient beyond ASCII without an @', { argument: 'recipient', of: ['*bücher.example'] }],
  ['an amount without a limit', { amount: {} }],
  ['an amount that cannot be', { amount: { atLeast: 2, atMost: 1 } }],
  ['an amount with a fraction', { amount: { atMost: 1.5 } }],
  ['a surface that does not exist', { surface: ['phone'] }],
  ['no device', { device: [] }],
  ['a day that does not exist', { time: { ...office, days: ['monday'] } }],
  ['a time that does not exist', { time: { ...office, to: '25:00' } }],
  ['a time that never is', { time: { ...office, to: '09:00' } }],
  ['something undeclared', { surface: ['mcp'], not: true }],
];
for (const [what, c] of bad)
  test(`a condition with ${what} is refused`, () => assert.equal(Condition.safeParse(c).success, false));

// The plainest reading of a glob, against which the compiled one is held.
const reference = (glob: string, text: string): boolean => {
  const source = [...glob.matchAll(/\\.|\*|[^\\*]+/gsu)]
    .map(([part]) =>
      part === '*' ? '[^]*' : (part.startsWith('\\') ? part.slice(1) : part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`, 'u').test(text);
};

test('a glob for text means what it says, whatever characters are in it, printed as Cedar and read again too', () => {
  const bits = fc.constantFrom(
    '*',
    '\\*',
    '\\\\',
    'a',
    'b',
    '"',
    "'",
    '?',
    '.',
    '%',
    '_',
    '[',
    '{',
    '$',
    '/',
    'é',
    '😀',
    ' ',
  );
  const globs = fc.array(bits, { minLength: 1, maxLength: 8 }).map((b) => b.join(''));
  const texts = fc.oneof(
    globs,
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.array(bits, { maxLength: 6 }).map((b) => b.join('').replaceAll('\\', '')),
  );
  let matched = 0;
  fc.assert(
    fc.property(globs, texts, fc.string({ maxLength: 3 }), (glob, other, filling) => {
      assert.equal(wrongGlob('text', glob), undefined);
      for (const text of [
        other,
        glob
          .replaceAll('\\*', '\u0001')
          .replaceAll('\\\\', '\u0002')
          .replaceAll('*', filling)
          .replaceAll('\u0001', '*')
          .replaceAll('\u0002', '\\'),
      ]) {
        const expected = reference(glob, text);
        if (expected) matched++;
        const r = rule('allow', { argument: 'text', of: [glob] });
        assert.equal(
          decide(policySet(org, [r]), request({ text })).allowed,
          expected,
          `${glob} on ${JSON.stringify(text)}`,
        );
        const printed = Object.values(policiesOf(r, org)).map((p) => policyJson(policyText(p)));
        assert.equal(decide(policySet(org, [], { p: printed[0]! }), request({ text })).allowed, expected);
      }
    }),
    { numRuns: 400, seed: 31 },
  );
  assert.ok(matched > 300, `only ${matched} matched`);
});

test('every condition, for or against, fits the schema strictly and never fails to evaluate', () => {
  const glob = (about: Globbed) => fc.string({ maxLength: 12 }).filter((g) => wrongGlob(about, g) === undefined);
  const condition: fc.Arbitrary<ConditionInput> = fc.oneof(
    fc.constantFrom(...globbed).chain((argument) =>
      fc.record({
        argument: fc.constant(argument),
        is: fc.constantFrom('in' as const, 'not_in' as const),
        of: fc.uniqueArray(glob(argument), { minLength: 1, maxLength: 50 }),
      }),
    ),
    fc.nat().map((atMost) => ({ amount: { atMost } })),
    fc.constantFrom<ConditionInput[]>(
      { device: ['managed'], is: 'not_in' },
      { surface: ['desk'] },
      { time: night },
      { time: office },
    ),
  );
  const facts = fc.record(
    {
      path: fc.string(),
      folder: fc.string(),
      repository: fc.string(),
      recipient: fc.string(),
      url_host: fc.string(),
      text: fc.string(),
      amount: fc.nat(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(condition, { maxLength: MAX_CONDITIONS }), fc.boolean(), facts, (when, allow, args) => {
      const r = rule(allow ? 'allow' : 'forbid', ...when);
      checkPolicies(policiesOf(r, org));
      assert.deepEqual(decide(policySet(org, [all, r]), request(args)).errors, []);
    }),
    { numRuns: 150, seed: 32 },
  );
});

const asking = (approvers: Approvers, ...when: ConditionInput[]): Rule => ({
  ...rule('allow', ...when),
  effect: 'allow',
  asks: 'always',
  approvers,
});
const anyone: Approvers = { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: false };
const yes = (
  over: Partial<ApproveRequest['context']> & { user?: typeof ada; groups?: (typeof sales)[] },
): ApproveRequest => ({
  user: over.user ?? bob,
  groups: over.groups ?? [],
  tool: { connector: crm, name: 'do', class: 'write' },
  context: {
    ...noon,
    surface: over.surface ?? 'portal',
    fresh: over.fresh ?? false,
    mayDecide: over.mayDecide ?? false,
    isManager: over.isManager ?? false,
    requester: { user: ada, groups: [] },
    asked: over.asked ?? noon,
  },
});
const approvers: readonly [a: Partial<Approvers>, over: Parameters<typeof yes>[0], may: boolean][] = [
  [{}, { mayDecide: true }, true],
  [{}, {}, false],
  [{}, { user: ada, mayDecide: true }, false],
  [{ secondPerson: false }, { user: ada, mayDecide: true }, true],
  [{ who: { kind: 'manager' } }, { isManager: true }, true],
  [{ who: { kind: 'manager' } }, { mayDecide: true }, false],
  [{ who: { kind: 'manager' } }, { user: ada, isManager: true }, false],
  [{ who: { kind: 'group', group: sales } }, { groups: [sales] }, true],
  [{ who: { kind: 'group', group: sales } }, { mayDecide: true }, false],
  [{ who: { kind: 'group', group: sales } }, { user: ada, groups: [sales] }, false],
  [{ who: { kind: 'user', user: eve } }, { user: eve }, true],
  [{ who: { kind: 'user', user: eve } }, { mayDecide: true }, false],
  [{ who: { kind: 'self' }, secondPerson: false }, { user: ada }, true],
  [{ who: { kind: 'self' }, secondPerson: false }, { mayDecide: true }, false],
  [{ surface: 'desktop_only' }, { mayDecide: true, surface: 'desk' }, true],
  [{ surface: 'desktop_only' }, { mayDecide: true, surface: 'dispatch' }, false],
  [{ surface: 'desktop_only' }, { mayDecide: true, surface: 'api' }, false],
  [{ fresh: true }, { mayDecide: true, fresh: true }, true],
  [{ fresh: true }, { mayDecide: true }, false],
];
for (const [a, over, may] of approvers) {
  const r = asking({ ...anyone, ...a });
  test(`"${wordsOf(r)}" lets ${JSON.stringify(over).replaceAll(ada, 'the asker').replaceAll(eve, 'Eve').replaceAll(sales, 'Sales')} say ${may ? 'yes' : 'nothing'}`, () => {
    checkPolicies(policiesOf(r, org));
    assert.equal(decideApproval(policySet(org, [r]), yes(over), [{}]).allowed, may);
  });
}

test('a rule that asks holds what another one lets run, for its own approvers, and allows nothing by itself', () => {
  const outside: Rule = {
    ...rule('allow', { argument: 'recipient_domain', is: 'not_in', of: ['acme.example'] }),
    effect: 'ask',
    approvers: { ...anyone, who: { kind: 'manager' }, fresh: true },
  };
  assert.equal(
    wordsOf(outside),
    'everyone may use read and write and destructive tools when the recipient domain is not acme.example only after their manager agrees, having signed in for it',
  );
  checkPolicies(policiesOf(outside, org));
  const call = {
    user: ada,
    groups: [],
    tool: { connector: crm, name: 'send', class: 'write' as const },
    context: noon,
  };
  const [us, them] = [read('recipient', 'a@acme.example'), read('recipient', 'a@evil.example')];
  const set = policySet(org, [all, outside]);
  const outcome = (...combinations: ArgumentFacts[]) => decideCall(set, call, combinations);
  assert.equal(outcome(us).outcome, 'allowed');
  assert.deepEqual([outcome(them).outcome, outcome(us, them).outcome, outcome({}).outcome], ['asks', 'asks', 'asks']);
  assert.ok(outcome(them).reasons.includes(outside.id));
  assert.equal(decideCall(policySet(org, [outside]), call, [them]).outcome, 'denied');
  const may = (q: Parameters<typeof yes>[0], args: ArgumentFacts) => decideApproval(set, yes(q), [args]).allowed;
  const signed = { isManager: true, fresh: true };
  // What could not be read is asked about, so somebody can say yes to it too.
  assert.deepEqual([may(signed, them), may(signed, {}), may(signed, us)], [true, true, false]);
  assert.deepEqual([may({ isManager: true }, them), may({ mayDecide: true, fresh: true }, them)], [false, false]);
});

test('a rule lets nobody say yes to a call that it does not ask about', () => {
  const big = asking({ ...anyone, who: { kind: 'group', group: sales } }, { amount: { atLeast: 1000 } });
  const small = asking({ ...anyone, who: { kind: 'self' }, secondPerson: false }, { amount: { atMost: 999 } });
  const set = policySet(org, [big, small]);
  const may = (q: ApproveRequest, amount: number) => decideApproval(set, q, [{ amount }]).allowed;
  const [self, other] = [yes({ user: ada }), yes({ groups: [sales] })];
  assert.deepEqual([may(self, 999), may(self, 1000), may(other, 999), may(other, 1000)], [true, false, false, true]);
});

test('what a yes is asked about is from where and when the call was made, not from where and when the yes comes', () => {
  const r = asking(anyone, { surface: ['mcp'] }, { time: office });
  const late = yes({ mayDecide: true, surface: 'dispatch', now: { weekday: 7, minute: 0 } });
  assert.equal(decideApproval(policySet(org, [r]), late, [{}]).allowed, true);
  const elsewhere = yes({ mayDecide: true, asked: { ...noon, surface: 'api' } });
  assert.equal(decideApproval(policySet(org, [r]), elsewhere, [{}]).allowed, false);
});
