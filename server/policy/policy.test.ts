import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { z } from 'zod';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { problemJson } from '#kernel/dialect.ts';
import { silentLog } from '#kernel/log.ts';
import { mount, type Operation } from '#kernel/operation.ts';
import { addMember } from '#org/add-member.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { addRule } from './add-rule.ts';
import { anyDecider } from './approvers.ts';
import type { Catalogue } from './catalogue.ts';
import { decide } from './decide.ts';
import { explainCall } from './explain-call.ts';
import { loadPolicySet } from './load-policy-set.ts';
import { policyOperations } from './policy.http.ts';
import { removeRule } from './remove-rule.ts';
import { MAX_RULES, type RuleDraft } from './rule.ts';

const atNoon = { surface: 'mcp', device: 'unknown', now: { weekday: 3, minute: 720 }, args: {} } as const;
let t: TestDb;
let world: World;
let ours: Founded & { ctx: OrgCtx };
let theirs: Founded & { ctx: OrgCtx };
let ada: Id<'usr'>;
let sales: Id<'grp'>;
const crm = newId('con');

/** Stands where the connectors room will: one connector with two tools. */
const catalogue: Catalogue = {
  hasConnector: async (_db, id) => id === crm,
  reviewedTools: () => Promise.resolve([]),
  tools: async () =>
    (['read', 'write'] as const).map((klass) => ({
      connector: { id: crm, slug: 'crm', name: 'CRM', on: true },
      name: klass === 'read' ? 'list_deals' : 'update_deal',
      class: klass,
      reviewed: true,
      projection: [],
    })),
  ownDomains: async () => [],
};

async function found(name: string): Promise<Founded & { ctx: OrgCtx }> {
  const f = await foundOrg(world, {
    parentName: name,
    orgName: name,
    owner: { email: `owner@${name}.example`, displayName: 'O' },
  });
  return { ...f, ctx: { ...systemCtx(world, 'test', f), org: f.org } };
}

async function group(of: Founded, name: string, ...members: Id<'usr'>[]): Promise<Id<'grp'>> {
  const [dir, id] = [newId('dir'), newId('grp')];
  await t.super(
    `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, 'Okta', now())`,
    of.parent,
    dir,
    of.org,
  );
  await t.super(
    `insert into scim_group (parent, id, directory, display_name, display_name_key, created_at, changed_at) values ($1, $2, $3, $4, lower($4), now(), now())`,
    of.parent,
    id,
    dir,
    name,
  );
  for (const user of members) {
    const scu = newId('scu');
    await t.super(
      `insert into scim_user (parent, id, directory, attributes, user_name_key, active, user_id, created_at, changed_at) values ($1, $2, $3, '{}', $2, true, $4, now(), now())`,
      of.parent,
      scu,
      dir,
      user,
    );
    await t.super(
      `insert into scim_membership (parent, group_id, scim_user, asserted_at) values ($1, $2, $3, now())`,
      of.parent,
      id,
      scu,
    );
  }
  return id;
}

before(async () => {
  t = await testDb();
  world = await t.world();
  ours = await found('ours');
  theirs = await found('theirs');
  ada = (await addMember(ours.ctx, { email: 'ada@ours.example', displayName: 'Ada', role: 'user' })).user;
  sales = await group(ours, 'Sales', ada);
});
after(() => t.close());

let n = 0;
const draft = (over: Partial<RuleDraft> = {}): RuleDraft => ({
  name: `rule ${n++}`,
  who: { kind: 'group', group: sales },
  connector: crm,
  tools: { classes: ['read'] },
  effect: 'allow',
  asks: 'never',
  ...(over as object),
});
/** What row-level security alone leaves of a table, without the help of any query of ours. */
const seen = (ctx: OrgCtx, table: string): Promise<number> =>
  ctx.db.read(
    ctx,
    async (db) =>
      (await db.one({ text: `select count(*)::int as n from ${table}`, values: [], row: z.object({ n: z.number() }) }))
        .n,
  );
const load = (ctx: OrgCtx) => ctx.db.read(ctx, loadPolicySet);
const events = (type: string) =>
  t.super<{ header: { resource: string }; data: Record<string, unknown> }>(
    `select header, data from audit_inbox where header ->> 'type' = $1 order by arrived`,
    type,
  );

test('a rule decides from the moment it is added until it is removed, and both are in the log', async () => {
  const ask = async () => {
    const set = await load(ours.ctx);
    const tool = { connector: crm, name: 'list_deals', class: 'read' as const };
    return decide(set, { user: ada, groups: [sales], tool, action: 'call', context: atNoon }).allowed;
  };
  assert.equal(await ask(), false);
  const rule = await addRule(ours.ctx, draft(), catalogue);
  assert.deepEqual(rule.who, { kind: 'group', group: sales, name: 'Sales' });
  assert.equal(await ask(), true);
  await removeRule(ours.ctx, rule.id);
  assert.equal(await ask(), false);
  assert.equal((await events('policy.rule_added')).at(-1)?.header.resource, rule.id);
  assert.deepEqual((await events('policy.rule_removed')).at(-1)?.data, { rule: rule.id });
});

test('every form of rule comes back from the database as it was added', async () => {
  const forms: RuleDraft[] = [
    draft({ who: { kind: 'everyone' }, connector: 'any', tools: { classes: ['read', 'write'] } }),
    draft({ who: { kind: 'user', user: ada }, tools: { names: ['a', 'b"\\'] } }),
    draft({ effect: 'allow', asks: 'always', approvers: anyDecider }),
    draft({
      effect: 'allow',
      asks: 'always',
      approvers: {
        who: { kind: 'group', group: sales, name: 'Sales' },
        secondPerson: false,
        surface: 'desktop_only',
        fresh: true,
      },
      when: [
        { argument: 'path', is: 'not_in', of: ['/a\\*"*', '/b'] },
        { amount: { atLeast: 1 } },
        { time: { days: ['mon'], from: '09:00', to: '17:00' }, is: 'in' },
      ],
    }),
    draft({
      effect: 'allow',
      asks: 'always',
      approvers: { ...anyDecider, who: { kind: 'user', user: ada, name: 'Ada' } },
    }),
    draft({ effect: 'allow', asks: 'always', approvers: { ...anyDecider, who: { kind: 'manager' } } }),
    {
      name: `rule ${n++}`,
      who: { kind: 'everyone' },
      connector: crm,
      tools: { names: ['send'] },
      effect: 'ask',
      approvers: { ...anyDecider, who: { kind: 'manager' } },
    },
    { name: `rule ${n++}`, who: { kind: 'everyone' }, connector: 'any', tools: { names: ['wipe'] }, effect: 'forbid' },
  ];
  for (const form of forms) {
    const { id } = await addRule(ours.ctx, form, catalogue);
    const {
      createdAt: _,
      createdBy: by,
      ...back
    } = (await load(ours.ctx)).rules.get(id) as never as Record<string, unknown>;
    const named =
      form.who.kind === 'group'
        ? { ...form.who, name: 'Sales' }
        : form.who.kind === 'user'
          ? { ...form.who, name: 'Ada' }
          : form.who;
    assert.deepEqual(back, { ...form, who: named, id });
    assert.equal(by, 'test');
    await removeRule(ours.ctx, id);
  }
});

const unknown: readonly [what: string, over: () => Partial<RuleDraft>, code: string][] = [
  ['a group that no directory has', () => ({ who: { kind: 'group', group: newId('grp') } }), 'policy/no-group'],
  ['a person who is not a member', () => ({ who: { kind: 'user', user: newId('usr') } }), 'policy/no-user'],
  ['a person of another organization', () => ({ who: { kind: 'user', user: theirs.owner } }), 'policy/no-user'],
  [
    'a group of approvers that does not exist',
    () => ({ asks: 'always', approvers: { ...anyDecider, who: { kind: 'group', group: newId('grp') } } }),
    'policy/no-group',
  ],
  [
    'an approver who is no member here',
    () => ({ asks: 'always', approvers: { ...anyDecider, who: { kind: 'user', user: theirs.owner } } }),
    'policy/no-user',
  ],
  ['a connector that is not there', () => ({ connector: newId('con') }), 'policy/no-connector'],
  [
    'allowed tool names of every connector',
    () => ({ connector: 'any', tools: { names: ['list_deals'] } }),
    'policy/names-need-connector',
  ],
];
for (const [what, over, code] of unknown)
  test(`a rule about ${what} is refused with ${code}`, async () => {
    await assert.rejects(addRule(ours.ctx, draft(over()), catalogue), { code });
  });

test('a rule about a group of another parent is refused as if there were no such group', async () => {
  const foreign = await group(theirs, 'Sales');
  await assert.rejects(addRule(ours.ctx, draft({ who: { kind: 'group', group: foreign } }), catalogue), {
    code: 'policy/no-group',
    kind: 'missing',
  });
});

test('two rules in force cannot have one name, in any case of letters; a removed rule leaves its name', async () => {
  const first = await addRule(ours.ctx, draft({ name: 'Readers' }), catalogue);
  await assert.rejects(addRule(ours.ctx, draft({ name: 'READERS' }), catalogue), { code: 'policy/name-taken' });
  await removeRule(ours.ctx, first.id);
  await removeRule(ours.ctx, (await addRule(ours.ctx, draft({ name: 'readers' }), catalogue)).id);
});

test('a rule is removed once', async () => {
  const { id } = await addRule(ours.ctx, draft(), catalogue);
  await removeRule(ours.ctx, id);
  await assert.rejects(removeRule(ours.ctx, id), { code: 'policy/no-rule', kind: 'missing' });
});

test('the rules of one organization are not there for another', async () => {
  const { id } = await addRule(ours.ctx, draft(), catalogue);
  assert.equal((await load(theirs.ctx)).rules.size, 0);
  assert.deepEqual(await seen(theirs.ctx, 'rule'), 0);
  assert.ok((await seen(ours.ctx, 'rule')) > 0);
  await assert.rejects(removeRule(theirs.ctx, id), { code: 'policy/no-rule' });
  await removeRule(ours.ctx, id);
});

test('the application can neither rewrite nor delete a rule', async () => {
  const { id } = await addRule(ours.ctx, draft(), catalogue);
  const client = await t.db.pool.connect();
  try {
    for (const statement of [`update rule set effect = 'forbid'`, `update rule set name = 'x'`, 'delete from rule'])
      await assert.rejects(client.query(statement), /permission denied/);
  } finally {
    client.release();
  }
  await removeRule(ours.ctx, id);
});

test('a group that is gone leaves a rule that applies to nobody', async () => {
  const temps = await group(ours, 'Temps');
  const { id } = await addRule(ours.ctx, draft({ who: { kind: 'group', group: temps } }), catalogue);
  await t.super('delete from scim_group where id = $1', temps);
  const rule = (await load(ours.ctx)).rules.get(id);
  assert.deepEqual(rule?.who, { kind: 'group', group: temps, name: undefined });
  await removeRule(ours.ctx, id);
});

test(`rule ${MAX_RULES + 1} is refused`, async () => {
  const full = await found('full');
  await t.super(
    `insert into rule (org, id, name, effect, who_kind, tool_classes, created_by, created_at)
     select $1, 'rul_' || lpad(to_hex(i), 32, '0'), 'r' || i, 'forbid', 'everyone', '{read}', 'test', now() from generate_series(1, $2::int) i`,
    full.org,
    MAX_RULES,
  );
  await assert.rejects(addRule(full.ctx, draft({ who: { kind: 'everyone' } }), catalogue), {
    code: 'policy/too-many-rules',
  });
  assert.equal((await load(full.ctx)).rules.size, MAX_RULES);
});

test('explain uses the groups and the class that a real call would, and an unreviewed tool counts as destructive', async () => {
  const { id } = await addRule(ours.ctx, draft({ name: 'Sales may read' }), catalogue);
  const ask = (tool: string) => explainCall(ours.ctx, { user: ada, connector: crm, tool, surface: 'mcp' }, catalogue);
  const yes = await ask('list_deals');
  assert.deepEqual([yes.outcome, yes.rules[0]?.rule, yes.groups], ['allowed', id, [{ id: sales, name: 'Sales' }]]);
  const no = await ask('brand_new');
  assert.deepEqual([no.outcome, no.class], ['denied', 'destructive']);
  assert.equal(no.says, 'no rule lets you use brand_new (destructive); rules that come closest: "Sales may read"');
  await removeRule(ours.ctx, id);
});

test('explain knows no person and no connector from elsewhere', async () => {
  const q = { user: ada, connector: crm, tool: 'x', surface: 'mcp' as const };
  await assert.rejects(explainCall(ours.ctx, { ...q, user: theirs.owner }, catalogue), { code: 'policy/no-user' });
  await assert.rejects(explainCall(ours.ctx, { ...q, connector: newId('con') }, catalogue), {
    code: 'policy/no-connector',
  });
});

test('the API adds, pages, filters and removes rules, and answers an id that cannot be ours like one that is not there', async () => {
  const Named = z.array(z.object({ name: z.string() }));
  const Answer = z.object({
    items: Named.default([]),
    next: z.string().nullish(),
    words: z.string().optional(),
    cedar: z.string().default(''),
    outcome: z.string().optional(),
    code: z.string().optional(),
  });
  const nothing = Answer.parse({});
  const app = new Hono();
  const gate = async () => ours.ctx;
  mount(
    app,
    {
      prefix: '/api',
      gate,
      dialect: problemJson,
      operations: policyOperations(catalogue),
    },
    silentLog,
  );
  const ask = async (method: string, path: string, value?: unknown) => {
    const init =
      value === undefined
        ? { method }
        : { method, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
    const response = await app.request(`/api/orgs/${ours.org}${path}`, init);
    return {
      status: response.status,
      location: response.headers.get('location'),
      json: response.status === 204 ? nothing : Answer.parse(await response.json()),
    };
  };
  const paths: string[] = [];
  for (const name of ['One', 'Two', 'Three']) {
    const made = await ask('POST', '/rules', { ...draft({ name }), who: { kind: 'everyone' } });
    assert.equal(made.status, 201);
    assert.equal(made.json.words, 'everyone may use read tools');
    assert.match(made.json.cedar, /permit/);
    paths.push(made.location!.slice(`/api/orgs/${ours.org}`.length));
  }
  const first = await ask('GET', '/rules?limit=2');
  const second = await ask('GET', `/rules?limit=2&cursor=${first.json.next}`);
  assert.deepEqual([first.json.items.length, second.json.items.length, second.json.next], [2, 1, null]);
  const names = [...first.json.items, ...second.json.items].map((r) => r.name).sort();
  assert.deepEqual(names, ['One', 'Three', 'Two']);
  assert.equal((await ask('GET', '/rules?q=t')).json.items.length, 2);
  assert.equal((await ask('GET', `/rules?connector=${newId('con')}`)).json.items.length, 0);
  const question = { user: ada, connector: crm, tool: 'list_deals' };
  assert.equal((await ask('POST', '/policy/explain', question)).json.outcome, 'allowed');
  for (const path of paths) assert.equal((await ask('DELETE', path)).status, 204);
  for (const id of [paths[0]!.slice('/rules/'.length), newId('rul'), newId('usr'), 'x'])
    assert.deepEqual([(await ask('DELETE', `/rules/${id}`)).json.code], ['policy/no-rule']);
});

const operations = new Map<string, Operation>(policyOperations(catalogue).map((o) => [o.id, o]));
const body = (id: string, value: unknown) => operations.get(id)?.body?.safeParse(value);

test('the door takes every form of rule', () => {
  const rule = { name: ' Readers ', who: { kind: 'everyone' }, connector: 'any', tools: { classes: ['read'] } };
  assert.equal(body('policy.add_rule', { ...rule, effect: 'allow', asks: 'never' })?.success, true);
  assert.equal(body('policy.add_rule', { ...rule, effect: 'forbid' })?.success, true);
  assert.equal(
    body('policy.add_rule', { ...rule, effect: 'ask', approvers: { who: { kind: 'manager' } } })?.success,
    true,
  );
  const asks = { ...rule, effect: 'allow', asks: 'always' };
  const given = body('policy.add_rule', {
    ...asks,
    approvers: { who: { kind: 'self' } },
    when: [{ argument: 'path', of: ['/Reports/*'] }, { surface: ['desk'] }],
    reason: 'because',
    expects: 0,
  });
  assert.deepEqual(given?.data, {
    ...asks,
    name: 'Readers',
    approvers: { who: { kind: 'self' }, secondPerson: false, surface: 'any', fresh: false },
    when: [
      { argument: 'path', is: 'in', of: ['/Reports/*'] },
      { surface: ['desk'], is: 'in' },
    ],
    reason: 'because',
    expects: 0,
  });
});

const bad: readonly [what: string, over: Record<string, unknown>][] = [
  ['an allow that does not say whether it asks', { asks: undefined }],
  ['a forbid that asks', { effect: 'forbid', asks: 'always' }],
  ['an ask that says whether it asks', { effect: 'ask', asks: 'always' }],
  ['approvers where nobody is asked', { approvers: { who: { kind: 'deciders' } } }],
  ['a self that is a second person', { asks: 'always', approvers: { who: { kind: 'self' }, secondPerson: true } }],
  ['a group of approvers without its id', { asks: 'always', approvers: { who: { kind: 'group' } } }],
  ['a condition that does not exist', { when: [{ weather: 'good' }] }],
  ['a reason of two lines', { reason: 'a\nb' }],
  ['a version that cannot be', { expects: -1 }],
  ['a preview that is no hash', { previewed: 'yes' }],
  ['no class', { tools: { classes: [] } }],
  ['a class twice', { tools: { classes: ['read', 'read'] } }],
  ['an unknown class', { tools: { classes: ['admin'] } }],
  ['classes and names', { tools: { classes: ['read'], names: ['x'] } }],
  ['a name of two lines', { name: 'a\nb' }],
  ['a name that turns the text around', { name: 'a\u202eb' }],
  ['an empty name', { name: '  ' }],
  ['a group without its id', { who: { kind: 'group' } }],
  ['a connector that is no id', { connector: 'crm' }],
  ['an id of another kind', { who: { kind: 'group', group: newId('usr') } }],
  ['something undeclared', { priority: 1 }],
];
for (const [what, over] of bad)
  test(`the door refuses a rule with ${what}`, () => {
    const rule = {
      name: 'r',
      who: { kind: 'everyone' },
      connector: crm,
      tools: { classes: ['read'] },
      effect: 'allow',
      asks: 'never',
    };
    assert.equal(body('policy.add_rule', rule)?.success, true);
    assert.equal(body('policy.add_rule', { ...rule, ...over })?.success, false);
  });
