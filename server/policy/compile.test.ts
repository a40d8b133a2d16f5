import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideByWasm, policyJson, policyText } from './cedar.ts';
import type { Policies } from './cedar.ts';
import { compile, run } from './compile.ts';
import { generator, random } from '#dev/random-cedar.ts';
import { CedarRecord, Uid } from './value.ts';
import type { EntityData, Facts, Value } from './value.ts';

const SETS = 1000;
const REQUESTS = 100;

test(`the compiler and cedar-wasm agree on ${SETS * REQUESTS} random decisions, their reasons and their errors`, () => {
  const seen = { allowed: 0, forbidden: 0, errors: 0, cases: 0 };
  const base = Number(process.env['GATEHOUSE_SEED'] ?? 1);
  for (let seed = base; seed < base + SETS; seed++) {
    const make = generator(random(seed));
    const policies: Policies = Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => {
        const policy = make.policy();
        // Every other set goes the way of an expert's text: printed, parsed again by Cedar, and only then compiled.
        return [`p${i}`, seed % 2 === 0 ? policy : policyJson(policyText(policy))];
      }),
    );
    const program = compile(policies);
    assert.deepEqual(program.lacks, [], `seed ${seed}`);
    const entities = make.entities();
    for (let n = 0; n < REQUESTS; n++) {
      const facts = make.facts(entities);
      const ours = run(program, facts);
      const theirs = decideByWasm(policies, facts);
      const short = (v: typeof theirs) => ({
        allowed: v.allowed,
        reasons: v.reasons,
        errors: v.errors.map((e) => e.policy).sort(),
      });
      assert.deepEqual(short(ours), short(theirs), `seed ${seed}, request ${n}`);
      seen.cases++;
      if (ours.allowed) seen.allowed++;
      else if (ours.reasons.length > 0) seen.forbidden++;
      if (ours.errors.length > 0) seen.errors++;
    }
  }
  // A generator that only makes denials would agree about nothing.
  for (const [what, n] of Object.entries(seen)) assert.ok(n > SETS, `only ${n} ${what}`);
});

const facts = (context: Record<string, Value>, entities: EntityData[] = []): Facts => ({
  principal: new Uid('User', 'ada'),
  action: new Uid('Action', 'call'),
  resource: new Uid('Tool', 't'),
  context: new CedarRecord(new Map(Object.entries(context))),
  entities: new Map(entities.map((e) => [e.uid.key, e])),
});

const left: readonly [what: string, policy: string][] = [
  ['an IP address', 'permit(principal, action, resource) when { ip(context.at).isInRange(ip("10.0.0.0/8")) };'],
  [
    'a decimal',
    'permit(principal, action, resource) when { decimal("1.5").lessThan(decimal("1.6")) && context.at like "10.*" };',
  ],
  [
    'an integer that a double would round',
    'permit(principal, action, resource) when { 9007199254740993 - 9007199254740992 == 1 && context.at like "10.*" };',
  ],
];
for (const [what, policy] of left)
  test(`a policy with ${what} is decided by cedar-wasm, together with the compiled ones, and the decision says so`, () => {
    const program = compile({ rest: policy, mine: 'permit(principal == User::"bob", action, resource);' });
    assert.equal(program.lacks[0]?.policy, 'rest');
    const yes = run(program, facts({ at: '10.1.1.1' }));
    assert.deepEqual([yes.allowed, yes.reasons, yes.engine], [true, ['rest'], 'cedar-wasm']);
    const no = run(program, facts({ at: '192.168.0.1' }));
    assert.deepEqual([no.allowed, no.engine], [false, 'cedar-wasm']);
  });

test('a forbid that only cedar-wasm can evaluate stops what a compiled permit allows', () => {
  const program = compile({
    all: 'permit(principal, action, resource);',
    no: 'forbid(principal, action, resource) unless { ip(context.at).isLoopback() };',
  });
  assert.deepEqual(run(program, facts({ at: '8.8.8.8' })).reasons, ['no']);
  assert.deepEqual(run(program, facts({ at: '127.0.0.1' })).reasons, ['all']);
});

const edges: readonly string[] = [
  'principal in [principal, 1]',
  'principal in [1, principal]',
  'principal in []',
  'principal in 1',
  '1 in []',
  '[1] in principal',
  'principal in principal',
  'User::"none" in User::"none"',
  'User::"none" in [User::"none"]',
  'principal in Group::"g"',
  'principal in [Group::"x", Group::"g"]',
  'principal is User',
  'principal is User in Group::"g"',
  'principal is Group in 1',
  '1 is User',
  'principal is User in [1]',
  'action == Action::"call"',
  'resource == User::"t"',
  '(true && 1) == 1',
  '(false || 1) == 1',
  'false && 1',
  'true || 1',
  '1 && false',
  '1 || true',
  '!1 == false',
  '!(1 == 1)',
  '(true && context) has n',
  '[true && 1] == [1]',
  '[false || 1].contains(1)',
  '{a: true && 1} == {a: 1}',
  '(if true then 1 else 1 < "a") == 1',
  'if 1 then true else false',
  'if false then 1 else true',
  '"ab" like "*b*b"',
  '"abb" like "*b*b"',
  '"aba" like "aba*a"',
  '"a" like "a*a"',
  '"" like "*"',
  '"" like "**"',
  '"a" like ""',
  '"" like ""',
  '"a*b" like "a\\*b"',
  '"axb" like "a\\*b"',
  '"xaybzc" like "*a*b*c"',
  '"xaybz" like "*b*a*"',
  '1 like "*"',
  '"😀" like "*😀*"',
  '[1, 1, 2] == [2, 1]',
  '{a: 1, b: 2} == {b: 2, a: 1}',
  '{a: 1} == {a: 1, b: 2}',
  '[[1], [1]].contains([1])',
  '[{a: [1]}].contains({a: [1, 1]})',
  '[].isEmpty()',
  '[[]].isEmpty()',
  '[].containsAll([])',
  '[].containsAny([])',
  '[1, 2].containsAll([2])',
  '[2].containsAll([1, 2])',
  '[1, 2].containsAny([2, 3])',
  '[1].containsAny([2])',
  '1.contains(1)',
  '[1].containsAll(1)',
  '[1].containsAny(1)',
  'context.isEmpty()',
  '[1, "1", true, User::"1"].contains("1")',
  '[1].contains("1")',
  '["i1;"].contains(1)',
  '["a", "b"] == ["as1:b"]',
  '{"a": "b"} == {"as1:b": ""}',
  '1 == "1"',
  'true == 1',
  'User::"a" == Group::"a"',
  'User::"a" == "a"',
  '[] == {}',
  '[1] != 1',
  '-1 == 0 - 1',
  '0 * -1 == 0',
  '[0].contains(0 * -1)',
  '-(0) == 0',
  'principal has n',
  'principal has x',
  'User::"none" has n',
  'User::"none".n == 1',
  'principal.x == 1',
  '1 has n',
  '[1] has n',
  'context has n.x',
  'context has r.n',
  'context has r.x.y',
  'context has x.y',
  'context has e.n',
  'context.e.n == 7',
  'context.n.x == 1',
  'principal.n == 7',
  'context has r.n.x',
  'User::"none".hasTag("x")',
  'User::"none".getTag("x") == 1',
  'principal.hasTag("t")',
  'principal.getTag("t") == 8',
  'principal.getTag("n") == 7',
  'principal.hasTag("n")',
  'principal.hasTag(1)',
  'User::"none".hasTag(1)',
  'context.hasTag("t")',
  'principal.getTag(1) == 1',
  '"a" < "b"',
  '1 < true',
  '1 <= 1',
  '2 >= 3',
  '1 + "a" == 1',
  '-"a" == 1',
  'context.n > principal.n - 1',
  'context has constructor',
  'context has toString',
  'context has "__proto__"',
  'context["__proto__"] == 1',
  'context.constructor == 1',
  '{"__proto__": 1}["__proto__"] == 1',
  '{"__proto__": 1} has "__proto__"',
];
for (const edge of edges)
  test(`cedar-wasm and the compiler agree on: ${edge}`, () => {
    const ada: EntityData = {
      uid: new Uid('User', 'ada'),
      attrs: new Map([['n', 7]]),
      ancestors: new Map([[new Uid('Group', 'g').key, new Uid('Group', 'g')]]),
      tags: new Map([['t', 8]]),
    };
    const context = { n: 7, e: ada.uid, r: new CedarRecord(new Map([['n', 7]])) };
    const policies = { p: `permit(principal, action, resource) when { ${edge} };` };
    const { engine, ...ours } = run(compile(policies), facts(context, [ada]));
    const theirs = decideByWasm(policies, facts(context, [ada]));
    assert.deepEqual(
      { allowed: ours.allowed, failed: ours.errors.length },
      { allowed: theirs.allowed, failed: theirs.errors.length },
    );
    assert.equal(engine, 'compiled');
  });

test('arithmetic is exact over all 64 bits and an error beyond', () => {
  const asks = (condition: string) => {
    const verdict = run(
      compile({ p: `permit(principal, action, resource) when { ${condition} };` }),
      facts({ max: Number.MAX_SAFE_INTEGER }),
    );
    assert.equal(verdict.engine, 'compiled');
    return verdict.errors.length > 0 ? 'error' : verdict.allowed;
  };
  assert.equal(asks('context.max * 1024 + 1023 - context.max * 1024 == 1023'), true);
  assert.equal(asks('context.max * 1024 + 1 == context.max * 1024'), false);
  assert.equal(asks('context.max * 1024 + 1023 + 1 > 0'), 'error');
  assert.equal(asks('-context.max * 1024 - 1024 < 0'), true);
  assert.equal(asks('-(-context.max * 1024 - 1024) > 0'), 'error');
});

test('a policy that fails is skipped and named; the others still decide', () => {
  const program = compile({
    broken: 'forbid(principal, action, resource) when { context.missing };',
    fine: 'permit(principal, action, resource);',
  });
  const verdict = run(program, facts({}));
  assert.equal(verdict.allowed, true);
  assert.deepEqual(verdict.errors, [{ policy: 'broken', says: 'there is no attribute "missing"' }]);
});

test('an engine that cannot read the policies throws, and does not answer', () => {
  assert.throws(() => decideByWasm({ p: 'permit(' }, facts({})), { code: 'policy/engine', kind: 'bug' });
});
