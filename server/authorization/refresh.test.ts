import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { connectAgent } from '#dev/agent.ts';
import {
  browserOf,
  codeBody,
  consent,
  oauthHouse,
  refreshBody,
  register,
  signIn,
  tokenRequest,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';
import { GRACE_SECONDS } from './oauth-item.sql.ts';

let house: OauthHouse;
let client: TestClient;
before(async () => {
  house = await oauthHouse();
  client = await register(house);
});
after(() => house[Symbol.asyncDispose]());

const refresh = (token: string, at = house.origin) => tokenRequest(at, client, refreshBody(token));
const gidOf = (token: string): string => String(decodeJwt(token)['gid']);
const rowsOf = (grant: string) => house.t.super(`select model from oauth_item where grant_id = $1 or id = $1`, grant);

test('a refresh gives a new refresh token, within grace the old one still works', async () => {
  const first = await signIn(house, client);
  const second = await refresh(first.refresh_token);
  assert.equal(second.status, 200);
  assert.notEqual(second.body.refresh_token, first.refresh_token);
  assert.equal((await refresh(first.refresh_token)).status, 200);
});

test('a refresh token presented after its grace ends the whole family and is told in the log', async () => {
  const first = await signIn(house, client);
  const second = await refresh(first.refresh_token);
  house.advance((GRACE_SECONDS + 1) * 1000);
  const replay = await refresh(first.refresh_token);
  assert.equal(replay.status, 400);
  assert.equal(replay.body.error, 'invalid_grant');
  assert.equal((await refresh(second.body.refresh_token)).body.error, 'invalid_grant');
  assert.deepEqual(await rowsOf(gidOf(first.access_token)), []);
  const told = (await house.events('authorization.reuse_detected')).at(-1);
  assert.equal(told?.data['grant'], gidOf(first.access_token));
  assert.equal(told?.data['what'], 'refresh_token');
  assert.equal(told?.log, house.org);
});

test('within grace, a token whose successor was used already is a replay', async () => {
  const first = await signIn(house, client);
  const second = await refresh(first.refresh_token);
  assert.equal((await refresh(second.body.refresh_token)).status, 200);
  assert.equal((await refresh(first.refresh_token)).body.error, 'invalid_grant');
  assert.deepEqual(await rowsOf(gidOf(first.access_token)), []);
});

test('a code that is presented twice ends the tokens that it gave, and is told in the log', async () => {
  const code = (await consent(house, client)).searchParams.get('code')!;
  const first = await tokenRequest(house.origin, client, codeBody(client, code));
  assert.equal(first.status, 200);
  assert.equal((await tokenRequest(house.origin, client, codeBody(client, code))).body.error, 'invalid_grant');
  assert.equal((await refresh(first.body.refresh_token)).body.error, 'invalid_grant');
  assert.equal((await house.events('authorization.reuse_detected')).at(-1)?.data['what'], 'authorization_code');
});

test('another client cannot use a refresh token, and trying burns nothing', async () => {
  const other = await register(house);
  const mine = await signIn(house, client);
  assert.equal((await tokenRequest(house.origin, other, refreshBody(mine.refresh_token))).body.error, 'invalid_grant');
  assert.equal((await refresh(mine.refresh_token)).status, 200);
});

test('a suspended person gets no new token; back again, the same token works', async () => {
  const sue = await house.addPerson('Suze');
  const t = await signIn(house, client, {}, sue);
  await house.t.super(`update app_user set state = 'suspended' where id = $1`, sue.user);
  assert.equal((await refresh(t.refresh_token)).body.error, 'invalid_grant');
  await house.t.super(`update app_user set state = 'active' where id = $1`, sue.user);
  assert.equal((await refresh(t.refresh_token)).status, 200);
});

test('who is taken out of the organization gets no new token', async () => {
  const lee = await house.addPerson('Lee');
  const t = await signIn(house, client, {}, lee);
  await house.t.super(`delete from member where id = $1`, lee.member);
  assert.equal((await refresh(t.refresh_token)).body.error, 'invalid_grant');
});

test('twenty families, eight uses each over two nodes at once: every use within grace is answered and nothing deadlocks', async () => {
  const other = await house.anotherNode();
  const families = await Promise.all(Array.from({ length: 20 }, () => signIn(house, client)));
  const all = await Promise.all(
    families.flatMap((f) =>
      Array.from({ length: 8 }, (_, i) => refresh(f.refresh_token, i % 2 ? other : house.origin)),
    ),
  );
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
});

test('twenty codes, eight uses each over two nodes at once: at most one use of each is accepted and nothing breaks', async () => {
  const other = await house.anotherNode();
  const codes: string[] = [];
  for (let i = 0; i < 20; i++) codes.push((await consent(house, client)).searchParams.get('code')!);
  const all = await Promise.all(
    codes.flatMap((c) =>
      Array.from({ length: 8 }, (_, i) => tokenRequest(i % 2 ? other : house.origin, client, codeBody(client, c))),
    ),
  );
  assert.deepEqual(new Set(all.map((r) => r.status)), new Set([200, 400]));
  for (let i = 0; i < 20; i++) assert.equal(all.slice(i * 8, i * 8 + 8).filter((r) => r.status === 200).length, 1);
});

test('replays of different tokens of one family at once, over two nodes, all end in a plain refusal', async () => {
  const other = await house.anotherNode();
  const families = await Promise.all(Array.from({ length: 8 }, () => signIn(house, client)));
  const spent: string[] = [];
  for (const f of families) {
    const twins = await Promise.all(Array.from({ length: 6 }, () => refresh(f.refresh_token)));
    const [used, ...others] = twins.map((r) => r.body.refresh_token);
    assert.equal((await refresh(used!)).status, 200);
    spent.push(f.refresh_token, ...others);
  }
  const all = await Promise.all(spent.map((token, i) => refresh(token, i % 2 ? other : house.origin)));
  assert.deepEqual([...new Set(all.map((r) => r.body.error))], ['invalid_grant']);
});

test('an unmodified SDK client with six calls at once on an expired token is answered six times, with one sign-in', async () => {
  const { makeMcp } = await import('#dev/tiny-mcp.ts');
  let expired = '';
  const seen = new Set<string>();
  house.also.answer = makeMcp({
    origin: house.origin,
    refuses(token) {
      seen.add(token);
      return token === expired;
    },
  });
  let signIns = 0;
  const agent = await connectAgent(`${house.origin}/mcp`, 'sdk', async (url) => {
    signIns++;
    const b = await browserOf(house, house.ada);
    await b.open(url, { stopAt: 'http://127.0.0.1:33418/callback' });
    await b.submit('Allow', {}, { stopAt: 'http://127.0.0.1:33418/callback' });
    return b.url;
  });
  for (let round = 0; round < 3; round++) {
    expired = agent.keychain.held!.access_token;
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, i) => agent.client.callTool({ name: 'echo', arguments: { i } })),
    );
    assert.equal(all.length, 6);
    await sleep(10);
  }
  assert.equal(signIns, 1);
  assert.ok(seen.size >= 4);
  await agent.close();
  house.also.answer = undefined;
});
