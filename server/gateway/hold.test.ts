// Longer than 300 lines: one held call, and every way in which it can come again.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { answer, wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import type { Id } from '#kernel/id.ts';
import { removeRule } from '#policy/remove-rule.ts';
import { startGateway } from './start-gateway.ts';

/** Short, so that a call that nobody decides comes back soon; a decision is still seen long before. */
const HOLD = 1500;
let g: GatewayHouse;
let up: WildUpstream;
let sue: HousePerson;
let token: string;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse({ deps: { holdMs: HOLD } }), wildUpstream()]);
  const id = await g.connect('up', up.url, { classes: { change: 'write', look: 'write' }, rules: false });
  const other = await g.connect('other', up.url, { classes: { change: 'write', look: 'write' }, rules: false });
  for (const connector of [id, other])
    await g.rule({
      name: `writing asks at ${connector}`,
      who: { kind: 'everyone' },
      connector,
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
beforeEach(() => {
  up.act = undefined;
});

let row = 0;
type Call = {
  name?: string;
  args?: unknown;
  state?: unknown;
  responses?: unknown;
  url?: boolean;
  path?: string;
  token?: string;
  meta?: object;
};
/** A call of the revision 2026-07-28, as a client sends it. */
function call(c: Call = {}): Promise<RawAnswer> {
  const name = c.name ?? 'change';
  const params = {
    name,
    arguments: c.args ?? { row: ++row },
    ...(c.responses === undefined ? {} : { inputResponses: c.responses }),
    ...(c.state === undefined ? {} : { requestState: c.state }),
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': c.url ? { elicitation: { url: {} } } : {},
      ...c.meta,
    },
  };
  return raw(g, {
    token: c.token ?? token,
    path: c.path ?? '/mcp/up',
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }),
  });
}
type Held = {
  resultType: string;
  requestState: string;
  inputRequests?: Record<string, unknown>;
  _meta: Record<string, string>;
};
const result = (a: RawAnswer): Held => {
  assert.ok(a.json['result'], a.text);
  return a.json['result'] as Held;
};
function held(a: RawAnswer): { id: Id<'apr'>; state: string; asks: Record<string, unknown> | undefined } {
  const r = result(a);
  assert.equal(r.resultType, 'input_required', a.text);
  return { id: r._meta['io.gatehouse/approval'] as Id<'apr'>, state: r.requestState, asks: r.inputRequests };
}
const why = (a: RawAnswer): unknown => result(a)._meta['io.gatehouse/why'];
const sent = () => up.seen.filter((s) => s.message.method === 'tools/call');
const approve = (id: Id<'apr'>): Promise<void> => g.decide(id, 'approved', g.house.ada);

test('a held call gets a state to come again with, and runs with it once somebody approved; the upstream sees the call as it was', async () => {
  const args = { row: ++row, text: 'caf\u00e9 \u20ac' };
  const { id, state, asks } = held(await call({ args }));
  assert.equal(asks, undefined, 'a client that shows no addresses is not asked to');
  await approve(id);
  const before = sent().length;
  const done = await call({ args, state });
  assert.equal(saidOf(done), 'did change');
  assert.equal(sent().length, before + 1);
  const { params } = sent().at(-1)!.message;
  assert.deepEqual(Object.keys(params ?? {}).sort(), ['_meta', 'arguments', 'name']);
  assert.deepEqual(params?.['arguments'], args);
});

test('a client that can show an address is given one, once, and the answer to it goes to nobody else', async () => {
  const args = { row: ++row };
  const first = held(await call({ args, url: true }));
  assert.deepEqual(first.asks?.['approval'], {
    method: 'elicitation/create',
    params: {
      mode: 'url',
      message: `A person must approve this exact call of change before it runs (${first.id}).`,
      url: `${g.house.origin}/approvals/${g.house.org}/${first.id}`,
    },
  });
  const accepted = { approval: { action: 'accept' } };
  const again = held(await call({ args, url: true, state: first.state, responses: accepted }));
  assert.deepEqual([again.id, again.asks], [first.id, undefined]);
  await approve(first.id);
  assert.equal(saidOf(await call({ args, url: true, state: again.state })), 'did change');
  assert.ok(!sent().at(-1)!.body.includes('inputResponses'));
});

test('a decision that comes while a call waits is seen at once, and the call runs', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args }));
  const waiting = call({ args, state });
  await new Promise((r) => setTimeout(r, 100));
  await approve(id);
  assert.equal(saidOf(await waiting), 'did change');
});

test('while nobody decides a call keeps its request, and is told in words after eight rounds', async () => {
  const args = { row: ++row };
  const first = held(await call({ args }));
  let state = first.state;
  const { id } = first;
  // Seven more rounds, of which none waits: it is the count that ends them, and the person's own word that they do not wait.
  for (let round = 1; round <= 8; round++) {
    const a = held(await call({ args, state }));
    assert.equal(a.id, id);
    state = a.state;
  }
  const last = await call({ args, state });
  assert.equal(result(last).resultType, 'complete', last.text);
  assert.match(saidOf(last), new RegExp(`^Waiting for approval: .*${id}`));
  await approve(id);
  assert.equal(saidOf(await call({ args })), 'did change', 'the same call without any state is the same call');
});

test('who sends the question away is told in words, and the request waits on', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args, url: true }));
  const a = await call({ args, url: true, state, responses: { approval: { action: 'cancel' } } });
  assert.match(saidOf(a), new RegExp(`^Waiting for approval: .*${id}`));
  await approve(id);
});

test('who declines takes the request back, and nobody can approve it any more', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args, url: true }));
  const a = await call({ args, url: true, state, responses: { approval: { action: 'decline' } } });
  assert.equal(why(a), 'approval_cancelled', a.text);
  await assert.rejects(approve(id), { code: 'approvals/cancelled' });
});

const otherwise: [string, string, (first: { state: string; args: { row: number } }) => Promise<RawAnswer>][] = [
  ['other arguments', 'hold_args', ({ state }) => call({ args: { row: ++row }, state })],
  ['one argument more', 'hold_args', ({ state, args }) => call({ args: { ...args, force: true }, state })],
  ['another tool', 'hold_tool', ({ state, args }) => call({ name: 'look', args, state })],
  ['another connector', 'hold_tool', ({ state, args }) => call({ path: '/mcp/other', args, state })],
  [
    'the token of another person',
    'hold_person',
    async ({ state, args }) => call({ args, state, token: await g.token() }),
  ],
  [
    'a state in which one character is another',
    'hold_altered',
    ({ state, args }) =>
      call({ args, state: state.slice(0, -5) + (state.at(-5) === 'A' ? 'B' : 'A') + state.slice(-4) }),
  ],
  ['a state that was cut off', 'hold_altered', ({ state, args }) => call({ args, state: state.slice(0, -30) })],
  ['a state that is only our name', 'hold_altered', ({ args }) => call({ args, state: 'gatehouse-hold-1.' })],
  [
    'a state in another spelling of the same bytes',
    'hold_altered',
    ({ state, args }) => call({ args, state: `${state}=` }),
  ],
];
for (const [what, reason, again] of otherwise)
  test(`an approved call that comes again with ${what} does not run (${reason}), and the approval is still there for the call that it was given to`, async () => {
    const args = { row: ++row };
    const { id, state } = held(await call({ args }));
    await approve(id);
    const before = sent().length;
    const a = await again({ state, args });
    assert.equal(why(a), reason, a.text);
    assert.match(saidOf(a), /^Not allowed: .* without the requestState/);
    assert.equal(sent().length, before);
    assert.equal(saidOf(await call({ args, state })), 'did change');
  });

test('an approval pays once: the same state again is refused as used, also where both come at the same moment', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args }));
  await approve(id);
  const before = sent().length;
  const both = await Promise.all(Array.from({ length: 6 }, () => call({ args, state })));
  assert.equal(both.filter((a) => saidOf(a) === 'did change').length, 1);
  assert.deepEqual(
    both.filter((a) => saidOf(a) !== 'did change').map(why),
    Array.from({ length: 5 }, () => 'hold_used'),
  );
  assert.equal(why(await call({ args, state })), 'hold_used');
  assert.equal(sent().length, before + 1);
});

test('an approval that was not used in time is too late, and a request that nobody decided is over: two answers, and neither is a denial', async () => {
  const [args, other] = [{ row: ++row }, { row: ++row }];
  const [late, over] = [held(await call({ args })), held(await call({ args: other }))];
  await approve(late.id);
  await g.house.t.super(`update approval_grant set expires_at = now() - interval '1 s' where approval = $1`, late.id);
  await g.house.t.super(`update approval set expires_at = now() - interval '1 s' where id = $1`, over.id);
  assert.equal(why(await call({ args, state: late.state })), 'hold_late');
  const a = await call({ args: other, state: over.state });
  assert.equal(why(a), 'approval_expired');
  assert.match(saidOf(a), /nobody decided until .*, which is not a denial/);
});

test('a denial reaches the call that waits, with its reason', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args }));
  await g.decide(id, 'denied', g.house.ada, 'not today');
  const a = await call({ args, state });
  assert.equal(why(a), 'approval_denied');
  assert.match(saidOf(a), /saying: "not today"/);
});

test('a request that the agent replaces ends as superseded, and the old call is told by which', async () => {
  const args = { row: ++row };
  const first = held(await call({ args }));
  const newer = held(await call({ args: { row: ++row }, meta: { 'io.gatehouse/replaces': first.id } }));
  const a = await call({ args, state: first.state });
  assert.equal(why(a), 'approval_superseded', a.text);
  assert.ok(saidOf(a).includes(newer.id));
  await assert.rejects(approve(first.id), { code: 'approvals/superseded' });
});

test('any node takes up a call that another one held', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args }));
  const other = await startGateway(g.house.world, { holdMs: HOLD });
  const server = createServer((req, res) => other.handle(req, res)).listen(0, '127.0.0.1');
  try {
    await approve(id);
    const { port } = server.address() as AddressInfo;
    const params = {
      name: 'change',
      arguments: args,
      requestState: state,
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    };
    const a = await raw(g, {
      token,
      path: `http://127.0.0.1:${port}/mcp/up`,
      headers: {
        host: new URL(g.house.origin).host,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'change',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    assert.equal(saidOf(a), 'did change', a.text);
  } finally {
    server.close();
    server.closeAllConnections();
    await other.stop();
  }
});

test('what the upstream had asked is given back to it, byte for byte, when its own question had come before ours', async () => {
  const args = { row: ++row };
  const theirs = 'upstream-state-\u00fc';
  const responses = { sure: { action: 'accept', content: { really: true } } };
  up.act = (m, res) =>
    m.method === 'tools/call' && m.params?.['requestState'] === undefined
      ? answer(res, m, { resultType: 'input_required', requestState: theirs })
      : false;
  // The first leg is held too, and approved: the question is the upstream's.
  const first = held(await call({ args }));
  await approve(first.id);
  assert.equal(result(await call({ args, state: first.state })).requestState, theirs);
  // The second leg takes an answer along that nobody has seen: another action, so somebody is asked again.
  const second = held(await call({ args, state: theirs, responses }));
  assert.notEqual(second.id, first.id);
  await approve(second.id);
  const done = await call({ args, state: second.state });
  assert.equal(saidOf(done), 'did change', done.text);
  const { params } = sent().at(-1)!.message;
  assert.deepEqual([params?.['requestState'], params?.['inputResponses']], [theirs, responses]);
});

test('rules that changed and still let the approver say yes leave the grant as it is; if they do not, the call is parked again', async () => {
  const boss = await g.house.addPerson('Boss');
  await g.house.t.super(`update member set role = 'admin' where user_id = $1`, boss.user);
  const [args, other] = [{ row: ++row }, { row: ++row }];
  const [fine, stricter] = [held(await call({ args })), held(await call({ args: other }))];
  for (const { id } of [fine, stricter]) await g.decide(id, 'approved', boss);
  await g.rule({
    name: 'about something else',
    who: { kind: 'everyone' },
    connector: 'any',
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  assert.equal(saidOf(await call({ args, state: fine.state })), 'did change');
  await g.house.t.super(`update member set role = 'user' where user_id = $1`, boss.user);
  const parked = held(await call({ args: other, state: stricter.state }));
  assert.notEqual(parked.id, stricter.id);
  const told = (await g.events('approval.grant_revoked')).filter((e) => e.data['approval'] === stricter.id);
  assert.deepEqual(
    told.map((e) => e.data['why']),
    ['policy'],
  );
});

test('a call that the rules stopped allowing is denied, however much it was approved', async () => {
  const args = { row: ++row };
  const { id, state } = held(await call({ args }));
  await approve(id);
  const { rule } = await forbidden();
  const before = sent().length;
  assert.equal(why(await call({ args, state })), 'policy');
  assert.equal(sent().length, before);
  await removeRule(g.ctx, rule);
  await new Promise((r) => setTimeout(r, 500));
});
async function forbidden(): Promise<{ rule: Id<'rul'> }> {
  await g.rule({
    name: 'no writing for now',
    who: { kind: 'everyone' },
    connector: 'any',
    tools: { classes: ['write'] },
    effect: 'forbid',
  });
  const [made] = await g.house.t.super<{ id: Id<'rul'> }>(`select id from rule where name = 'no writing for now'`);
  return { rule: made!.id };
}
