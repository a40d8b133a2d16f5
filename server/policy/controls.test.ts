import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import {
  catalogue,
  crm,
  drive,
  everyone,
  loadPolicies,
  may,
  policyHouse,
  type PolicyHouse,
  setControl,
  why,
} from '#dev/policy-house.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { because } from './because.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { changePolicies } from './change-policies.ts';
import { listPeople } from './people.sql.ts';
import { decideCall } from './decide.ts';

let t: TestDb;
let world: World;
before(async () => {
  t = await testDb();
  world = await t.world();
});
after(() => t.close());
const house = (name: string): Promise<PolicyHouse> => policyHouse(t, world, name);

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
  await setControl(h, { who: everyone, connector: crm, access: 'read' });
  assert.deepEqual([await may(h, h.bob, 'read'), await may(h, h.bob, 'write')], ['allowed', 'denied']);
  assert.equal(await may(h, h.bob, 'write', drive), 'allowed');
  await setControl(h, { who: everyone, connector: crm, access: 'off' });
  assert.equal(await may(h, h.bob, 'read'), 'denied');
  await setControl(h, { who: everyone, connector: 'any', access: 'off' });
  assert.equal(await may(h, h.bob, 'read', drive), 'denied');
});

test('a connector that is switched off is off for everyone, whatever a rule or a grant says, and the refusal says so', async () => {
  const h = await house('switched');
  await setControl(h, { who: { kind: 'group', group: h.sales }, connector: crm, access: 'read_write' });
  assert.deepEqual([await may(h, h.ada, 'write'), await may(h, h.bob, 'write')], ['allowed', 'denied']);
  const off = await setControl(h, { who: everyone, connector: crm, access: 'blocked' });
  assert.equal(off['words'], 'this connector is switched off');
  assert.equal(await may(h, h.ada, 'write'), 'denied');
  const set = await loadPolicies(h);
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
  const revoked = await setControl(h, { who: { kind: 'user', user: h.ada }, connector: crm, access: 'blocked' });
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
  await setControl(h, { who: everyone, connector: crm, access: 'read' });
  await setControl(h, { who: { kind: 'group', group: h.sales }, connector: drive, access: 'read' });
  await setControl(h, { who: { kind: 'user', user: h.bob }, connector: 'any', access: 'blocked' });
  const ids = async (query: string) => (await h.ask('GET', `/policy/controls?${query}`)).json.items.length;
  assert.deepEqual(
    [await ids(''), await ids('q=sal'), await ids(`connector=${crm}`), await ids(`user=${h.bob}`)],
    [3, 1, 1, 1],
  );
  const first = await h.ask('GET', '/policy/controls?limit=2');
  const second = await h.ask('GET', `/policy/controls?limit=2&cursor=${String(first.json['next'])}`);
  assert.deepEqual([first.json.items.length, second.json.items.length, second.json['next']], [2, 1, null]);
});

const refused: readonly [what: string, value: (h: PolicyHouse) => unknown, code: string][] = [
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

test('rules speak of time by the clock of the organization, and a change of it is a version', async () => {
  const h = await house('clock');
  const r = await h.ask('PUT', '/policy/settings', { mode: 'regulated', timeZone: 'Asia/Tokyo', ...why });
  assert.equal(r.json.version, 1);
  assert.equal((await loadPolicies(h)).zone, 'Asia/Tokyo');
  await changePolicies(h.ctx, { kind: 'restore', version: 0 }, {}, catalogue);
  assert.equal((await loadPolicies(h)).zone, 'UTC');
});

test('a preview knows people by the groups that a call would know them by', async () => {
  const h = await house('people');
  const people = await h.ctx.db.read(h.ctx, async (db) => {
    const all = await listPeople(db);
    return Promise.all(all.map(async (p) => ({ ...p, same: await groupsOfUser(db, p.user) })));
  });
  assert.deepEqual(new Map(people.map((p) => [p.user, p.groups])), new Map(people.map((p) => [p.user, p.same])));
  assert.deepEqual(people.find((p) => p.user === h.ada)?.groups, [h.sales]);
  await t.super(`update app_user set state = 'suspended', suspended_at = now() where id = $1`, h.bob);
  const left = await h.ctx.db.read(h.ctx, (db) => listPeople(db));
  assert.deepEqual([people.length, left.length, left.some((p) => p.user === h.bob)], [3, 2, false]);
});
