import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callBody, gatewayHouse, raw, saidOf, type GatewayHouse } from '#dev/gateway-house.ts';
import { wildUpstream, type WildUpstream } from '#dev/wild-upstream.ts';
import { changePolicies } from '#policy/change-policies.ts';
import type { Wish } from '#policy/wish.ts';

let g: GatewayHouse;
let up: WildUpstream;
before(async () => {
  [g, up] = await Promise.all([gatewayHouse(), wildUpstream()]);
  await g.connect('up', up.url);
});
after(async () => {
  await up[Symbol.asyncDispose]();
  await g[Symbol.asyncDispose]();
});

const set = async (wish: Wish): Promise<void> => {
  await changePolicies(g.ctx, wish, {}, { hasConnector: () => Promise.resolve(true) });
  await new Promise((done) => setTimeout(done, 1000));
};
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

test('a type that is switched off stops calls of its connectors within a second, names itself, and shows no tools', async () => {
  const token = await g.token(await g.house.addPerson('Tia'));
  const call = async (): Promise<string> => saidOf(await raw(g, { token, body: callBody('look') }));
  const shown = async (): Promise<number> =>
    ((await raw(g, { token, body: list })).json['result'] as { tools: unknown[] }).tools.length;
  assert.deepEqual([await call(), await shown()], ['did look', 2]);
  await set({ kind: 'set_type_control', control: { type: 'mcp', state: 'off', groups: [], access: 'off' } });
  assert.match(
    await call(),
    /^Not allowed: the rule "connectors of the type mcp are switched off" does not let you use look/,
  );
  assert.equal(await shown(), 0);
  await set({ kind: 'remove_type_control', type: 'mcp' });
  assert.deepEqual([await call(), await shown()], ['did look', 2]);
});
