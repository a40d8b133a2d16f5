import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import type { World } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { mount } from '#kernel/operation.ts';
import { silentLog } from '#kernel/log.ts';
import { can } from '#org/roles.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { memberRoles, type MemberRole } from '#org/member.ts';
import { testDb, type TestDb } from '#dev/test-db.ts';
import { allOperations, doors } from '../doors.ts';

/**
 * Every operation, called by nobody, by each role that lacks its permission, by a key that lacks it, and from another organization. The
 * list comes from the operations themselves, so none can be left out.
 */
let t: TestDb;
let world: World;
let app: Hono;
let ours: Founded;
let theirs: Founded;
const cookies = new Map<MemberRole, string>();
let foreign = '';
let weakKey = '';

before(async () => {
  t = await testDb();
  world = await t.world({ origin: 'http://localhost:1' });
  app = new Hono();
  for (const door of doors(world)) mount(app, door, silentLog);
  ours = await foundOrg(world, {
    parentName: 'Ours',
    orgName: 'Ours',
    owner: { email: 'o@ours.example', displayName: 'O' },
  });
  theirs = await foundOrg(world, {
    parentName: 'Theirs',
    orgName: 'Theirs',
    owner: { email: 'o@theirs.example', displayName: 'T' },
  });
  const session = async (f: Founded, user: string): Promise<string> => {
    const secret = randomBytes(32).toString('base64url');
    await t.super(
      `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, 'setup_link', 'test', now(), now(), now() + interval '1 day')`,
      f.parent,
      newId('ses'),
      user,
      createHash('sha256').update(secret).digest(),
    );
    return `__Host-gatehouse=${secret}`;
  };
  cookies.set('primary_owner', await session(ours, ours.owner));
  foreign = await session(theirs, theirs.owner);
  for (const role of memberRoles) {
    if (role === 'primary_owner') continue;
    const user = newId('usr');
    await t.super(
      `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $3, 'active', 'local', now())`,
      ours.parent,
      user,
      `${role}@ours.example`,
    );
    await t.super(
      `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, $4, now())`,
      ours.org,
      newId('mem'),
      user,
      role,
    );
    cookies.set(role, await session(ours, user));
  }
  weakKey = `ghk_${randomBytes(32).toString('base64url')}`;
  await t.super(
    `insert into api_key (org, id, name, hash, permissions, created_by, created_at, expires_at) values ($1, $2, 'weak', $3, '{}', $4, now(), now() + interval '1 day')`,
    ours.org,
    newId('key'),
    createHash('sha256').update(weakKey).digest(),
    ours.owner,
  );
});
after(() => t.close());

/** The path with our org, and with ids that look right everywhere else. */
const pathOf = (o: { prefix: string; at: string }, org: string): string =>
  (o.prefix + (o.at.split(' ')[1] ?? ''))
    .replace(':org', org)
    .replaceAll(/:(\w+)/g, (_, name: string) => `${name.slice(0, 3)}_${'0'.repeat(32)}`);

const call = async (
  o: { prefix: string; at: string },
  org: string,
  headers: Record<string, string>,
): Promise<{ status: number; code: string }> => {
  const method = o.at.split(' ')[0] ?? 'GET';
  const r = await app.request(pathOf(o, org), {
    method,
    redirect: 'manual',
    headers: { origin: world.origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json', ...headers },
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
  });
  const body = await r.text();
  const json: unknown = body.startsWith('{') ? JSON.parse(body) : {};
  return {
    status: r.status,
    code: typeof json === 'object' && json !== null && 'code' in json ? String(json.code) : '',
  };
};

for (const o of allOperations()) {
  const name = `${o.id} (${o.at.split(' ')[0]} ${o.prefix}${o.at.split(' ')[1]})`;
  if (o.can === 'public') continue;
  test(`${name} does nothing for nobody`, async () => {
    const r = await call(o, ours.org, {});
    // People with a browser are led to sign in; everybody else is told.
    assert.ok(r.status === 401 || (r.status >= 302 && r.status <= 303), `${r.status} ${r.code}`);
  });
  test(`${name} does nothing for a credential that was never given out`, async () => {
    for (const headers of [
      { authorization: 'Bearer ghk_0000000000000000000000000000000000000000000' },
      { authorization: 'Bearer ' },
      { authorization: 'Basic eDp5' },
      { cookie: '__Host-gatehouse=nonsense' },
    ])
      assert.ok([401, 302, 303].includes((await call(o, ours.org, headers)).status), JSON.stringify(headers));
  });
  if (o.can === 'scim' || o.can === 'signed_in' || o.can === 'agent') continue;
  const { can: permission } = o;
  for (const role of memberRoles.filter((r) => !can(r, permission)))
    test(`${name} is refused to the role ${role}, which lacks ${permission}`, async () => {
      assert.equal((await call(o, ours.org, { cookie: cookies.get(role) ?? '' })).status, 403);
    });
  test(`${name} is refused to a key without ${permission}`, async () => {
    assert.equal((await call(o, ours.org, { authorization: `Bearer ${weakKey}` })).status, 403);
  });
  test(`${name} is not there for the owner of another organization`, async () => {
    const [other, none] = [
      await call(o, ours.org, { cookie: foreign }),
      await call(o, newId('org'), { cookie: foreign }),
    ];
    assert.equal(other.status, 404);
    assert.deepEqual(other, none, 'an organization that exists must look like one that does not');
  });
  test(`${name} refuses a request that another site sent from the owner's browser`, async () => {
    if (o.at.startsWith('GET')) return;
    const r = await call(o, ours.org, {
      cookie: cookies.get('primary_owner') ?? '',
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
    });
    assert.equal(r.status, 403);
  });
}
