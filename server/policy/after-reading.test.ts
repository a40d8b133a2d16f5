import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { crm, everyone, loadPolicies, policyHouse, shelf, why, type PolicyHouse } from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { askAfterReading, policiesAfterReading, thens } from './after-reading.ts';
import { Backtest } from './backtest.ts';
import { decideByWasm } from './cedar.ts';
import { decide, decideCall, factsOf, needsSession, policySet, type CallRequest } from './decide.ts';
import { decidedCall, ask, askedCall } from './decided-call.ts';
import { explain } from './because.ts';
import type { Rule } from './rule.ts';
import { toolClasses, type SessionFacts, type ToolClass } from './schema.ts';

let t: TestDb;
let world: World;
before(async () => {
  t = await testDb();
  world = await t.world();
});
after(() => t.close());
const house = (name: string): Promise<PolicyHouse> => policyHouse(t, world, name);

const org = newId('org');
const open: Rule = {
  id: newId('rul'),
  name: 'everything',
  who: { kind: 'everyone' },
  connector: 'any',
  tools: { classes: [...toolClasses] },
  effect: 'allow',
  asks: 'never',
};
const setWith = (outward: (typeof thens)[number]) =>
  policySet(org, [open], policiesAfterReading({ outward, hours: 8 }, org));
const call = (klass: ToolClass, outward: boolean | undefined, session: SessionFacts | undefined): CallRequest => ({
  user: newId('usr'),
  groups: [],
  tool: { connector: crm, name: 'it', class: klass, outward },
  context: { surface: 'mcp', device: 'unknown', now: { weekday: 1, minute: 0 }, session },
});
const bits = [false, true];
const sessions = bits.flatMap((readUntrusted) => bits.map((readPrivate) => ({ readUntrusted, readPrivate })));

test('the control agrees with cedar-wasm for every class, what its reviewer said or did not, and everything a session can have read', () => {
  for (const outward of thens)
    for (const klass of toolClasses)
      for (const said of [undefined, ...bits])
        for (const session of sessions)
          for (const action of ['call', 'call_unattended'] as const) {
            const set = setWith(outward);
            const c = call(klass, said, session);
            const request = { ...c, action, context: { ...c.context, args: {} } };
            const [mine, theirs] = [decide(set, request), decideByWasm(set.policies, factsOf(org, request))];
            assert.deepEqual(
              [mine.allowed, mine.reasons, mine.errors],
              [theirs.allowed, theirs.reasons, theirs.errors],
            );
          }
});

for (const [outward, outcome] of [
  ['ask', 'asks'],
  ['forbid', 'denied'],
  ['off', 'allowed'],
] as const)
  test(`with "${outward}", only an outward call of a session that has read both is ${outcome}`, () => {
    for (const session of sessions)
      for (const said of bits) {
        const both = session.readUntrusted && session.readPrivate;
        const expected = said && both ? outcome : 'allowed';
        assert.equal(decideCall(setWith(outward), call('write', said, session), [{}]).outcome, expected);
      }
  });

test('what nobody said of a tool is taken from its class: a destructive one is outward and a write is not', () => {
  const session = { readUntrusted: true, readPrivate: true };
  const of = (klass: ToolClass) => decideCall(setWith('ask'), call(klass, undefined, session), [{}]).outcome;
  assert.deepEqual([of('read'), of('write'), of('destructive')], ['allowed', 'allowed', 'asks']);
});

test('a session is looked up only for calls that a policy asks it about', () => {
  const need = (set: ReturnType<typeof setWith>) =>
    toolClasses.map((klass) => needsSession(set, { connector: crm, name: 'it', class: klass }));
  assert.deepEqual(need(setWith('ask')), [false, false, true]);
  assert.deepEqual(need(setWith('off')), [false, false, false]);
  const own = policySet(org, [open], {
    x: 'forbid (principal, action, resource) when { context has session && context.session.read_private };',
  });
  assert.deepEqual(need(own), [true, true, true]);
});

test('an explanation names the control beside the rule that would have let it run', () => {
  const set = setWith('ask');
  const told = explain(set, { ...call('write', true, { readUntrusted: true, readPrivate: true }), args: [{}] });
  assert.deepEqual([told.outcome, told.rules.map((r) => r.policy).sort()], ['asks', ['after_reading', open.id].sort()]);
});

test('a recorded call says what its session had read; one where nobody looked is unknown to a draft that asks, not guessed', () => {
  const [off, asks] = [setWith('off'), setWith('ask')];
  const row = (session: SessionFacts | undefined) => {
    const asked = { ...call('write', true, session), args: [{}] };
    const { asked: kept } = decidedCall(asked, ask(off, asked));
    assert.deepEqual(
      askedCall({ user: asked.user, connector: crm, tool: 'it', asked: kept ?? '' }).context.session,
      session,
    );
    return {
      id: newId('tcl'),
      user: asked.user,
      connector: crm,
      tool: 'it',
      at: new Date(),
      outcome: 'answered',
      why: null,
      answer: 'allowed' as const,
      asked: kept,
    };
  };
  const test = new Backtest(off, asks);
  test.add(row(undefined));
  test.add(row({ readUntrusted: true, readPrivate: true }));
  test.add(row({ readUntrusted: true, readPrivate: false }));
  const r = test.report();
  assert.deepEqual([r.unknown.not_kept, r.changed, r.same], [1, 1, 1]);
  assert.deepEqual(
    r.policies.items.map((p) => p.policy),
    ['after_reading'],
  );
});

test('a new organization asks after reading; a change of it is a version with words, previewed, bound to what was seen, and taken back', async () => {
  const h = await house('reading');
  const now = await h.ask('GET', '/policy/after-reading');
  assert.deepEqual([now.json['outward'], now.json['hours'], now.json.version], ['ask', 8, 0]);
  await h.ask('POST', '/rules', {
    name: 'all',
    who: everyone,
    connector: crm,
    tools: { classes: ['read', 'write', 'destructive'] },
    effect: 'allow',
    asks: 'never',
  });
  const off = { outward: 'off', hours: 8 };
  const seen = await h.ask('POST', '/policy/preview', { kind: 'set_after_reading', afterReading: off });
  assert.match(
    JSON.stringify(seen.json['lines']),
    /"effect":"wider","from":"sometimes","to":"allowed".*destructive_it/,
  );
  const bad = await h.ask('PUT', '/policy/after-reading', { ...off, previewed: '0'.repeat(64), ...why });
  assert.equal(bad.json.code, 'policy/preview-stale');
  const done = await h.ask('PUT', '/policy/after-reading', { ...off, previewed: seen.json.hash, ...why });
  assert.deepEqual([done.status, done.json['words']], [200, 'what a session has read does not matter']);
  assert.equal((await loadPolicies(h)).asksOfSession, 'never');
  // What holds by default is another thing, and stays apart.
  await h.ask('PUT', '/policy/settings', { mode: 'open', defaultAccess: 'read', ...why });
  assert.equal((await loadPolicies(h)).asksOfSession, 'never');
  const back = await h.ask('POST', '/policy/versions/1/restore', why);
  assert.equal(back.status, 200);
  assert.equal((await loadPolicies(h)).asksOfSession, 'outward');
  assert.equal(
    (await h.ask('PUT', '/policy/after-reading', { outward: 'ask', hours: 0, ...why })).json.code,
    'http/invalid',
  );
  assert.deepEqual(askAfterReading, { outward: 'ask', hours: 8 });
  assert.ok(shelf.tools.length > 0);
});
