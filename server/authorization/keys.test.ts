import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { oauthHouse, refreshBody, register, signIn, tokenRequest } from '#dev/oauth-house.ts';
import { Problem } from '#kernel/problem.ts';
import { KNOWN_HOURS, nextStep, SIGNS_DAYS, type KeyTimes } from './key-rotation.ts';
import { openSigningKeys, rotateSigningKeys } from './keys.ts';
import { sweepJob } from './sweep.job.ts';

const HOUR = 3_600_000;
const day = (n: number): Date => new Date(Date.UTC(2026, 0, 1) + n * 24 * HOUR);
const key = (kid: string, published: number, signs: number | null, retired: number | null = null): KeyTimes => ({
  kid,
  publishedAt: day(published),
  signsFrom: signs === null ? null : day(signs),
  retiredAt: retired === null ? null : day(retired),
});

for (const [what, keys, at, step] of [
  ['no key: one begins', [], 0, { do: 'begin' }],
  ['a young key: nothing', [key('a', 0, 0)], SIGNS_DAYS - 1, { do: 'nothing' }],
  ['an old key: the next one is published', [key('a', 0, 0)], SIGNS_DAYS, { do: 'publish' }],
  ['published an hour ago: nothing yet', [key('a', 0, 0), key('b', 90, null)], 90.04, { do: 'nothing' }],
  [
    'published a day ago: it signs',
    [key('a', 0, 0), key('b', 90, null)],
    90 + KNOWN_HOURS / 24,
    { do: 'promote', kid: 'b', retire: 'a' },
  ],
  ['retired an hour ago: still known', [key('b', 90, 91), key('a', 0, 0, 91)], 91.04, { do: 'nothing' }],
  ['retired a day ago: forgotten', [key('b', 90, 91), key('a', 0, 0, 91)], 92, { do: 'forget', before: day(91) }],
] as const)
  test(`signing keys, ${what}`, () => assert.deepEqual(nextStep(keys, day(at)), step));

test('two nodes that start at once on an empty database sign with one key', async () => {
  await using house = await oauthHouse();
  await house.t.super('delete from oauth_signing_key');
  const oauth = house.t.as('gatehouse_oauth');
  const both = await Promise.all([openSigningKeys(house.world, oauth), openSigningKeys(house.world, oauth)]);
  assert.equal(both[0].version, both[1].version);
  assert.equal((await house.t.super('select from oauth_signing_key')).length, 1);
});

test('the private key is not in the database, and a row that was moved does not open', async () => {
  await using house = await oauthHouse();
  const oauth = house.t.as('gatehouse_oauth');
  const { jwks } = await openSigningKeys(house.world, oauth);
  const text = JSON.stringify(
    await house.t.super(`select kid, public, encode(sealed, 'escape') as sealed from oauth_signing_key`),
  );
  assert.ok(jwks[0]?.d && !text.includes(jwks[0].d));
  await house.t.super(`update oauth_signing_key set kid = 'moved'`);
  await assert.rejects(
    openSigningKeys(house.world, oauth),
    (e) => e instanceof Problem && e.code === 'seal/does-not-open',
  );
});

test('a database whose keys are all retired is refused by name', async () => {
  await using house = await oauthHouse();
  await house.t.super('update oauth_signing_key set retired_at = now()');
  await assert.rejects(
    openSigningKeys(house.world, house.t.as('gatehouse_oauth')),
    (e) => e instanceof Problem && e.code === 'authorization/no-signing-key',
  );
});

test('through a whole rotation every token can be checked with the set that was published before it', async () => {
  await using house = await oauthHouse();
  const oauth = house.t.as('gatehouse_oauth');
  const client = await register(house);
  const published = async () => createLocalJWKSet((await (await fetch(`${house.origin}/oauth/jwks`)).json()) as never);
  let tokens = await signIn(house, client);
  const kids = new Set([decodeProtectedHeader(tokens.access_token).kid]);
  for (const hours of [SIGNS_DAYS * 24, KNOWN_HOURS, KNOWN_HOURS]) {
    const before = await published();
    house.advance(hours * HOUR);
    await rotateSigningKeys(house.world, oauth);
    house.advance(61_000);
    // The consent is older than its 90 days for our clock, not for the library's: signing is what this looks at.
    const r = await tokenRequest(house.origin, client, refreshBody(tokens.refresh_token));
    assert.equal(r.status, 200);
    tokens = r.body;
    await jwtVerify(tokens.access_token, before, { currentDate: new Date() });
    kids.add(decodeProtectedHeader(tokens.access_token).kid);
  }
  assert.equal(kids.size, 2);
  const { keys } = (await (await fetch(`${house.origin}/oauth/jwks`)).json()) as { keys: Record<string, unknown>[] };
  assert.equal(keys.length, 1);
  assert.ok(keys.every((k) => !('d' in k)));
});

test('the sweep forgets what ran out, what was spent two days ago, clients that nobody used, and consents of people who left', async () => {
  await using house = await oauthHouse();
  const oauth = house.t.as('gatehouse_oauth');
  const used = await register(house);
  const unused = await register(house);
  const lee = await house.addPerson('Lee');
  const live = await signIn(house, used);
  await signIn(house, used, {}, lee);
  await house.t.super(`delete from member where id = $1`, lee.member);
  const count = async (where: string): Promise<number> =>
    (await house.t.super(`select from oauth_item where ${where}`)).length;
  await tokenRequest(house.origin, used, refreshBody(live.refresh_token));
  const { run } = sweepJob(house.world, oauth);
  await run({});
  assert.equal(await count(`account_id = '${lee.member}'`), 0);
  assert.equal(await count(`model = 'Client'`), 2);
  assert.equal(await count(`model = 'RefreshToken' and consumed_at is not null`), 1);
  house.advance(49 * HOUR);
  await run({});
  assert.equal(await count(`model = 'RefreshToken' and consumed_at is not null`), 0);
  assert.equal(await count(`model in ('Interaction', 'Session', 'AuthorizationCode')`), 0);
  assert.equal(await count(`model = 'RefreshToken'`), 1);
  house.advance(29 * 24 * HOUR);
  await run({});
  assert.equal(await count(`model = 'Client' and id = '${unused.client_id}'`), 0);
  assert.equal(await count(`model = 'Client' and id = '${used.client_id}'`), 1);
});
