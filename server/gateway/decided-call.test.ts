import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callBody, gatewayHouse, raw, type GatewayHouse } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog, type Log } from '#kernel/log.ts';
import { makeMetrics } from '#kernel/telemetry.ts';
import { explainRecorded } from '#policy/explain-recorded.ts';
import type { RuleDraft } from '#policy/rule.ts';
import { findBacktest } from '#policy/backtest.sql.ts';
import { cancelBacktest } from '#policy/cancel-backtest.ts';
import { addRule } from '#policy/add-rule.ts';
import { decideByWasm } from '#policy/cedar.ts';
import { findDecidedCall, listRecordedCalls, pruneDecidedCalls } from '#policy/decided-call.sql.ts';
import type { Draft } from '#policy/draft.ts';
import { forgetDecidedCallsJob } from '#policy/forget-decided-calls.job.ts';
import { removeRule } from '#policy/remove-rule.ts';
import { runBacktest } from '#policy/run-backtest.ts';
import { startBacktest } from '#policy/start-backtest.ts';

let g: GatewayHouse;
let up: WildUpstream;
let connector: Id<'con'>;
let sue: HousePerson;
let token: string;
const metrics = makeMetrics();
const catalogue = { hasConnector: () => Promise.resolve(true) };
/** What the operator reads. */
const alarms: Record<string, unknown>[] = [];
/** What the oracle is told to say instead, to plant a fault. */
let fault: ((r: ReturnType<typeof decideByWasm>) => ReturnType<typeof decideByWasm>) | undefined;

before(async () => {
  const shadow = {
    rate: 1,
    oracle: (...a: Parameters<typeof decideByWasm>) => (fault ?? ((v) => v))(decideByWasm(...a)),
  };
  const log: Log = { ...silentLog, error: (o: Record<string, unknown>) => void alarms.push(o) };
  [g, up] = await Promise.all([gatewayHouse({ deps: { shadow, metrics }, over: { log } }), wildUpstream()]);
  connector = await g.connect('up', up.url, { classes: { change: 'write' }, rules: false });
  const rule = (name: string, classes: ('read' | 'write')[], asks: 'never' | 'always') =>
    g.rule({ name, who: { kind: 'everyone' }, connector, tools: { classes }, effect: 'allow', asks });
  await rule('all read', ['read'], 'never');
  await rule('writing asks', ['write'], 'always');
  sue = await g.house.addPerson('Sue');
  token = await g.token(sue);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

const call = (tool: string, args: unknown = {}) => raw(g, { token, body: callBody(tool, args) });
const tomorrow = (): Date => new Date(g.ctx.now.getTime() + 86_400_000);
const rows = () =>
  g.house.world.db.read(scopeOf(g.ctx), (db) =>
    listRecordedCalls(db, { since: new Date(0), until: tomorrow(), before: undefined, limit: 1000 }),
  );
const last = async () => {
  const [row] = await rows();
  assert.ok(row);
  const found = await g.house.world.db.read(scopeOf(g.ctx), (db) => findDecidedCall(db, row.id));
  assert.ok(found);
  return found;
};
const strict: Draft = {
  changes: [
    {
      kind: 'add_rule',
      rule: {
        name: 'no reading',
        who: { kind: 'everyone' },
        connector: 'any',
        tools: { classes: ['read'] },
        effect: 'forbid',
      },
    },
  ],
};
const badCedar: Draft = { changes: [{ kind: 'save_cedar', policy: { name: 'x', cedar: 'permit(' } }] };
const start = (draft: Draft) => startBacktest(g.ctx, draft, 1, catalogue);
const go = (id: Id<'bkt'>, page?: number) => runBacktest(g.ctx, id, catalogue, page);
const result = (id: Id<'bkt'>) => g.house.world.db.read(scopeOf(g.ctx), (db) => findBacktest(db, id));

test('a call leaves what it was decided on: groups, class, surface, device and time, but never its arguments', async () => {
  await call('look', { secret: 'not for rules' });
  const c = await last();
  assert.deepEqual(
    [c.user, c.connector, c.tool, c.answer, c.engine],
    [sue.user, connector, 'look', 'allowed', 'compiled'],
  );
  const kept = JSON.parse(c.asked ?? '{}') as Record<string, unknown>;
  assert.deepEqual(Object.keys(kept).sort(), ['args', 'class', 'context', 'groups', 'type']);
  assert.deepEqual([kept['class'], kept['args']], ['read', [{}]]);
  assert.ok(!c.asked?.includes('not for rules'));
  assert.equal(c.policies?.length, 1);
  await call('change');
  assert.equal((await last()).answer, 'asks');
  await call('nobody-has-this');
  assert.deepEqual([(await last()).answer, (await last()).why], [null, 'unknown_tool']);
});

test('a recorded call is explained later: as it was decided then, by rules that are gone now, and as it would be today', async () => {
  const rule: RuleDraft = {
    name: 'briefly no looking',
    who: { kind: 'everyone' },
    connector,
    tools: { names: ['look'] },
    effect: 'forbid',
  };
  const { id } = await addRule(g.ctx, rule, catalogue);
  await new Promise((done) => setTimeout(done, 500)); // caches look again
  await call('look');
  const c = await last();
  await removeRule(g.ctx, id);
  const e = await explainRecorded(g.ctx, c.id);
  assert.deepEqual(
    [e.decided?.outcome, e.decided?.policies],
    [
      'denied',
      [
        {
          policy: id,
          rule: id,
          name: 'briefly no looking',
          words: 'everyone may not use look',
          inForce: false,
        },
      ],
    ],
  );
  assert.deepEqual([e.now?.outcome, e.facts?.class, e.missing], ['allowed', 'read', null]);
  assert.notEqual(e.decided?.version, e.now?.version);
  assert.deepEqual((await g.events('policy.call_explained')).at(-1)?.data, { call: c.id });
  await new Promise((done) => setTimeout(done, 500));
  await call('nobody-has-this');
  const never = await explainRecorded(g.ctx, (await last()).id);
  assert.deepEqual([never.decided, never.facts, never.now], [null, null, null]);
  assert.match(never.missing ?? '', /ended before policy was asked/);
  await assert.rejects(explainRecorded(g.ctx, newId('tcl')), { code: 'policy/no-call' });
});

test('what was decided is of the organization, and no other reads it', async () => {
  const id = (await rows())[0]?.id;
  assert.ok(id);
  const elsewhere = { parent: newId('par'), org: newId('org') };
  assert.equal(await g.house.world.db.read(elsewhere, (db) => findDecidedCall(db, id)), undefined);
  const seen = await g.house.world.db.read(elsewhere, (db) =>
    listRecordedCalls(db, { since: new Date(0), until: tomorrow(), before: undefined, limit: 10 }),
  );
  assert.deepEqual(seen, []);
});

test('a backtest over recorded calls says what a draft would have stopped, and its start and end are in the log', async () => {
  for (let i = 0; i < 5; i++) await call('look', { i });
  const id = await start(strict);
  assert.equal((await result(id))?.state, 'waiting');
  // Pages of two: a run does not depend on how it is read.
  await go(id, 2);
  const done = await result(id);
  assert.equal(done?.state, 'done');
  const calls = (await rows()).length;
  const looks = (await rows()).filter((r) => r.tool === 'look');
  const ran = looks.filter((r) => r.outcome === 'answered').length;
  const reads = looks.length;
  assert.deepEqual([done?.calls, done?.seen, done?.report?.calls, done?.report?.changed], [calls, calls, calls, reads]);
  assert.deepEqual(
    done?.report?.changes.map((c) => [c.from, c.to, c.calls, c.ran]),
    [['allowed', 'denied', reads, ran]],
  );
  const told = (await g.events()).filter((e) => e.type.startsWith('policy.backtest'));
  assert.deepEqual([told[0]?.type, told.at(-1)?.type], ['policy.backtest_started', 'policy.backtest_ended']);
  assert.deepEqual(told.at(-1)?.data, { backtest: id, state: 'done', calls, changed: reads });
  assert.ok(told.filter((e) => e.type === 'policy.backtest_progressed').length <= 11);
});

test('calls that come after a backtest was asked for are not in it', async () => {
  const before = (await rows()).length;
  const id = await start(strict);
  g.house.advance(5);
  await call('look');
  await go(id);
  assert.equal((await result(id))?.report?.calls, before);
});

test('a backtest that is cancelled stops, keeps no half of a report, and cannot be cancelled twice', async () => {
  const id = await start(strict);
  await cancelBacktest(g.ctx, id);
  await go(id);
  const b = await result(id);
  assert.deepEqual([b?.state, b?.report], ['cancelled', null]);
  await assert.rejects(cancelBacktest(g.ctx, id), { code: 'policy/backtest-ended' });
  await assert.rejects(cancelBacktest(g.ctx, newId('bkt')), { code: 'policy/no-backtest' });
});

test('a backtest that runs stops when it is cancelled', async () => {
  const id = await start(strict);
  const running = go(id, 1);
  for (let i = 0; i < 200 && (await result(id))?.state === 'waiting'; i++) await new Promise((r) => setTimeout(r, 1));
  await cancelBacktest(g.ctx, id);
  await running;
  const b = await result(id);
  assert.deepEqual([b?.state, b?.report], ['cancelled', null]);
});

test('a backtest that breaks says so, and makes place for another one', async () => {
  const id = await start(strict);
  // No page has so many rows.
  await go(id, -1);
  const b = await result(id);
  assert.deepEqual([b?.state, b?.says], ['failed', 'something broke on our side; the log of the server says what']);
});

test('a fourth backtest at once is refused, and one whose draft is not valid is refused at once', async () => {
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push(await start(strict));
  await assert.rejects(start(strict), { code: 'policy/backtests-under-way' });
  for (const id of ids) await cancelBacktest(g.ctx, id);
  await assert.rejects(start(badCedar), { code: 'policy/cedar-not-valid' });
});

test('a backtest of a rule that has gone meanwhile fails and says which', async () => {
  const { id: gone } = await addRule(
    g.ctx,
    { name: 'soon gone', who: { kind: 'everyone' }, connector, tools: { names: ['x'] }, effect: 'forbid' },
    catalogue,
  );
  const id = await start({ changes: [{ kind: 'remove_rule', rule: gone }] });
  await removeRule(g.ctx, gone);
  await go(id);
  const b = await result(id);
  assert.deepEqual([b?.state, b?.says], ['failed', `no rule ${gone} is in force in this organization`]);
});

test('facts are forgotten after the operator\u2019s days, the calls stay, and a backtest counts them as not known', async () => {
  const n = (await rows()).length;
  const at = g.ctx.now;
  assert.equal((await g.house.world.db.lookup(pruneDecidedCalls(new Date(at.getTime() - 86_400_000), 100)))?.gone, 0);
  await forgetDecidedCallsJob({ ...g.house.world, now: () => new Date(at.getTime() + 2 * 86_400_000) }, 3).run({});
  assert.ok(
    (await rows()).some((r) => r.asked !== null),
    'younger than three days',
  );
  await forgetDecidedCallsJob({ ...g.house.world, now: () => new Date(at.getTime() + 4 * 86_400_000) }, 3).run({});
  assert.ok((await rows()).every((r) => r.answer === null));
  assert.equal((await rows()).length, n);
  const id = await start(strict);
  await go(id);
  const { unknown, notAsked, changed } = (await result(id))?.report ?? { unknown: undefined, notAsked: 0, changed: -1 };
  assert.deepEqual([(unknown?.not_kept ?? 0) + notAsked, changed], [(await result(id))?.calls, 0]);
});

test('a fault in our engine is found by asking Cedar again, and told to the operator, to the metrics and to the log, without a person', async () => {
  await g.gateway.settled();
  assert.equal((await g.events('policy.engines_disagree')).length, 0, 'nothing disagreed until now');
  fault = (v) => ({ ...v, allowed: !v.allowed });
  await call('look', { secret: 'planted' });
  await call('look', { secret: 'planted' });
  await g.gateway.settled();
  fault = undefined;
  const told = await g.events('policy.engines_disagree');
  assert.equal(told.length, 1, 'the same disagreement is told once');
  const { policies, version, ...said } = told[0]?.data ?? {};
  assert.deepEqual(said, { question: 'call_unattended', ours: true, cedar: false });
  assert.ok(Array.isArray(policies) && typeof version === 'string');
  assert.ok(!JSON.stringify(told[0]).includes(sue.user) && !JSON.stringify(told[0]).includes('planted'));
  const alarm = alarms.find((a) => a['problem'] === 'policy/engines-disagree');
  assert.deepEqual([alarm?.['org'], alarm?.['ours'], alarm?.['cedar']], [g.house.org, true, false]);
  assert.ok(!JSON.stringify(alarms).includes('planted'));
  assert.match(await metrics.text(), /gatehouse_policy_shadow_total\{result="disagreed"\} 2/);
  assert.match(await metrics.text(), /gatehouse_policy_shadow_total\{result="agreed"\} \d/);
});
