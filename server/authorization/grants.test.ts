import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hono } from 'hono';
import { decodeJwt } from 'jose';
import {
  oauthHouse,
  refreshBody,
  register,
  signIn,
  tokenRequest,
  type HousePerson,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';
import { problemJson } from '#kernel/dialect.ts';
import { mount } from '#kernel/operation.ts';
import type { Actor } from '#kernel/ctx.ts';
import { newId, parseId, type Id } from '#kernel/id.ts';
import { grantOperations } from './grants.http.ts';

let house: OauthHouse;
let client: TestClient;
let bob: HousePerson;
before(async () => {
  house = await oauthHouse();
  client = await register(house, { client_name: 'Quill' });
  bob = await house.addPerson('Bob');
});
after(() => house[Symbol.asyncDispose]());

/** The operations behind a gate that lets everybody in as `actor`; who may come in is the gate's own test. */
function api(actor: Actor, org: Id<'org'> = house.org): (path: string, method?: string) => Promise<Response> {
  const app = new Hono();
  const { now, ...rest } = house.world;
  const gate = (_c: unknown, _op: unknown, request: string) =>
    Promise.resolve({ ...rest, now: now(), actor, parent: house.parent, org, request });
  mount(app, { prefix: '/api', gate, dialect: problemJson, operations: grantOperations }, house.world.log);
  return async (path, method = 'GET') => app.request(`/api/orgs/${org}${path}`, { method });
}
const as = (p: HousePerson): Actor => ({ kind: 'user', id: p.user, session: newId('ses') });
type Page = {
  items: { id: string; member: string; client: string; clientName: string; scopes: Record<string, string[]> }[];
  next: string | null;
};
const gid = (t: { access_token: string }): string => String(decodeJwt(t.access_token)['gid']);

test('administrators see all consents of the organization, a person only their own, another organization none', async () => {
  const mine = gid(await signIn(house, client));
  const bobs = gid(await signIn(house, client, {}, bob));
  const all = (await (await api(as(house.ada))('/grants')).json()) as Page;
  assert.deepEqual(all.items.map((g) => g.id).sort(), [mine, bobs].sort());
  const own = (await (await api(as(bob))('/my-grants')).json()) as Page;
  assert.deepEqual(
    own.items.map((g) => [g.id, g.member, g.clientName]),
    [[bobs, bob.member, 'Quill']],
  );
  assert.deepEqual(own.items[0]?.scopes, { [`${house.origin}/mcp`]: ['mcp:read', 'mcp:write'] });
  const elsewhere = await house.addOrg('Elsewhere');
  assert.deepEqual(((await (await api(as(house.ada), elsewhere)('/grants')).json()) as Page).items, []);
});

test('the list is searched by name and paged without losing one', async () => {
  const quiet = await register(house, { client_name: 'Needle' });
  const wanted = gid(await signIn(house, quiet));
  const found = (await (await api(as(house.ada))('/grants?q=needl')).json()) as Page;
  assert.deepEqual(
    found.items.map((g) => g.id),
    [wanted],
  );
  const seen: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const p = (await (await api(as(house.ada))(`/grants?limit=1${next && `&cursor=${next}`}`)).json()) as Page;
    seen.push(...p.items.map((g) => g.id));
    next = p.next;
  }
  const all = (await (await api(as(house.ada))('/grants')).json()) as Page;
  assert.deepEqual(
    seen,
    all.items.map((g) => g.id),
  );
});

test('a consent that was ended gives no new token, is gone from the list, and the log says who ended it', async () => {
  const t = await signIn(house, client, {}, bob);
  assert.equal((await api(as(bob))(`/my-grants/${gid(t)}`, 'DELETE')).status, 204);
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).body.error, 'invalid_grant');
  const told = (await house.events('authorization.grant_revoked')).at(-1);
  assert.deepEqual([told?.data['by'], told?.data['member'], told?.log], ['member', bob.member, house.org]);
  const again = await api(as(bob))(`/my-grants/${gid(t)}`, 'DELETE');
  assert.equal(again.status, 404);
  assert.equal(((await again.json()) as { code: string }).code, 'authorization/no-grant');
});

test("somebody else's consent is missing for a person, and another organization's for an administrator", async () => {
  const t = await signIn(house, client);
  assert.equal((await api(as(bob))(`/my-grants/${gid(t)}`, 'DELETE')).status, 404);
  const elsewhere = await house.addOrg('Third');
  assert.equal((await api(as(house.ada), elsewhere)(`/grants/${gid(t)}`, 'DELETE')).status, 404);
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).status, 200);
  assert.equal((await api(as(house.ada))(`/grants/${gid(t)}`, 'DELETE')).status, 204);
});

test('an API key has no consents of its own', async () => {
  const key = parseId('key', `key_${'0'.repeat(32)}`)!;
  const r = await api({ kind: 'api_key', id: key })('/my-grants');
  assert.equal(r.status, 403);
  assert.equal(((await r.json()) as { code: string }).code, 'authorization/own-grants-only');
});
