import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalHouse, someConnector, type ApprovalHouse } from '#dev/approval-house.ts';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import { newId } from '#kernel/id.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { leavingOperations } from '#org/leaving.http.ts';
import { previewLeaving } from '#org/preview-leaving.ts';
import { heldOf } from './member-held.ts';

let a: ApprovalHouse;
let h: DoorHouse;
before(async () => {
  a = await approvalHouse();
  h = await doorHouse({ operations: leavingOperations(heldOf) });
});
after(async () => {
  await a[Symbol.asyncDispose]();
  await h[Symbol.asyncDispose]();
});

const leaving = (member: string, headers?: Record<string, string>) =>
  h.api('GET', `/orgs/${h.acme.org}/members/${member}/leaving`, undefined, headers);
const codes = (body: Record<string, unknown>): (string | null)[] =>
  Object.values(body['refused'] as Record<string, { code: string } | null>).map((r) => r?.code ?? null);

test('the preview of a leaving counts what is open now: browsers, keys and waiting requests, and not what ended', async () => {
  const rita = await a.person('Rita');
  const other = await a.person('Otto');
  await a.asked(rita, { connector: someConnector, args: { deal: 1 } });
  await a.asked(rita, { connector: someConnector, args: { deal: 2 } });
  await a.asked(other, { connector: someConnector, args: { deal: 3 } });
  await a.h.browserOf(rita.user);
  await createApiKey(a.ctx(), {
    name: 'of Rita',
    permissions: ['org.read'],
    expiresAt: new Date(a.h.world.now().getTime() + 86_400_000),
    creator: rita.user,
  });
  const before = await previewLeaving(a.ctx(), rita.member, heldOf);
  assert.deepEqual(
    [before.sessions, before.consents, before.connections, before.approvals, before.keys],
    [2, 0, 0, 2, 1],
  );
  await a.h.t.super(`update session set revoked_at = now() where user_id = $1`, rita.user);
  a.h.advance(40 * 86_400_000);
  const later = await previewLeaving(a.ctx(), rita.member, heldOf);
  assert.deepEqual([later.sessions, later.approvals, later.keys], [0, 0, 0]);
});

test('the preview of a leaving says beforehand what the change itself would refuse, in the same words', async () => {
  const { user, member } = await h.addPerson('Olga', 'owner');
  const own = await h.browserOf(user);
  const olga = { cookie: own.cookies(new URL(h.origin)) };
  const primary = await leaving(h.acme.member);
  assert.deepEqual(codes(primary.body), ['org/primary-owner', 'org/primary-owner', 'org/primary-owner']);
  const removed = await h.api('DELETE', `/orgs/${h.acme.org}/members/${h.acme.member}`);
  const { remove } = primary.body['refused'] as { remove: { code: string; says: string } };
  assert.deepEqual([removed.body['code'], removed.body['detail']], [remove.code, remove.says]);
  const self = await leaving(member, olga);
  assert.deepEqual(codes(self.body), [null, null, 'org/suspend-yourself']);
  const { user: admin } = await h.addPerson('Adam', 'admin');
  const adam = { cookie: (await h.browserOf(admin)).cookies(new URL(h.origin)) };
  assert.deepEqual(codes((await leaving(member, adam)).body), [
    'org/not-permitted',
    'org/not-permitted',
    'org/not-permitted',
  ]);
  const { member: plain } = await h.addPerson('Petra', 'user');
  const free = await leaving(plain, adam);
  assert.deepEqual(codes(free.body), [null, null, null]);
  assert.deepEqual(
    (free.body['orgs'] as { role: string }[]).map((o) => o.role),
    ['user'],
  );
});

test('the preview of a leaving shows nothing of a member of another organization', async () => {
  const r = await leaving(newId('mem'));
  assert.deepEqual([r.status, r.body['code']], [404, 'org/no-such-member']);
});
