import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import type { Browser } from '#dev/browser.ts';
import { can } from '#org/roles.ts';
import type { MemberRole } from '#org/member.ts';
import type { Place } from './read-place.ts';

let h: DoorHouse;
before(async () => {
  h = await doorHouse();
});
after(() => h[Symbol.asyncDispose]());

const cookieOf = (b: Browser): string => b.cookies(new URL(h.origin));
async function placeOf(cookie: string): Promise<Place> {
  const r = await h.api('GET', `/orgs/${h.acme.org}/me`, undefined, { cookie });
  assert.equal(r.status, 200, r.text);
  return r.body as unknown as Place;
}

test('each role is told exactly the permissions that the matrix gives it', async () => {
  const people: [MemberRole, string][] = [['primary_owner', cookieOf(await h.browserOf(h.acme.owner))]];
  for (const role of ['owner', 'admin', 'user'] as const) {
    const { user } = await h.addPerson(`Of-${role}`, role);
    people.push([role, cookieOf(await h.browserOf(user))]);
  }
  for (const [role, cookie] of people) {
    const place = await placeOf(cookie);
    assert.equal(place.role, role);
    assert.ok(place.permissions.length > 15);
    for (const p of place.permissions) {
      assert.equal(p.allowed, can(role, p.permission), `${role} ${p.permission}`);
      assert.equal(p.refusal === null, p.allowed);
    }
  }
});

test('the reason that is shown beforehand is word for word what the server answers', async () => {
  const { user } = await h.addPerson('Una', 'user');
  const cookie = cookieOf(await h.browserOf(user));
  const refusal = (await placeOf(cookie)).permissions.find((p) => p.permission === 'audit.read')?.refusal;
  const members = await h.api('GET', `/orgs/${h.acme.org}/members`, undefined, { cookie });
  const same = (await placeOf(cookie)).permissions.find((p) => p.permission === 'member.read')?.refusal;
  assert.equal(members.body['code'], 'org/not-permitted');
  assert.equal(members.body['detail'], same?.says);
  assert.equal(members.body['fix'], same?.fix);
  assert.ok(refusal?.who.includes('Ada'), 'it names who may');
});

test('a key is nobody, and another organization is not there', async () => {
  assert.equal((await h.api('GET', `/orgs/${h.acme.org}/me`)).body['code'], 'identity/not-a-person');
  const cookie = cookieOf(await h.browserOf(h.acme.owner));
  const elsewhere = `/orgs/org_${'0'.repeat(32)}/me`;
  assert.equal((await h.api('GET', elsewhere, undefined, { cookie })).status, 404);
});
