import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { z } from 'zod';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { addMember } from '#org/add-member.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { addRule } from './add-rule.ts';
import type { Catalogue, CataloguedTool } from './catalogue.ts';
import { changePolicies } from './change-policies.ts';
import { MAX_CEDAR } from './check-cedar.ts';
import { decideCall } from './decide.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { policyOperations } from './policy.http.ts';
import { because } from './because.ts';
import type { ToolClass } from './schema.ts';

let t: TestDb;
let world: World;
const [crm, drive] = [newId('con'), newId('con')];
let tools: CataloguedTool[];
const catalogue: Catalogue = {
  hasConnector: (_db, id) => Promise.resolve(id === crm || id === drive),
  toolClass: () => Promise.resolve('read'),
  reviewedTools: () => Promise.resolve(tools),
};

type House = Founded & { ctx: OrgCtx; ada: Id<'usr'>; bob: Id<'usr'>; sales: Id<'grp'>; ask: Ask };
type Ask = (method: string, path: string, value?: unknown) => Promise<{ status: number; json: Answer }>;
type Answer = z.infer<typeof Answer>;
const Answer = z.looseObject({
  items: z.array(z.looseObject({ id: z.string().optional() })).default([]),
  id: z.string().default(''),
  code: z.string().optional(),
  detail: z.string().default(''),
  hash: z.string().default(''),
  number: z.number().default(0),
  version: z.unknown().optional(),
});

/** An organization with Ada and Bob, of whom Ada is in Sales. */
async function house(name: string): Promise<House> {
  const f = await foundOrg(world, {
    parentName: name,
    orgName: name,
    owner: { email: `owner@${name}.example`, displayName: 'O' },
  });
  const ctx: OrgCtx = { ...systemCtx(world, 'test', f), org: f.org };
  const add = async (who: string) =>
    (await addMember(ctx, { email: `${who}@${name}.example`, displayName: who, role: 'user' })).user;
  const [ada, bob, sales] = [await add('Ada'), await add('Bob'), newId('grp')];
  await t.super(
    `insert into org_group (parent, id, org, source, name, first_seen_at, last_seen_at) values ($1, $2, $3, 'hand', 'Sales', now(), now())`,
    f.parent,
    sales,
    f.org,
  );
  await t.super(
    `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
    f.parent,
    f.org,
    sales,
    ada,
  );
  const app = new Hono();
  const gate = () => Promise.resolve(ctx);
  mount(app, { prefix: '/api', gate, dialect: problemJson, operations: policyOperations(catalogue) }, silentLog);
  const ask: Ask = async (method, path, value) => {
    const init =
      value === undefined
        ? { method }
        : { method, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
    const r = await app.request(`/api/orgs/${f.org}${path}`, init);
    return { status: r.status, json: Answer.parse(r.status === 204 ? {} : await r.json()) };
  };
  return { ...f, ctx, ada, bob, sales, ask };
}

const load = (h: House) => h.ctx.db.read(h.ctx, loadPolicySet);
async function may(h: House, user: Id<'usr'>, klass: ToolClass, connector = crm): Promise<string> {
  const set = await load(h);
  const groups = user === h.ada ? [h.sales] : [];
  return decideCall(
    set,
    {
      user,
      groups,
      tool: { connector, name: klass, class: klass },
      context: { surface: 'mcp', device: 'unknown', now: { weekday: 1, minute: 0 } },
    },
    [{}],
  ).outcome;
}
const why = { reason: 'the board wants it' };
const everyone = { kind: 'everyone' } as const;
const saved = async (h: House, value: unknown) => {
  const r = await h.ask('PUT', '/policy/controls', { ...why, ...(value as object) });
  assert.equal(r.status, 200, JSON.stringify(r.json));
  return r.json;
};

before(async () => {
  t = await testDb();
  world = await t.world();
  tools = [crm, drive].flatMap((connector) =>
    (['read', 'write', 'destructive'] as const).map((c) => ({
      connector,
      connectorName: connector === crm ? 'CRM' : 'Drive',
      name: `${c}_it`,
      class: c,
    })),
  );
});
after(() => t.close());

test('a new organization is regulated: nothing is allowed until somebody says so', async () => {
  const h = await house('fresh');
  const r = await h.ask('GET', '/policy/settings');
  assert.deepEqual(r.json, {
    ...r.json,
    mode: 'regulated',
    defaultAccess: 'off',
    timeZone: 'UTC',
    words: 'regulated: everything is off until it is allowed',
    version: 0,
  });
  assert.equal(await may(h, h.ada, 'read'), 'denied');
});

test('an open organization gives everybody its default access, but nothing destructive; a control of a connector takes its place', async () => {
  const h = await house('open');
  const set = await h.ask('PUT', '/policy/settings', { mode: 'open', defaultAccess: 'read_write', ...why });
  assert.deepEqual([set.status, set.json.version], [200, 1]);
  assert.deepEqual(
    [await may(h, h.bob, 'read'), await may(h, h.bob, 'write'), await may(h, h.bob, 'destructive')],
    ['allowed', 'allowed', 'denied'],
  );
  await saved(h, { who: everyone, connector: crm, access: 'read' });
  assert.deepEqual([await may(h, h.bob, 'read'), await may(h, h.bob, 'write')], ['allowed', 'denied']);
  assert.equal(await may(h, h.bob, 'write', drive), 'allowed');
  await saved(h, { who: everyone, connector: crm, access: 'off' });
  assert.equal(await may(h, h.bob, 'read'), 'denied');
  await saved(h, { who: everyone, connector: 'any', access: 'off' });
  assert.equal(await may(h, h.bob, 'read', drive), 'denied');
});

test('a connector that is switched off is off for everyone, whatever a rule or a grant says, and the refusal says so', async () => {
  const h = await house('switched');
  await saved(h, { who: { kind: 'group', group: h.sales }, connector: crm, access: 'read_write' });
  assert.deepEqual([await may(h, h.ada, 'write'), await may(h, h.bob, 'write')], ['allowed', 'denied']);
  const off = await saved(h, { who: everyone, connector: crm, access: 'blocked' });
  assert.equal(off['words'], 'this connector is switched off');
  assert.equal(await may(h, h.ada, 'write'), 'denied');
  const set = await load(h);
  const decision = decideCall(
    set,
    {
      user: h.ada,
      groups: [h.sales],
      tool: { connector: crm, name: 'update', class: 'write' },
      context: { surface: 'mcp', device: 'unknown', now: { weekday: 1, minute: 0 } },
    },
    [{}],
  );
  assert.equal(
    because(decision.telling, set),
    'the rule "this connector is switched off" does not let you use update (write)',
  );
  assert.equal((await h.ask('DELETE', `/policy/controls/${off.id}?reason=over`)).status, 204);
  assert.equal(await may(h, h.ada, 'write'), 'allowed');
});

test('one person’s access is revoked without touching anybody else’s, shown with why, and given back', async () => {
  const h = await house('revoked');
  await h.ask('PUT', '/policy/settings', { mode: 'open', defaultAccess: 'read', ...why });
  const revoked = await saved(h, { who: { kind: 'user', user: h.ada }, connector: crm, access: 'blocked' });
  assert.deepEqual([await may(h, h.ada, 'read'), await may(h, h.bob, 'read')], ['denied', 'allowed']);
  const access = await h.ask('GET', `/policy/access?user=${h.ada}`);
  const shape = z.object({
    groups: z.array(z.object({ name: z.string() })),
    connectors: z.array(
      z.object({
        name: z.string(),
        counts: z.record(z.string(), z.number()),
        because: z.array(z.object({ policy: z.string(), words: z.string() })),
      }),
    ),
  });
  const shown = shape.parse(access.json);
  assert.deepEqual(shown.groups, [{ name: 'Sales' }]);
  assert.deepEqual(
    shown.connectors.map((c) => [c.name, c.counts, c.because.map((b) => [b.policy, b.words])]),
    [
      ['CRM', { denied: 3, sometimes: 0, asks: 0, allowed: 0 }, [[revoked.id, 'Ada: no access, whatever a rule says']]],
      ['Drive', { denied: 2, sometimes: 0, asks: 0, allowed: 1 }, [['default', 'open: everyone has read access']]],
    ],
  );
  const list = await h.ask('GET', `/policy/controls?user=${h.ada}`);
  assert.deepEqual(
    list.json.items.map((c) => c.id),
    [revoked.id],
  );
  await h.ask('DELETE', `/policy/controls/${revoked.id}?reason=back`);
  assert.equal(await may(h, h.ada, 'read'), 'allowed');
});

test('controls are listed by page, by connector and by the name of whom they are about', async () => {
  const h = await house('listed');
  await saved(h, { who: everyone, connector: crm, access: 'read' });
  await saved(h, { who: { kind: 'group', group: h.sales }, connector: drive, access: 'read' });
  await saved(h, { who: { kind: 'user', user: h.bob }, connector: 'any', access: 'blocked' });
  const ids = async (query: string) => (await h.ask('GET', `/policy/controls?${query}`)).json.items.length;
  assert.deepEqual(
    [await ids(''), await ids('q=sal'), await ids(`connector=${crm}`), await ids(`user=${h.bob}`)],
    [3, 1, 1, 1],
  );
  const first = await h.ask('GET', '/policy/controls?limit=2');
  const second = await h.ask('GET', `/policy/controls?limit=2&cursor=${String(first.json['next'])}`);
  assert.deepEqual([first.json.items.length, second.json.items.length, second.json['next']], [2, 1, null]);
});

const refused: readonly [what: string, value: (h: House) => unknown, code: string][] = [
  [
    'of a group that does not exist',
    () => ({ who: { kind: 'group', group: newId('grp') }, connector: crm, access: 'read' }),
    'policy/no-group',
  ],
  [
    'of a person of elsewhere',
    () => ({ who: { kind: 'user', user: newId('usr') }, connector: crm, access: 'read' }),
    'policy/no-user',
  ],
  [
    'of a connector that is not there',
    () => ({ who: everyone, connector: newId('con'), access: 'read' }),
    'policy/no-connector',
  ],
  ['without a reason', () => ({ who: everyone, connector: crm, access: 'read', reason: undefined }), 'http/invalid'],
  [
    'of a kind that only everyone can have',
    (h) => ({ who: { kind: 'group', group: h.sales }, connector: crm, access: 'off' }),
    'http/invalid',
  ],
];
test('controls are refused where they would do nothing', async () => {
  const h = await house('nothing');
  for (const [what, value, code] of refused) {
    const r = await h.ask('PUT', '/policy/controls', { ...why, ...(value(h) as object) });
    assert.equal(r.json.code, code, what);
  }
  assert.equal(
    (await h.ask('PUT', '/policy/settings', { mode: 'open', defaultAccess: 'off', ...why })).json.code,
    'http/invalid',
  );
  assert.equal(
    (await h.ask('PUT', '/policy/settings', { mode: 'regulated', timeZone: 'Mars/Olympus', ...why })).json.code,
    'http/invalid',
  );
  assert.equal((await h.ask('DELETE', `/policy/controls/${newId('ctl')}?reason=x`)).json.code, 'policy/no-control');
  assert.equal((await h.ask('GET', `/policy/access?user=${newId('usr')}`)).json.code, 'policy/no-user');
  assert.deepEqual((await h.ask('GET', '/policy/versions')).json.items, []);
});

const permit =
  '@note("kept")\n// and so is this\npermit(principal, action, resource) when { resource.class == Class::"read" };';

test('a policy in Cedar decides from the moment it is saved, keeps its text, and says who evaluates it', async () => {
  const h = await house('expert');
  const made = await h.ask('POST', '/policy/cedar', { name: 'All may read', cedar: permit, ...why });
  assert.deepEqual([made.status, made.json['engine'], made.json['warnings']], [201, 'compiled', []]);
  assert.equal(await may(h, h.bob, 'read'), 'allowed');
  assert.equal((await h.ask('GET', '/policy/cedar?q=kept')).json.items[0]?.['cedar'], permit);
  const address = 'forbid(principal, action, resource) unless { ip("10.0.0.1").isLoopback() };';
  const replaced = await h.ask('PUT', `/policy/cedar/${made.json.id}`, {
    name: 'All may read',
    cedar: address,
    ...why,
  });
  assert.deepEqual(
    [replaced.status, replaced.json.id, replaced.json['engine'], replaced.json['lacks']],
    [200, made.json.id, 'cedar-wasm', 'the function isLoopback'],
  );
  const set = await load(h);
  assert.equal(set.program.lacks[0]?.policy, made.json.id);
  assert.equal((await h.ask('DELETE', `/policy/cedar/${made.json.id}?reason=enough`)).status, 204);
  assert.deepEqual((await h.ask('GET', '/policy/cedar')).json.items, []);
  assert.equal((await h.ask('DELETE', `/policy/cedar/${made.json.id}?reason=again`)).json.code, 'policy/no-cedar');
});

const wrong: readonly [what: string, cedar: string, code: string, says: RegExp][] = [
  [
    'a misspelt attribute',
    'permit(principal, action, resource)\nwhen { resource.clas == Class::"read" };',
    'policy/cedar-not-valid',
    /line 2, column 8: .*`clas`.*did you mean `class`/,
  ],
  [
    'a missing operand',
    'permit(principal, action, resource) when { "é" == resource.name && };',
    'policy/cedar-not-valid',
    /line 1, column 68: unexpected token `}` \(expected .*identifier/,
  ],
  ['two policies', `${permit} ${permit}`, 'policy/cedar-not-valid', /unexpected token/],
  ['a template', 'permit(principal == ?principal, action, resource);', 'policy/cedar-not-valid', /template/],
  [
    'a comparison of kinds',
    'permit(principal, action, resource) when { resource.name == 1 };',
    'policy/cedar-not-valid',
    /compatible/,
  ],
  [
    'an optional argument taken for granted',
    'permit(principal, action == Action::"call", resource) when { context.args.path like "*" };',
    'policy/cedar-not-valid',
    /path/,
  ],
  ['nothing', '// nothing', 'policy/cedar-not-valid', /unexpected end/],
  [
    'brackets without end',
    `permit(principal, action, resource) when { ${'('.repeat(3000)}true${')'.repeat(3000)} };`,
    'policy/cedar-too-deep',
    /nests 3001 deep/,
  ],
  [
    'a chain without end',
    `permit(principal, action, resource) when { ${'true && '.repeat(400)}true };`,
    'policy/cedar-too-deep',
    /400 operators/,
  ],
  [
    'an if in an if and so on',
    `permit(principal, action, resource) when { ${'if true then '.repeat(200)}true${' else true'.repeat(200)} };`,
    'policy/cedar-too-deep',
    /nests 201/,
  ],
];
test('a policy in Cedar that is wrong is refused with the place and what was expected, and the engine works on', async () => {
  const h = await house('wrong');
  for (const [what, cedar, code, says] of wrong) {
    const r = await h.ask('POST', '/policy/cedar', { name: what, cedar, ...why });
    assert.deepEqual([r.status, r.json.code], [400, code], what);
    assert.match(r.json.detail, says, what);
  }
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'long', cedar: `//${'x'.repeat(10_240)}`, ...why })).json.code,
    'http/invalid',
  );
  assert.equal((await h.ask('POST', '/policy/cedar', { name: 'no reason', cedar: permit })).json.code, 'http/invalid');
  assert.equal((await h.ask('POST', '/policy/cedar', { name: 'fine', cedar: permit, ...why })).status, 201);
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'FINE', cedar: permit, ...why })).json.code,
    'policy/name-taken',
  );
  const impossible = await h.ask('POST', '/policy/cedar', {
    name: 'never',
    cedar: 'permit(principal, action, resource) when { 1 == 2 };',
    ...why,
  });
  assert.match(JSON.stringify(impossible.json['warnings']), /impossible/);
});

test('what an expert writes can have no name of a generated policy, and has the schema to be written against', async () => {
  const h = await house('names');
  const rule = await addRule(
    h.ctx,
    { name: 'r', who: everyone, connector: 'any', tools: { classes: ['read'] }, effect: 'allow', asks: 'never' },
    catalogue,
  );
  const made = await h.ask('POST', '/policy/cedar', {
    name: rule.id,
    cedar: `@id("${rule.id}")\nforbid(principal, action, resource);`,
    ...why,
  });
  const set = await load(h);
  assert.deepEqual(Object.keys(set.policies).sort(), [made.json.id, rule.id].sort());
  assert.equal(await may(h, h.ada, 'read'), 'denied');
  assert.match(String((await h.ask('GET', '/policy/cedar/schema')).json['schema']), /entity Tool/);
});

test(`policy ${MAX_CEDAR + 1} in Cedar is refused`, async () => {
  const h = await house('full');
  await t.super(
    `insert into cedar_policy (org, id, name, cedar, set_by, set_at, since) select $1, 'ced_' || i, 'p' || i, $2, 'test', now(), 0 from generate_series(1, $3::int) i`,
    h.org,
    permit,
    MAX_CEDAR,
  );
  assert.equal(
    (await h.ask('POST', '/policy/cedar', { name: 'one more', cedar: permit, ...why })).json.code,
    'policy/too-many',
  );
});

test('every change is a version with author, reason, hash and what was changed; comparing and restoring tell of exactly that', async () => {
  const h = await house('versions');
  const rule = await h.ask('POST', '/rules', {
    name: 'Readers',
    who: everyone,
    connector: crm,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  const one = (await load(h)).version;
  await saved(h, { who: { kind: 'group', group: h.sales }, connector: crm, access: 'read_write' });
  await h.ask('POST', '/policy/cedar', { name: 'Never', cedar: 'forbid(principal, action, resource);', ...why });
  await h.ask('DELETE', `/rules/${rule.json.id}?reason=mistake`);
  const Listed = z.array(
    z.object({
      number: z.number(),
      kind: z.string(),
      about: z.string().nullable(),
      reason: z.string().nullable(),
      madeBy: z.string(),
    }),
  );
  const versions = Listed.parse((await h.ask('GET', '/policy/versions')).json.items);
  assert.deepEqual(
    versions.map((v) => [v.number, v.kind, v.reason, v.madeBy]),
    [
      [4, 'remove_rule', 'mistake', 'test'],
      [3, 'save_cedar', why.reason, 'test'],
      [2, 'set_control', why.reason, 'test'],
      [1, 'add_rule', null, 'test'],
    ],
  );
  assert.equal(versions[3]?.about, rule.json.id);
  assert.equal((await h.ask('GET', '/policy/versions?q=mistake')).json.items.length, 1);
  const page = await h.ask('GET', '/policy/versions?limit=3');
  assert.equal(
    (await h.ask('GET', `/policy/versions?limit=3&cursor=${String(page.json['next'])}`)).json.items.length,
    1,
  );
  const Differences = z.object({
    differences: z.array(
      z.object({ what: z.string(), change: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
    ),
  });
  const against = async (a: number, b: number) =>
    Differences.parse((await h.ask('GET', `/policy/versions/${a}/against/${b}`)).json).differences.map((d) => [
      d.what,
      d.change,
      d.before ?? d.after,
    ]);
  assert.deepEqual(await against(4, 1), [
    ['rule', 'removed', 'Readers: everyone may use read tools'],
    ['control', 'added', 'Sales: read and write access'],
    ['cedar', 'added', 'forbid(principal, action, resource);'],
  ]);
  assert.deepEqual(await against(1, 0), [['rule', 'added', 'Readers: everyone may use read tools']]);
  assert.deepEqual(await against(2, 2), []);

  const restored = await h.ask('POST', '/policy/versions/1/restore', { reason: 'that was better' });
  assert.deepEqual([restored.json.number, restored.json.hash], [5, one]);
  assert.equal((await load(h)).version, one);
  assert.deepEqual(await against(5, 1), []);
  const read = await h.ask('GET', '/policy/versions/5');
  assert.deepEqual(read.json['rules'], [{ id: rule.json.id, name: 'Readers', words: 'everyone may use read tools' }]);
  assert.equal((await h.ask('POST', '/policy/versions/1/restore', why)).json.number, 5);
  assert.deepEqual([await may(h, h.bob, 'read'), await may(h, h.ada, 'write')], ['allowed', 'denied']);
  const nothing = await h.ask('POST', '/policy/versions/0/restore', why);
  assert.equal(nothing.json.number, 6);
  assert.equal(await may(h, h.bob, 'read'), 'denied');
  for (const path of ['/policy/versions/7', '/policy/versions/x', '/policy/versions/1/against/9'])
    assert.equal((await h.ask('GET', path)).json.code, 'policy/no-version');
  assert.equal((await h.ask('POST', '/policy/versions/7/restore', why)).json.code, 'policy/no-version');
  const told = await t.super<{ type: string }>(
    `select header ->> 'type' as type from audit_inbox where header ->> 'type' = 'policy.version_made' and data ->> 'hash' = $1`,
    one,
  );
  assert.ok(told.length === 2, `${told.length} events`);
});

test('a control that is set as it is already makes no version', async () => {
  const h = await house('same');
  const first = await saved(h, { who: everyone, connector: crm, access: 'read' });
  const second = await saved(h, { who: everyone, connector: crm, access: 'read' });
  assert.deepEqual([second.id, second.version], [first.id, first.version]);
});

test('a change of a version that is not in force any more is refused, and two at once are two versions', async () => {
  const h = await house('stale');
  const both = await Promise.all(
    [crm, drive].map((connector) =>
      h.ask('PUT', '/policy/controls', { who: everyone, connector, access: 'read', expects: 0, ...why }),
    ),
  );
  assert.deepEqual(
    both.map((r) => r.status).toSorted((a, b) => a - b),
    [200, 412],
  );
  const late = both.find((r) => r.status === 412);
  assert.equal(late?.json.code, 'policy/stale');
  assert.match(late?.json.detail ?? '', /^version 1 is in force, not 0: test made it at /);
  await Promise.all([crm, drive].map((connector) => saved(h, { who: everyone, connector, access: 'read_write' })));
  assert.equal((await h.ask('GET', '/policy/settings')).json.version, 3);
  const gone = await h.ask('DELETE', `/policy/controls/${newId('ctl')}?reason=x&expects=1`);
  assert.equal(gone.json.code, 'policy/stale');
});

const PreviewShape = z.object({
  hash: z.string(),
  version: z.number(),
  looked: z.object({ people: z.number(), tools: z.number() }),
  counts: z.record(z.string(), z.object({ people: z.number(), pairs: z.number() })),
  groups: z.array(z.looseObject({ name: z.string(), gains: z.number() })),
  lines: z.array(
    z.looseObject({ effect: z.string(), connectorName: z.string(), toolCount: z.number(), peopleCount: z.number() }),
  ),
});

test('a preview says who gains what, changes nothing, and binds the change to what was seen', async () => {
  const h = await house('preview');
  const rule = {
    name: 'Sales write',
    who: { kind: 'group', group: h.sales },
    connector: crm,
    tools: { classes: ['read', 'write'] },
    effect: 'allow',
    asks: 'never',
  };
  const look = async (wish: unknown) => {
    const r = await h.ask('POST', '/policy/preview', wish);
    assert.equal(r.status, 200, JSON.stringify(r.json));
    return PreviewShape.parse(r.json);
  };
  const seen = await look({ kind: 'add_rule', rule });
  assert.deepEqual(
    [seen.version, seen.looked, seen.counts['gains'], seen.counts['loses']],
    [0, { people: 3, tools: 6 }, { people: 1, pairs: 2 }, { people: 0, pairs: 0 }],
  );
  assert.deepEqual(
    seen.lines.map((l) => [l.effect, l['from'], l['to'], l.connectorName, l.toolCount, l['people']]),
    [['gains', 'denied', 'allowed', 'CRM', 2, [{ user: h.ada, name: 'Ada' }]]],
  );
  assert.deepEqual(
    seen.groups.map((g) => [g.name, g.gains]),
    [['Sales', 1]],
  );
  assert.equal(await may(h, h.ada, 'write'), 'denied');
  assert.equal((await look({ kind: 'add_rule', rule })).hash, seen.hash);

  const other = await h.ask('POST', '/rules', { ...rule, effect: 'allow', asks: 'always', previewed: seen.hash });
  assert.deepEqual([other.status, other.json.code], [409, 'policy/preview-stale']);
  await t.super(
    `insert into org_group_member (parent, org, group_id, user_id, asserted_at) values ($1, $2, $3, $4, now())`,
    h.parent,
    h.org,
    h.sales,
    h.bob,
  );
  assert.equal((await h.ask('POST', '/rules', { ...rule, previewed: seen.hash })).json.code, 'policy/preview-stale');
  const again = await look({ kind: 'add_rule', rule });
  assert.equal(again.counts['gains']?.people, 2);
  const kept = tools;
  tools = tools.slice(1);
  assert.equal((await h.ask('POST', '/rules', { ...rule, previewed: again.hash })).json.code, 'policy/preview-stale');
  tools = kept;
  const made = await h.ask('POST', '/rules', { ...rule, previewed: again.hash });
  assert.equal(made.status, 201);
  assert.equal((await look({ kind: 'remove_rule', rule: made.json.id })).counts['loses']?.pairs, 4);
  const cut = { who: everyone, connector: crm, access: 'blocked' } as const;
  const control = await look({ kind: 'set_control', control: cut });
  assert.equal(control.counts['loses']?.people, 2);
  assert.equal((await h.ask('PUT', '/policy/controls', { ...cut, ...why, previewed: control.hash })).status, 200);
  const back = await look({ kind: 'restore', version: 1 });
  assert.equal(back.counts['gains']?.people, 2);
  assert.equal((await h.ask('POST', '/policy/versions/1/restore', { ...why, previewed: back.hash })).status, 200);
  const cedar = { name: 'c', cedar: 'forbid(principal, action, resource) when { resource.class == Class::"write" };' };
  const expert = await look({ kind: 'save_cedar', policy: cedar });
  assert.deepEqual(expert.counts['loses'], { people: 2, pairs: 2 });
  assert.equal((await h.ask('POST', '/policy/cedar', { ...cedar, ...why, previewed: expert.hash })).status, 201);
  const settings = await look({ kind: 'set_settings', settings: { mode: 'open', defaultAccess: 'read' } });
  assert.deepEqual(settings.counts['gains'], { people: 3, pairs: 4 });
  const bad = await h.ask('POST', '/policy/preview', { kind: 'remove_rule', rule: newId('rul') });
  assert.equal(bad.json.code, 'policy/no-rule');
});

test('what one organization says is not there for another', async () => {
  const [ours, theirs] = [await house('ours'), await house('theirs')];
  const control = await saved(ours, { who: everyone, connector: crm, access: 'read' });
  const cedar = await ours.ask('POST', '/policy/cedar', { name: 'c', cedar: permit, ...why });
  assert.equal((await theirs.ask('DELETE', `/policy/controls/${control.id}?reason=x`)).json.code, 'policy/no-control');
  assert.equal(
    (await theirs.ask('PUT', `/policy/cedar/${cedar.json.id}`, { name: 'c', cedar: permit, ...why })).json.code,
    'policy/no-cedar',
  );
  const seen = (h: House, table: string) =>
    h.ctx.db.read(
      h.ctx,
      async (db) =>
        (
          await db.one({
            text: `select count(*)::int as n from ${table}`,
            values: [],
            row: z.object({ n: z.number() }),
          })
        ).n,
    );
  await ours.ask('PUT', '/policy/settings', { mode: 'regulated', timeZone: 'Europe/Berlin', ...why });
  for (const table of ['policy_control', 'cedar_policy', 'policy_version', 'policy_setting'])
    assert.deepEqual([await seen(theirs, table), (await seen(ours, table)) > 0], [0, true], table);
});

test('the application can rewrite no version and nothing that was in one', async () => {
  const client = await t.db.pool.connect();
  try {
    for (const statement of [
      'update policy_version set reason = null',
      'delete from policy_version',
      `update policy_control set access = 'read'`,
      'delete from policy_control',
      `update cedar_policy set cedar = ''`,
      `update policy_setting set mode = 'open'`,
      `update rule set conditions = '[]'`,
    ])
      await assert.rejects(client.query(statement), /permission denied/);
  } finally {
    client.release();
  }
});

test('rules speak of time by the clock of the organization, and a change of it is a version', async () => {
  const h = await house('clock');
  const r = await h.ask('PUT', '/policy/settings', { mode: 'regulated', timeZone: 'Asia/Tokyo', ...why });
  assert.equal(r.json.version, 1);
  assert.equal((await load(h)).zone, 'Asia/Tokyo');
  await changePolicies(h.ctx, { kind: 'restore', version: 0 }, {}, catalogue);
  assert.equal((await load(h)).zone, 'UTC');
});
