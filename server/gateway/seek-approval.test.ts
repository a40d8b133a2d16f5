import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, type Id } from '#kernel/id.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import type { HousePerson } from '#dev/oauth-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { startVersions, type Versions } from '#kernel/versions.ts';
import { silentLog } from '#kernel/log.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { hashOf } from '#approvals/approval.ts';
import { actionOf } from './action-of.ts';
import { actionOfBytes } from './held-call.ts';
import { orgViews } from './org-view.ts';
import { seekApproval } from './seek-approval.ts';
import type { CallScene } from './stages.ts';
import type { ToolCall } from './tool-call.ts';

/** What happens between the moment in which a call comes and the moment in which it is sent. */
let g: GatewayHouse;
let up: WildUpstream;
let versions: Versions;
let sue: HousePerson;
let connector: Id<'con'>;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  connector = await g.connect('up', up.url, { classes: { change: 'write' }, rules: false });
  await g.rule({
    name: 'writing asks',
    who: { kind: 'everyone' },
    connector,
    tools: { classes: ['write'] },
    effect: 'allow',
    asks: 'always',
  });
  sue = await g.house.addPerson('Sue');
  versions = await startVersions({ pool: g.house.world.db.pool, log: silentLog });
});
after(async () => {
  await versions.close();
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

let params = { name: 'change', arguments: { row: 1, text: 'caf\u00e9' } };
const by = () => ({ org: g.house.org, member: sue.member, user: sue.user, client: 'agent' });

/** A call of Sue's agent as the gate would make it; `meanwhile` is what happens while it waits for its decision. */
async function scene(
  hold: CallScene['hold'],
  meanwhile: (approval: Id<'apr'>) => Promise<void>,
): Promise<{ s: CallScene; call: ToolCall }> {
  const place = { parent: g.house.parent, org: g.house.org };
  const views = orgViews(g.house.world, versions);
  const view = await views(place);
  const known = view.connectors.get('up')?.tools.get('change');
  const { member, user, client } = by();
  const actor = { kind: 'agent' as const, id: user, member, client, grant: 'consent' };
  const ctx: OrgCtx = { ...g.ctx, actor };
  const who = {
    token: { grant: 'consent', scopes: ['mcp:read', 'mcp:write'] },
    caller: { ...place, member, user, client, groups: [], actor, addresses: [] },
    address: undefined,
  } as unknown as CallScene['who'];
  const s = {
    ctx,
    who,
    view,
    carrier: { params, inexact: undefined },
    hold,
    replaces: undefined,
    now: () => g.house.world.now(),
    waitFor: meanwhile,
    renewed: async () => ({ who, view: await views(place) }),
  } as unknown as CallScene;
  const call: ToolCall = {
    id: newId('tcl'),
    connector,
    tool: 'change',
    method: 'tools/call',
    known,
    args: params.arguments,
    toolArgs: params.arguments,
    bytes: 1,
  };
  return { s, call };
}

async function held(): Promise<CallScene['hold'] & { kind: 'good' }> {
  params = { ...params, arguments: { ...params.arguments, row: params.arguments.row + 1 } };
  const { s, call } = await scene(undefined, () => Promise.resolve());
  const c = await seekApproval(s, call);
  assert.ok(c.kind === 'waits');
  const { id: approval, hash } = c.approval;
  const { member, client } = by();
  const claims = {
    approval,
    hash,
    connector,
    tool: 'change',
    member,
    client,
    round: 0,
    expires: Date.now() + 1e6,
    upstream: {},
  };
  return { kind: 'good', claims, answer: undefined };
}

test('what was approved while a call waited, and forbidden in the next moment, does not run', async () => {
  const hold = await held();
  const { s, call } = await scene(hold, async (id) => {
    await g.decide(id, 'approved', g.house.ada);
    await g.rule({
      name: 'no writing for now',
      who: { kind: 'everyone' },
      connector: 'any',
      tools: { classes: ['write'] },
      effect: 'forbid',
    });
  });
  const consent = await seekApproval(s, call);
  assert.deepEqual([consent.kind, consent.kind === 'denied' && consent.why], ['denied', 'policy']);
  await g.house.t.super(`delete from rule where name = 'no writing for now'`);
});

test('a call that waited while the definition of its tool changed does not run', async () => {
  const hold = await held();
  const { s, call } = await scene(hold, async (id) => {
    await g.decide(id, 'approved', g.house.ada);
    await g.house.t.super(
      `insert into tool_definition (org, connector, name, pin, definition, whole, first_seen)
       select org, connector, name, repeat('f', 64), definition, whole, now() from tool_definition where name = 'change' and connector = $1`,
      connector,
    );
    await g.house.t.super(`update tool set pin = repeat('f', 64) where name = 'change' and connector = $1`, connector);
    await g.rule({
      name: 'so that it is seen',
      who: { kind: 'everyone' },
      connector,
      tools: { classes: ['read'] },
      effect: 'allow',
      asks: 'never',
    });
  });
  const consent = await seekApproval(s, call);
  assert.deepEqual([consent.kind, consent.kind === 'denied' && consent.why], ['denied', 'changed']);
});

test('the action is the same from the bytes that are about to be sent as from what was decided on, and any other bytes are another action', () => {
  const pin = 'a'.repeat(64);
  const message = (p: object) =>
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: p }));
  const hash = hashOf(actionOf(by(), connector, 'tools/call', params, pin));
  const ofBytes = (p: object): string => hashOf(actionOfBytes(by(), connector, 'tools/call', message(p), pin));
  assert.equal(
    ofBytes({ arguments: { text: 'caf\u00e9', row: params.arguments.row }, name: 'change' }),
    hash,
    'in another order',
  );
  assert.equal(ofBytes({ ...params, _meta: { progressToken: 1 } }), hash, 'what is for the way only');
  for (const other of [
    { ...params, arguments: { ...params.arguments, row: 0 } },
    { ...params, arguments: { ...params.arguments, row: String(params.arguments.row) } },
    { ...params, arguments: { ...params.arguments, text: 'cafe\u0301' } },
    { ...params, name: 'look' },
    { ...params, inputResponses: { sure: { action: 'accept' } } },
    { ...params, requestState: 'theirs' },
    { ...params, task: { ttl: 1 } },
  ])
    assert.notEqual(ofBytes(other), hash, JSON.stringify(other));
  const note = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: {} }));
  assert.throws(() => actionOfBytes(by(), connector, 'tools/call', note, pin), /not the call that was admitted/);
});
