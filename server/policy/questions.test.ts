import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { addMember } from '#org/add-member.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { addRule } from './add-rule.ts';
import type { Catalogue, CatalogueTool } from './catalogue.ts';
import { changePolicies } from './change-policies.ts';
import { explainCall } from './explain-call.ts';
import { policyQuestionOperations } from './questions.http.ts';
import type { RuleDraft } from './rule.ts';
import { simulatePerson } from './simulate-person.ts';
import { simulateTools } from './simulate-tool.ts';

let t: TestDb;
let world: World;
let ours: Founded & { ctx: OrgCtx };
let [ada, bob, cleo]: Id<'usr'>[] = [];
const [mail, crm] = [newId('con'), newId('con')];
const at = { surface: 'mcp', device: 'unknown' } as const;

const tool = (slug: 'mail' | 'crm', name: string, over: Partial<CatalogueTool> = {}): CatalogueTool => ({
  connector: { id: slug === 'mail' ? mail : crm, slug, name: slug.toUpperCase(), on: true },
  name,
  class: 'read',
  reviewed: true,
  projection: [],
  ...over,
});
const tools: CatalogueTool[] = [
  tool('crm', 'delete_deal', { class: 'destructive' }),
  tool('crm', 'list_deals'),
  tool('crm', 'new_tool', { class: undefined, reviewed: false }),
  tool('mail', 'send', {
    class: 'write',
    projection: [
      { kind: 'recipient', at: '/to' },
      { kind: 'recipient', at: '/to/*' },
    ],
  }),
  tool('mail', 'send_blind', { class: 'write' }),
];
/** Stands where the rooms above will. */
const catalogue: Catalogue = {
  hasConnector: async (_db, id) => id === crm || id === mail,
  reviewedTools: async () => [],
  tools: async () => tools,
  ownDomains: async () => ['ours.example'],
};

before(async () => {
  t = await testDb();
  world = await t.world();
  const f = await foundOrg(world, {
    parentName: 'Ours',
    orgName: 'Ours',
    owner: { email: 'owner@ours.example', displayName: 'O' },
  });
  ours = { ...f, ctx: { ...systemCtx(world, 'test', f), org: f.org } };
  const member = async (name: string) =>
    (await addMember(ours.ctx, { email: `${name}@ours.example`, displayName: name, role: 'user' })).user;
  [ada, bob, cleo] = [await member('ada'), await member('bob'), await member('cleo')];
  const rule = (draft: RuleDraft) => addRule(ours.ctx, draft, catalogue);
  await rule({
    name: 'all read the CRM',
    who: { kind: 'everyone' },
    connector: crm,
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
  await rule({
    name: 'Ada mails at home and the partner',
    who: { kind: 'user', user: ada },
    connector: mail,
    tools: { names: ['send'] },
    when: [{ argument: 'recipient_domain', is: 'in', of: ['ours.example', 'partner.example'] }],
    effect: 'allow',
    asks: 'never',
  });
  await rule({
    name: 'Bob mails everybody, asking',
    who: { kind: 'user', user: bob },
    connector: mail,
    tools: { classes: ['write'] },
    effect: 'allow',
    asks: 'always',
  });
});
after(() => t.close());

const why = (user: Id<'usr'> | undefined, name: string, args?: Record<string, unknown>, connector = mail) =>
  explainCall(ours.ctx, { ...at, user: user ?? newId('usr'), connector, tool: name, arguments: args }, catalogue);
const can = async (user: Id<'usr'> | undefined, over: object = {}) =>
  (await simulatePerson(ours.ctx, { ...at, user: user ?? newId('usr'), ...over }, catalogue)).map((s) => [
    `${s.connector.slug}/${s.tool}`,
    s.outcome,
  ]);
const who = async (over: object) =>
  (await simulateTools(ours.ctx, { ...at, ...over }, { after: undefined, limit: 50 }, catalogue)).map((p) => [
    p.displayName,
    p.outcome,
    p.tools.flatMap((x) => x.domains).join(' '),
  ]);

test('explain sees arguments as a call would, and says which condition of a near rule does not hold', async () => {
  const yes = await why(ada, 'send', { to: ['Ada <ada@OURS.example>', 'p@partner.example'] });
  assert.equal(yes.outcome, 'allowed');
  assert.deepEqual(
    yes.combinations.map((c) => c.recipient_domain),
    ['ours.example', 'partner.example'],
  );
  const no = await why(ada, 'send', { to: ['ada@ours.example', 'x@theirs.example'] });
  assert.equal(no.outcome, 'denied');
  assert.equal(no.args.recipient_domain, 'theirs.example', 'it is about the combination that is refused');
  assert.deepEqual(
    no.close.map((c) => [c.name, c.differs, c.failed]),
    [
      ['Ada mails at home and the partner', 'condition', ['the recipient domain is ours.example or partner.example']],
      ['Bob mails everybody, asking', 'who', []],
    ],
  );
  assert.match(no.says, /only when the recipient domain is ours\.example or partner\.example/);
});

test('explain and simulate say what becomes of an outward call of a session that has read untrusted and private content', async () => {
  const place = tools.findIndex((x) => x.name === 'send');
  const was = tools[place]!;
  tools[place] = { ...was, outward: true };
  try {
    const args = { to: 'ada@ours.example' };
    const asked = { ...at, user: ada!, connector: mail, tool: 'send', arguments: args };
    const session = { readUntrusted: true, readPrivate: true };
    assert.equal((await explainCall(ours.ctx, asked, catalogue)).outcome, 'allowed');
    const told = await explainCall(ours.ctx, { ...asked, session }, catalogue);
    assert.deepEqual([told.outcome, told.context.session], ['asks', session]);
    assert.ok(
      told.rules.some((r) => /may take outward actions only after somebody agrees/.test(r.name)),
      JSON.stringify(told.rules),
    );
    const facts = { recipient: 'ada@ours.example', recipient_domain: 'ours.example' };
    const sending = async (over: object) => (await can(ada, { facts, ...over })).find(([name]) => name === 'mail/send');
    assert.deepEqual(await sending({}), ['mail/send', 'allowed']);
    assert.deepEqual(await sending({ session }), ['mail/send', 'asks']);
  } finally {
    tools[place] = was;
  }
});

test('explain tells a condition, another tool and another person apart', async () => {
  const blind = await why(ada, 'send_blind', { to: 'ada@ours.example' });
  assert.deepEqual(
    blind.close.map((c) => [c.name, c.differs]),
    [['Bob mails everybody, asking', 'who']],
  );
  const reads = await why(cleo, 'delete_deal', {}, crm);
  assert.deepEqual(
    reads.close.map((c) => [c.name, c.differs]),
    [['all read the CRM', 'tool']],
  );
  const asks = await why(bob, 'send', { to: 'x@theirs.example' });
  assert.deepEqual([asks.outcome, asks.rules.map((r) => r.through)], ['asks', [bob]]);
});

test('arguments that rules cannot read are refused in an explanation as at the gate', async () => {
  const e = await why(bob, 'send', { to: 'not an address at all <' });
  assert.equal(e.outcome, 'denied');
  assert.match(e.says, /^the argument at \/to .* so rules cannot see it$/);
});

test('what a person can do: every tool with what would become of a call, and what it depends on', async () => {
  assert.deepEqual(await can(ada), [
    ['crm/delete_deal', 'denied'],
    ['crm/list_deals', 'allowed'],
    ['crm/new_tool', 'denied'],
    ['mail/send', 'depends'],
    ['mail/send_blind', 'denied'],
  ]);
  const [send] = await simulatePerson(
    ours.ctx,
    { ...at, user: ada ?? newId('usr'), q: 'MAIL', outcome: 'depends' },
    catalogue,
  );
  assert.deepEqual(
    send?.conditions.map((c) => c.name),
    ['Ada mails at home and the partner'],
  );
  assert.deepEqual(await can(ada, { connector: mail, facts: { recipient_domain: 'partner.example' } }), [
    ['mail/send', 'allowed'],
    ['mail/send_blind', 'denied'],
  ]);
  assert.deepEqual(await can(bob, { class: 'write' }), [
    ['mail/send', 'asks'],
    ['mail/send_blind', 'asks'],
  ]);
});

test('what nobody can do whatever the arguments depends on nothing', async () => {
  await changePolicies(
    ours.ctx,
    {
      kind: 'save_cedar',
      policy: {
        name: 'no mail',
        cedar: `forbid(principal == User::"${ada}", action, resource in Connector::"${mail}");`,
      },
    },
    { reason: 'test' },
    catalogue,
  );
  const found = await simulatePerson(ours.ctx, { ...at, user: ada ?? newId('usr'), connector: mail }, catalogue);
  assert.deepEqual(
    found.map((s) => [s.outcome, s.policies.map((p) => p.name)]),
    [
      ['denied', ['no mail']],
      ['denied', ['no mail']],
    ],
  );
  const [ced] = await t.super<{ id: Id<'ced'> }>(`select id from cedar_policy where until is null`);
  await changePolicies(
    ours.ctx,
    { kind: 'remove_cedar', policy: ced?.id ?? newId('ced') },
    { reason: 'test' },
    catalogue,
  );
});

test('who can send mail outside: to anybody, or only to the domains that a rule names and that are not ours', async () => {
  assert.deepEqual(await who({ connector: mail, tool: 'send', outside: true }), [
    ['ada', 'allowed', 'partner.example'],
    ['bob', 'asks', 'any partner.example'],
    ['cleo', 'denied', ''],
    ['O', 'denied', ''],
  ]);
  const blind = await simulateTools(
    ours.ctx,
    { ...at, connector: mail, tool: 'send_blind', outside: true, outcome: 'asks' },
    { after: undefined, limit: 5 },
    catalogue,
  );
  assert.match(blind[0]?.tools[0]?.says ?? '', /no reviewer has said where this tool has its recipients/);
});

test('who can use a class of tools, with whom being suspended counts for nothing', async () => {
  assert.deepEqual(await who({ class: 'write', outcome: 'asks' }), [['bob', 'asks', '']]);
  assert.deepEqual((await who({ class: 'read', connector: crm, outcome: 'allowed' })).length, 4);
  await t.super(
    `update app_user set state = 'suspended', suspended_at = now(), suspended_by = 'x' where id = $1`,
    cleo,
  );
  assert.deepEqual((await who({ class: 'read', connector: crm, outcome: 'allowed' })).length, 3);
  assert.deepEqual(
    (await can(cleo)).every(([, outcome]) => outcome === 'denied'),
    true,
  );
});

test('questions about what is not here are refused', async () => {
  await assert.rejects(why(newId('usr'), 'send'), { code: 'policy/no-user' });
  await assert.rejects(why(ada, 'send', {}, newId('con')), { code: 'policy/no-connector' });
  await assert.rejects(who({ connector: mail, tool: 'nothing' }), { code: 'policy/no-tool' });
  await assert.rejects(who({}), { code: 'policy/which-tools' });
});

test('the API pages and searches both lists, gives them as CSV, and refuses a fact that no call could have', async () => {
  const app = new Hono();
  const operations = policyQuestionOperations(catalogue);
  mount(app, { prefix: '/api', gate: async () => ours.ctx, dialect: problemJson, operations }, silentLog);
  const get = async (path: string) => {
    const r = await app.request(`/api/orgs/${ours.org}/policy/simulate${path}`);
    const text = await r.text();
    return { status: r.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  };
  const first = await get(`/tools?user=${ada}&limit=3`);
  const second = await get(`/tools?user=${ada}&limit=3&cursor=${first.json.next}`);
  assert.deepEqual(
    [...first.json.items, ...second.json.items].map((i) => i.tool),
    ['delete_deal', 'list_deals', 'new_tool', 'send', 'send_blind'],
  );
  assert.equal(second.json.next, null);
  const people = await get(`/people?connector=${mail}&tool=send&outside=true&limit=1`);
  assert.deepEqual([people.json.items.length, people.json.items[0].displayName], [1, 'ada']);
  const next = await get(`/people?connector=${mail}&tool=send&outside=true&limit=1&cursor=${people.json.next}`);
  assert.equal(next.json.items[0].displayName, 'bob');
  const found = await get(`/people?class=write&q=OB@`);
  assert.deepEqual(
    found.json.items.map((p: { displayName: string }) => p.displayName),
    ['bob'],
  );
  const lines = (await get(`/people.csv?connector=${mail}&tool=send&recipient_domain=Partner.example`)).text.split(
    '\r\n',
  );
  assert.match(lines[0] ?? '', /^user,email,name,outcome/);
  assert.match(lines[1] ?? '', new RegExp(`^${ada},ada@ours.example,ada,allowed,mail/send,`));
  assert.match((await get(`/tools.csv?user=${ada}`)).text, /^connector,tool,class,outcome,says,rules,depends_on\r\n/);
  for (const bad of ['path=a%5Cb', 'recipient_domain=%40', 'recipient=a%40b.example,c%40d.example'])
    assert.equal((await get(`/people?class=write&${bad}`)).json.code, 'policy/unreadable-fact', bad);
});
