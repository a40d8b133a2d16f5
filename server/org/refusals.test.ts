import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { testDb } from '#dev/test-db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { createApiKey } from './create-api-key.ts';
import { foundOrg, type Founding } from './found-org.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

const founding = (name: string): Founding => ({
  parentName: name,
  orgName: name,
  owner: { email: `${name}@acme.example`, displayName: name },
  first: true,
});

test('of two people who found the first organization at the same moment one does, and the other is sent to sign in: org/already-founded', async () => {
  await using t = await testDb();
  const world = await t.world();
  // Both are kept from writing until both have begun, so that neither is simply later.
  const gate = new pg.Client({ connectionString: t.superUrl });
  await gate.connect();
  await gate.query('begin; lock table parent in exclusive mode');
  const begun = Promise.allSettled([foundOrg(world, founding('Ada')), foundOrg(world, founding('Bob'))]);
  const waiting = async (): Promise<number> =>
    (
      await t.super(
        'select from pg_locks where not granted and database = (select oid from pg_database where datname = $1)',
        t.name,
      )
    ).length;
  while ((await waiting()) < 2) await sleep(5);
  await gate.query('commit');
  await gate.end();
  const both = await begun;
  assert.deepEqual(both.map((r) => r.status).sort(), ['fulfilled', 'rejected']);
  const lost: unknown = both.find((r) => r.status === 'rejected')?.reason;
  assert.ok(lost instanceof Problem, String(lost));
  assert.deepEqual([lost.kind, lost.code], ['conflict', 'org/already-founded']);
  assert.equal(lost.says, 'this deployment has an organization already');
  assert.match(lost.fix ?? '', /^sign in at \/sign-in; further organizations are made with `gatehouse bootstrap`/);
  assert.equal((await t.super('select id from parent')).length, 1);
});

test('a key that nobody of the organization would stand behind is not made: org/key-without-creator', async () => {
  const { user } = await h.addPerson('Vera', 'admin');
  await h.t.super('delete from member where user_id = $1', user);
  for (const creator of [undefined, newId('usr'), user] as (Id<'usr'> | undefined)[])
    await assert.rejects(
      createApiKey(h.ctx, {
        name: 'k',
        permissions: ['org.read'],
        expiresAt: new Date(h.ctx.now.getTime() + 1000),
        ...(creator === undefined ? {} : { creator }),
      }),
      (e) =>
        e instanceof Problem &&
        e.kind === 'forbidden' &&
        e.code === 'org/key-without-creator' &&
        /needs a member of this organization/.test(e.says) &&
        e.fix === 'let a signed-in owner or admin create the key',
    );
});

test('a key of another organization, one that nobody has, and no id at all are answered alike, and end nothing: org/no-such-key', async () => {
  const { first: _, ...theirs } = founding('Other');
  const other = await foundOrg(h.world, theirs);
  const expiresAt = new Date(h.ctx.now.getTime() + 86_400_000);
  const ctx = { ...h.ctx, parent: other.parent, org: other.org };
  const { key, value } = await createApiKey(ctx, {
    name: 'k',
    permissions: ['org.read'],
    expiresAt,
    creator: other.owner,
  });
  for (const id of [key.id, newId('key'), 'mine']) {
    const r = await h.api('DELETE', `/orgs/${h.acme.org}/api-keys/${id}`);
    assert.deepEqual([r.status, r.body['code']], [404, 'org/no-such-key'], r.text);
    assert.equal(r.body['detail'], 'there is no such API key in this organization');
  }
  const still = await h.api('GET', `/orgs/${other.org}`, undefined, { authorization: `Bearer ${value}` });
  assert.equal(still.status, 200);
});
