import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { newId } from '#kernel/id.ts';
import { predefinedName } from './mapping.ts';
import { syncOrgJob } from './sync-org.job.ts';

let h: DoorHouse;
let p: ProvisioningHouse;
before(async () => {
  h = await doorHouse();
  p = await provisioningHouse(h);
});
after(() => h[Symbol.asyncDispose]());

const events = async (type: string): Promise<Record<string, unknown>[]> => (await h.events(type)).map((e) => e.data);

test('an organization with a directory and no settings makes members as user when the directory creates them', async () => {
  assert.equal((await p.ok('GET', ''))['mode'], 'scim_permissive');
  const { user, entry } = await p.push('Anna');
  assert.equal(await p.roleOf(user), 'user');
  const [said] = (await events('provisioning.member_added')).slice(-1);
  assert.deepEqual([said?.['user'], said?.['on'], said?.['source']], [user, 'scim_create', 'directory']);
  await p.disable(entry);
  assert.deepEqual([await p.roleOf(user), await p.stateOf(user)], [undefined, 'suspended']);
  await p.enable(entry);
  assert.deepEqual([await p.roleOf(user), await p.stateOf(user)], ['user', 'active']);
  await p.scim('DELETE', `/Users/${entry}`);
  assert.deepEqual([await p.roleOf(user), await p.stateOf(user)], [undefined, 'suspended']);
  const again = await p.push('Anna');
  assert.deepEqual([again.user, await p.roleOf(user), await p.stateOf(user)], [user, 'user', 'active']);
});

test('roles given by hand stay in the permissive mode, whatever groups do', async () => {
  const { user, entry } = await p.push('Boris');
  await h.t.super(`update member set role = 'admin' where user_id = $1`, user);
  const g = await p.group('gatehouse-anything', [entry]);
  await p.regroup(g, 'remove', [entry]);
  assert.equal(await p.roleOf(user), 'admin');
});

test('the primary owner, whose account the directory made, is neither suspended nor removed by it, and the log says so', async () => {
  const { user, entry } = await p.push('Primo');
  const [member] = await h.t.super<{ id: string }>('select id from member where user_id = $1', user);
  await h.t.super(`update member set role = 'owner' where role = 'primary_owner' and org = $1`, h.acme.org);
  await h.t.super(`update member set role = 'primary_owner' where id = $1`, member?.id);
  try {
    await p.disable(entry);
    assert.deepEqual([await p.roleOf(user), await p.stateOf(user)], ['primary_owner', 'active']);
    const [kept] = (await events('provisioning.kept')).slice(-1);
    assert.deepEqual([kept?.['user'], kept?.['because']], [user, ['primary_owner']]);
    const back = await p.scim('GET', `/Users/${entry}`);
    assert.equal(back['active'], false, 'the directory reads what it wrote');
  } finally {
    await h.t.super(`update member set role = 'user' where id = $1`, member?.id);
    await h.t.super(`update member set role = 'primary_owner' where user_id = $1`, h.acme.owner);
  }
});

test('a break-glass account stays whatever the directory says, until an owner ends that', async () => {
  const { user, entry } = await p.push('Glas');
  await p.ok('PUT', `/exempt/${user}`, { why: 'for the day when the identity provider is down' });
  await p.disable(entry);
  assert.deepEqual([await p.roleOf(user), await p.stateOf(user)], ['user', 'active']);
  const { items } = await p.ok('GET', '/exempt');
  assert.deepEqual(
    (items as { user: string }[]).map((e) => e.user),
    [user],
  );
  await p.ok('DELETE', `/exempt/${user}`);
  await p.enable(entry);
  await p.disable(entry);
  assert.equal(await p.roleOf(user), undefined);
  for (const path of [`/exempt/${newId('usr')}`, '/exempt/nonsense'])
    assert.equal((await p.api('PUT', path, { why: 'x' })).body['code'], 'provisioning/no-person');
});

test('with mappings a membership and its role follow the mapped groups at once, by id and by pre-defined name', async () => {
  const org = { prefix: 'northwind', surface: 'workspace', org: h.acme.org };
  const [cora, dan] = [await p.push('Cora'), await p.push('Dan')];
  const staff = await p.group('Staff', [cora.entry, dan.entry]);
  const people = await h.t.super<{ entry: string }>(
    `select e.id as entry from scim_user e join member m on m.user_id = e.user_id where e.deleted_at is null and e.active and e.user_id <> all($1)`,
    [cora.user, dan.user],
  );
  await p.regroup(
    staff,
    'add',
    people.map((r) => r.entry),
  );
  await p.set(
    { set: 'prefix', prefix: 'northwind' },
    { set: 'map', group: staff, role: 'user' },
    { set: 'mode', mode: 'scim_advanced' },
  );
  assert.equal(await p.roleOf(cora.user), 'user');

  const admins = await p.group(predefinedName(org, 'admin'), [cora.entry]);
  assert.equal(await p.roleOf(cora.user), 'admin', 'the highest wins');
  await p.regroup(admins, 'remove', [cora.entry]);
  assert.equal(await p.roleOf(cora.user), 'user');
  await p.scim('PATCH', `/Groups/${admins}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'add', path: 'members', value: [{ value: dan.entry }] },
      { op: 'replace', path: 'displayName', value: 'Something else' },
    ],
  });
  assert.equal(await p.roleOf(dan.user), 'user', 'a name that means nothing gives nothing');
  await p.scim('PATCH', `/Groups/${admins}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'displayName', value: predefinedName(org, 'admin') }],
  });
  assert.equal(await p.roleOf(dan.user), 'admin', 'renamed, it means its people');
  await p.scim('DELETE', `/Groups/${admins}`);
  assert.equal(await p.roleOf(dan.user), 'user');

  await p.regroup(staff, 'remove', [dan.entry]);
  assert.equal(await p.roleOf(dan.user), undefined);
  const why = await p.ok('GET', `/people/${dan.user}`);
  assert.equal(why['removed'].cause, 'unmapped');
  assert.deepEqual(
    why['sync'].reasons.map((r: { code: string }) => r.code),
    ['no_mapped_group'],
  );
  await p.regroup(staff, 'add', [dan.entry]);
  assert.equal(await p.roleOf(dan.user), 'user', 'the group brings back whom only its lack removed');

  const nobody = await p.push('Nora');
  assert.equal(await p.roleOf(nobody.user), undefined);
  assert.equal(await p.stateOf(nobody.user), 'active');
});

test('whoever was in a mapped group before they had an address is in with the address', async () => {
  const made = await p.scim('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'nomail',
    externalId: 'ext-nomail',
  });
  const staff = String((await p.ok('GET', '/groups?q=Staff'))['items'][0].id);
  await p.regroup(staff, 'add', [String(made['id'])]);
  await p.scim('PATCH', `/Users/${made['id']}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'add', path: 'emails', value: [{ value: 'nomail@acme.example', primary: true }] }],
  });
  const [row] = await h.t.super<{ user_id: string }>('select user_id from scim_user where id = $1', made['id']);
  assert.equal(await p.roleOf(row?.user_id ?? ''), 'user');
});

test('whoever an administrator removed is not brought back by a group or a sync, and is when somebody says so', async () => {
  const { user, entry } = await p.push('Rudi');
  const staff = String((await p.ok('GET', '/groups?q=Staff'))['items'][0].id);
  await p.regroup(staff, 'add', [entry]);
  const [member] = await h.t.super<{ id: string }>('select id from member where user_id = $1', user);
  assert.equal((await h.api('DELETE', `/orgs/${h.acme.org}/members/${member?.id}`)).status, 200);
  await p.regroup(staff, 'remove', [entry]);
  await p.regroup(staff, 'add', [entry]);
  await p.ok('POST', '/sync');
  assert.equal(await p.roleOf(user), undefined);
  const why = await p.ok('GET', `/people/${user}`);
  assert.equal(why['removed'].cause, 'hand');
  assert.match(JSON.stringify(why['sync'].reasons), /an administrator removed the person/);
  assert.match(JSON.stringify((await p.ok('GET', '/removed?q=rudi'))['items']), new RegExp(user));
  await p.ok('DELETE', `/removed/${user}`);
  await p.ok('POST', '/sync');
  assert.equal(await p.roleOf(user), 'user');
  assert.equal((await p.api('DELETE', `/removed/${user}x`)).body['code'], 'provisioning/no-person');
});

test('groups by hand and of a directory are one thing to rules and mappings', async () => {
  const { user } = await p.push('Hanna');
  const local = (await h.addPerson('Lokal', 'user')).user;
  const made = await p.ok('POST', '/groups', { name: 'Council' });
  const group = String(made['id']);
  await p.ok('PUT', `/groups/${group}/members/${local}`);
  const of = (who: string) =>
    h.t.db.read({ parent: h.acme.parent, org: h.acme.org }, (db) => groupsOfUser(db, who as typeof user));
  assert.deepEqual(await of(local), [group]);
  assert.deepEqual(
    await h.t.db.read({ parent: h.acme.parent, org: newId('org') }, (db) => groupsOfUser(db, local)),
    [],
    'of this organization only',
  );
  await p.set({ set: 'map', group, role: 'admin', tier: 'premium' });
  assert.equal(await p.roleOf(local), 'admin');
  const mapped = (await p.ok('GET', '/mappings'))['items'].find((m: { group: string }) => m.group === group);
  assert.deepEqual([mapped.source, mapped.tier, mapped.seen.members], ['hand', 'premium', 1]);
  await p.ok('DELETE', `/groups/${group}/members/${local}`);
  assert.equal(await p.roleOf(local), undefined, 'in no mapped group any more');
  const refusals: [string, string, object | undefined, string][] = [
    ['POST', '/groups', { name: 'council' }, 'provisioning/group-exists'],
    ['PUT', `/groups/${newId('grp')}/members/${user}`, undefined, 'provisioning/no-hand-group'],
    ['PUT', `/groups/${group}/members/${newId('usr')}`, undefined, 'provisioning/no-person'],
    ['DELETE', '/groups/nonsense', undefined, 'provisioning/no-hand-group'],
  ];
  for (const [method, path, body, code] of refusals)
    assert.equal((await p.api(method, path, body)).body['code'], code, path);
  await p.ok('DELETE', `/groups/${group}`);
  assert.equal((await p.ok('GET', '/groups?source=hand'))['items'].length, 0);
});

test('a group by hand means nothing by its name, so nobody gets a role by thinking of the right one', async () => {
  const { user, entry } = await p.push('Schlau');
  const staff = String((await p.ok('GET', '/groups?q=Staff'))['items'][0].id);
  await p.regroup(staff, 'add', [entry]);
  const name = predefinedName({ prefix: 'northwind', surface: 'workspace', org: h.acme.org }, 'owner');
  const { id } = await p.ok('POST', '/groups', { name });
  const byId = (await p.ok('GET', `/groups?q=${id}`))['items'];
  assert.deepEqual(
    byId.map((g: { name: string }) => g.name),
    [name],
    'a group is found by its id',
  );
  await p.ok('PUT', `/groups/${id}/members/${user}`);
  await p.ok('POST', '/sync');
  assert.equal(await p.roleOf(user), 'user');
  const { items } = await p.ok('GET', `/groups/${id}/members`);
  assert.deepEqual(
    items.map((m: { user: string; email: string }) => [m.user, m.email]),
    [[user, 'schlau@acme.example']],
  );
  assert.equal((await p.api('GET', `/groups/${newId('grp')}/members`)).body['code'], 'provisioning/no-group');
});

test('somebody who moves from one mapped group to another at the same moment stays a member', async () => {
  const movers = [];
  for (let i = 0; i < 12; i++) movers.push(await p.push(`Mover${i}`));
  const [a, b] = [
    await p.group(
      'Left',
      movers.map((m) => m.entry),
    ),
    await p.group('Right'),
  ];
  await p.set({ set: 'map', group: a, role: 'user' }, { set: 'map', group: b, role: 'user' });
  await Promise.all(movers.flatMap((m) => [p.regroup(a, 'remove', [m.entry]), p.regroup(b, 'add', [m.entry])]));
  for (const m of movers) assert.equal(await p.roleOf(m.user), 'user');
});

test('an organization of the same parent follows groups of a directory that is not its own', async () => {
  const sister = newId('org');
  await h.t.super(
    `insert into org (parent, id, name, surface, created_at) values ($1, $2, 'Sister', 'console', now())`,
    h.acme.parent,
    sister,
  );
  const { entry, user } = await p.push('Sara');
  const group = await p.group('Console people');
  await h.t.super(
    `insert into org_provisioning (parent, org, mode, prefix, domains, version, changed_at, changed_by) values ($1, $2, 'scim_advanced', 'x', '{}', 1, now(), 'test')`,
    h.acme.parent,
    sister,
  );
  await h.t.super(
    `insert into group_mapping (org, id, group_id, role, created_by, created_at) values ($1, $2, $3, 'admin', 'test', now())`,
    sister,
    newId('map'),
    group,
  );
  await p.regroup(group, 'add', [entry]);
  const jobs = await h.t.super<{ payload: { org: string } }>(
    `select p.payload from graphile_worker.jobs j join graphile_worker._private_jobs p using (id) where task_identifier = 'provisioning.sync_org'`,
  );
  assert.deepEqual(
    jobs.map((j) => j.payload.org),
    [sister],
  );
  const job = syncOrgJob(h.world);
  await job.run(jobs[0]?.payload);
  const roles = await h.t.super('select role from member where org = $1 and user_id = $2', sister, user);
  assert.deepEqual(roles, [{ role: 'admin' }]);
});

test('drift shows when the identity provider last stood behind somebody, and what the next sync would do', async () => {
  const { user } = await p.push('Drift');
  const staff = String((await p.ok('GET', '/groups?q=Staff'))['items'][0].id);
  await h.t.super(
    `insert into scim_membership (parent, group_id, scim_user, asserted_at) select parent, $1, id, now() from scim_user where user_id = $2`,
    staff,
    user,
  );
  const shown = (await p.ok('GET', '/people?q=drift&drift=only'))['items'];
  assert.deepEqual(
    shown.map((s: { user: string; drift: string[] }) => [s.user, s.drift]),
    [[user, ['add_member']]],
  );
  const done = await p.ok('POST', '/sync');
  assert.ok(done['changed'] >= 1);
  const after = (await p.ok('GET', '/people?q=drift'))['items'][0];
  assert.deepEqual(
    [after.role, after.drift, after.source, after.lastAsserted !== null],
    ['user', [], 'directory', true],
  );
  assert.equal((await events('provisioning.synced')).at(-1)?.['changed'], done['changed']);
});

test('people are listed in pages and found by name', async () => {
  const one = await p.ok('GET', '/people?limit=2');
  assert.equal(one['items'].length, 2);
  const two = await p.ok('GET', `/people?limit=2&cursor=${one['next']}`);
  assert.ok(two['items'][0].user > one['items'][1].user);
  assert.equal((await p.ok('GET', '/people?q=nobody-like-this'))['items'].length, 0);
});
