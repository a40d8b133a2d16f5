import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { policyHouse, type PolicyHouse } from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import type { Actor, World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { addRule } from './add-rule.ts';
import type { Catalogue, CatalogueTool } from './catalogue.ts';
import { myPolicyOperations } from './mine.http.ts';

let t: TestDb;
let world: World;
let h: PolicyHouse;
const crm = newId('con');
const tool = (name: string, over: Partial<CatalogueTool> = {}): CatalogueTool => ({
  connector: { id: crm, slug: 'crm', name: 'CRM', on: true },
  name,
  class: 'read',
  reviewed: true,
  projection: [],
  ...over,
});
const catalogue: Catalogue = {
  hasConnector: async (_db, id) => id === crm,
  reviewedTools: async () => [],
  tools: async () => [
    tool('list_deals'),
    tool('read_deal'),
    tool('update_deal', { class: 'write' }),
    tool('new_tool', { class: undefined, reviewed: false }),
  ],
  ownDomains: async () => [],
};

before(async () => {
  t = await testDb();
  world = await t.world();
  h = await policyHouse(t, world, 'ours');
  const every = { kind: 'everyone' } as const;
  const sales = { kind: 'group', group: h.sales } as const;
  const at = { connector: crm, effect: 'allow' } as const;
  await addRule(h.ctx, { ...at, name: 'all read', who: every, tools: { classes: ['read'] }, asks: 'never' }, catalogue);
  await addRule(
    h.ctx,
    { ...at, name: 'Sales writes', who: sales, tools: { classes: ['write'] }, asks: 'always' },
    catalogue,
  );
});
after(() => t.close());

type Answer = {
  status: number;
  json: { code?: string; items: Line[]; connectors: Summary[]; now: Now; call: unknown };
};
type Line = { tool: string; outcome: string; rules: string[]; says: string };
type Summary = { classes: { class: string; counts: Record<string, number>; says: string | null }[] };
type Now = { outcome: string; rules: string[]; says: string };
async function ask(who: Id<'usr'> | 'key', method: string, path: string, body?: object): Promise<Answer> {
  const app = new Hono();
  const actor: Actor =
    who === 'key' ? { kind: 'api_key', id: newId('key') } : { kind: 'user', id: who, session: newId('ses') };
  const gate = () => Promise.resolve({ ...h.ctx, actor, now: new Date() });
  mount(app, { prefix: '/api', gate, dialect: problemJson, operations: myPolicyOperations(catalogue) }, silentLog);
  const r = await app.request(`/api/orgs/${h.org}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
  });
  return { status: r.status, json: (await r.json()) as Answer['json'] };
}

test('each person is told what would become of their own calls, and by which rules', async () => {
  const of = async (who: Id<'usr'>) =>
    (await ask(who, 'GET', '/my/tools')).json.items.map((l) => [l.tool, l.outcome, l.rules.join(' ')]);
  assert.deepEqual(await of(h.ada), [
    ['list_deals', 'allowed', 'all read'],
    ['new_tool', 'denied', ''],
    ['read_deal', 'allowed', 'all read'],
    ['update_deal', 'asks', 'Sales writes'],
  ]);
  assert.deepEqual((await of(h.bob)).at(-1), ['update_deal', 'denied', '']);
});

test('a page of tools goes on where the one before ended', async () => {
  const first = (await ask(h.ada, 'GET', '/my/tools?limit=3')).json as unknown as { items: Line[]; next: string };
  const rest = (await ask(h.ada, 'GET', `/my/tools?limit=3&cursor=${first.next}`)).json;
  assert.deepEqual(
    rest.items.map((l) => l.tool),
    ['update_deal'],
  );
});

test('the summary counts the tools of each class by what would become of them', async () => {
  const [crmOnly] = (await ask(h.ada, 'GET', '/my/access')).json.connectors;
  const no = { allowed: 0, asks: 0, denied: 0, depends: 0 };
  assert.deepEqual(
    crmOnly?.classes.map((c) => [c.class, c.counts, c.says !== null]),
    [
      ['read', { ...no, allowed: 2 }, false],
      ['write', { ...no, asks: 1 }, true],
      ['destructive', { ...no, denied: 1 }, true],
    ],
  );
});

test('a person may ask about a call that they have not made; what a rule says of others is not told', async () => {
  const said = (await ask(h.bob, 'POST', '/my/explain', { connector: crm, tool: 'update_deal' })).json;
  assert.equal(said.now.outcome, 'denied');
  assert.match(said.now.says, /no rule lets you use update_deal/);
  assert.equal(said.call, null);
  assert.equal(JSON.stringify(said).includes(h.sales), false);
});

test('another person’s call is not there, and of one’s own the reason is told and leaves an event', async () => {
  const call = newId('tcl');
  await t.super(
    `insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at, outcome, why, closed_at)
     values ($1, $2, $3, 'update_deal', $4, $5, 'agent', '\\x00', 'n', now(), 'denied', 'policy', now())`,
    h.org,
    call,
    crm,
    newId('mem'),
    h.bob,
  );
  const theirs = await ask(h.ada, 'POST', '/my/explain', { call });
  assert.deepEqual([theirs.status, theirs.json.code], [404, 'policy/no-call']);
  const own = await ask(h.bob, 'POST', '/my/explain', { call });
  assert.deepEqual([own.status, (own.json.call as { why: string }).why], [200, 'policy']);
  const told = await t.super(`select 1 from audit_inbox where header ->> 'type' = 'policy.call_explained'`);
  assert.equal(told.length, 1);
});

test('a key has nothing of its own', async () => {
  for (const path of ['/my/tools', '/my/access']) {
    const r = await ask('key', 'GET', path);
    assert.deepEqual([r.status, r.json.code], [403, 'policy/persons-only']);
  }
});
