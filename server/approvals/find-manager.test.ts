import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDirectory, type TestDirectory } from '#dev/test-directory.ts';
import type { Id } from '#kernel/id.ts';
import { findManager } from './find-manager.ts';

/** Managers as directories name them: people are pushed through the SCIM door, as providers push them. */
let d: TestDirectory;
before(async () => {
  d = await testDirectory();
});
after(() => d.t.close());

const extension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
async function pushed(name: string, manager?: unknown): Promise<{ scim: string; user: Id<'usr'> }> {
  const r = await d.send('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', extension],
    userName: `${name}@corp.example`,
    externalId: `ext-${name}`,
    active: true,
    displayName: name,
    emails: [{ value: `${name}@corp.example`, primary: true }],
    ...(manager === undefined ? {} : { [extension]: { manager } }),
  });
  assert.equal(r.status, 201, r.text);
  const scim = String(r.body['id']);
  const [row] = await d.t.super<{ user: Id<'usr'> }>('select user_id as "user" from scim_user where id = $1', scim);
  assert.ok(row?.user);
  return { scim, user: row.user };
}
const managerOf = (user: Id<'usr'>) => d.world.db.read({ parent: d.parent, org: d.org }, (db) => findManager(db, user));

test('a manager is found by our id of the entry, the provider’s own, or the user name; a bare id, as Entra sends it, is one too', async () => {
  const boss = await pushed('boss');
  for (const [name, manager] of [
    ['a', { value: boss.scim }],
    ['b', { value: 'ext-boss' }],
    ['c', { value: 'BOSS@corp.example' }],
    ['d', boss.scim],
  ] as const)
    assert.equal(await managerOf((await pushed(name, manager)).user), boss.user, name);
});

test('nobody is found for a manager who is not there, has left, or is the person himself', async () => {
  const gone = await pushed('gone');
  const of = await pushed('e', { value: gone.scim });
  assert.equal(await managerOf(of.user), gone.user);
  await d.send('PATCH', `/Users/${gone.scim}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'active', value: false }],
  });
  assert.equal(await managerOf(of.user), undefined);
  assert.equal(await managerOf((await pushed('f', { value: 'somebody-else' })).user), undefined);
  assert.equal(await managerOf((await pushed('g', { value: 'ext-g' })).user), undefined);
  assert.equal(await managerOf((await pushed('h')).user), undefined);
});
