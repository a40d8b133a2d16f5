import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decideApprovals } from '#approvals/decide-approvals.ts';
import { findReviewedTool } from '#connectors/find-reviewed-tool.ts';
import { callBody, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';

let g: GatewayHouse;
let up: WildUpstream;
let sue: HousePerson;
let token: string;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  const id = await g.connect('up', up.url, { classes: { change: 'write' }, rules: false });
  await g.rule({
    name: 'all read',
    who: { kind: 'everyone' },
    connector: id,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  await g.rule({
    name: 'writing asks',
    who: { kind: 'everyone' },
    connector: id,
    tools: { classes: ['write'] },
    effect: 'allow',
    asks: 'always',
  });
  sue = await g.house.addPerson('Sue');
  token = await g.token(sue);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

const call = (args: unknown, t = token): Promise<RawAnswer> => raw(g, { token: t, body: callBody('change', args) });
const sentCalls = (): number => up.seen.filter((s) => s.message.method === 'tools/call').length;
function held(a: RawAnswer): Id<'apr'> {
  const id = parseId('apr', /\/approvals\/org_[0-9a-f]{32}\/(apr_[0-9a-f]{32})/.exec(saidOf(a))?.[1] ?? '');
  assert.ok(id, a.text);
  return id;
}
const code = (want: string) => (e: unknown) => e instanceof Problem && e.code === want;

test('a call that needs a yes waits, says where to decide, and runs exactly once after it', async () => {
  const sent = sentCalls();
  const first = await call({ row: 1 });
  assert.match(saidOf(first), new RegExp(`^Waiting for approval: .*${g.house.origin}/approvals/${g.house.org}/apr_`));
  const id = held(first);
  assert.equal(held(await call({ row: 1 })), id, 'asking again is the same request');
  assert.equal(sentCalls(), sent);
  await g.decide(id, 'approved', g.house.ada);
  // The order of keys and spacing are not part of what was approved; values are.
  assert.equal(saidOf(await call({ row: 1 })), 'did change');
  assert.equal(sentCalls(), sent + 1);
  assert.notEqual(held(await call({ row: 1 })), id, 'a grant is good once');
  const kinds = (await g.events()).map((e) => e.type).filter((t) => t.startsWith('approval.'));
  assert.deepEqual(kinds.slice(0, 3), ['approval.asked', 'approval.approved', 'approval.grant_used']);
});

test('of ten calls that race for one grant, one runs', async () => {
  const id = held(await call({ row: 2 }));
  await g.decide(id, 'approved', g.house.ada);
  const sent = sentCalls();
  const all = await Promise.all(Array.from({ length: 10 }, () => call({ row: 2 })));
  assert.equal(all.filter((a) => saidOf(a) === 'did change').length, 1);
  assert.equal(sentCalls(), sent + 1);
});

test('a grant for one set of arguments or one person does not pay for another', async () => {
  const id = held(await call({ row: 3 }));
  await g.decide(id, 'approved', g.house.ada);
  assert.notEqual(held(await call({ row: 4 })), id);
  assert.notEqual(held(await call({ row: 3 }, await g.token())), id, 'another person with the same arguments');
  assert.equal(saidOf(await call({ row: 3 })), 'did change');
});

test('nobody says yes to a call of his own, and the first decision stands', async () => {
  const id = held(await call({ row: 5 }));
  await assert.rejects(g.decide(id, 'approved', sue), code('approvals/own-request'));
  await g.decide(id, 'denied', g.house.ada, 'not this week');
  await assert.rejects(g.decide(id, 'approved', g.house.ada), code('approvals/decided'));
  assert.match(
    saidOf(await call({ row: 5 })),
    /^Not allowed: a person denied exactly this call, saying: "not this week"/,
  );
});

test('a request and a grant run out of time, which is not a denial', async () => {
  const late = held(await call({ row: 6 }));
  const unused = held(await call({ row: 7 }));
  await g.decide(unused, 'approved', g.house.ada);
  await g.house.t.super(`update approval set expires_at = now() - interval '1 s' where id = $1`, late);
  await g.house.t.super(`update approval_grant set expires_at = now() - interval '1 s' where approval = $1`, unused);
  await assert.rejects(g.decide(late, 'approved', g.house.ada), code('approvals/expired'));
  assert.notEqual(held(await call({ row: 6 })), late);
  assert.notEqual(held(await call({ row: 7 })), unused);
});

test('a key or an agent cannot decide', async () => {
  const id = held(await call({ row: 8 }));
  const yes = { items: [{ approval: id }], verdict: 'approved' } as const;
  await assert.rejects(decideApprovals(g.ctx, { findTool: findReviewedTool }, yes), code('approvals/not-a-person'));
});

test('a tool that no rule allows is denied with the reason, and asks nobody', async () => {
  await g.connect('closed', up.url, { rules: false });
  const sent = sentCalls();
  const a = await raw(g, { token, path: '/mcp/closed', body: callBody('look') });
  assert.match(saidOf(a), /^Not allowed: no rule lets you use look \(read\)/);
  assert.equal(sentCalls(), sent);
  const list = await raw(g, { token, path: '/mcp/closed', body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
  assert.deepEqual((list.json['result'] as { tools: unknown[] }).tools, []);
});

test('a number that cannot be read exactly is approved by nobody, so another one cannot run in its place', async () => {
  const sent = sentCalls();
  for (const row of ['9007199254740992', '9007199254740993']) {
    const body = callBody('change', { row: 'ROW' }).replace('"ROW"', row);
    const a = await raw(g, { token, body });
    if (row.endsWith('2')) assert.match(saidOf(a), /^Waiting for approval/);
    else assert.match(saidOf(a), /Not allowed: the number 9007199254740993 is read as 9007199254740992/);
  }
  assert.equal(sentCalls(), sent);
});
