import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
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
import { browserOf, authorizeUrl } from '#dev/oauth-house.ts';
import { newId } from '#kernel/id.ts';
import { makeUnits } from './adapter-transaction.ts';
import { deleteItem } from './oauth-item.sql.ts';

let house: OauthHouse;
let client: TestClient;
before(async () => {
  house = await oauthHouse();
  client = await register(house);
});
after(() => house[Symbol.asyncDispose]());

/** While `work` runs, the log takes no event. */
async function withoutLog<T>(work: () => Promise<T>): Promise<T> {
  await house.t.super('alter table audit_inbox rename to audit_inbox_gone');
  try {
    return await work();
  } finally {
    await house.t.super('alter table audit_inbox_gone rename to audit_inbox');
  }
}

test('when the log takes no event, no token leaves and the refresh token stays unspent', async () => {
  const t = await signIn(house, client);
  const failed = await withoutLog(() => tokenRequest(house.origin, client, refreshBody(t.refresh_token)));
  assert.equal(failed.status, 500);
  assert.equal(failed.body.error, 'server_error');
  assert.ok(!('access_token' in failed.body) && !('refresh_token' in failed.body));
  const [row] = await house.t.super<{ spent: string }>(
    `select count(*) filter (where consumed_at is not null) as spent from oauth_item where model = 'RefreshToken' and client_id = $1`,
    client.client_id,
  );
  assert.equal(Number(row?.spent), 0);
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).status, 200);
});

test('when the log takes no event, a code gives nothing and can be used afterwards', async () => {
  const code = (await consent(house, client)).searchParams.get('code')!;
  const failed = await withoutLog(() => tokenRequest(house.origin, client, codeBody(client, code)));
  assert.equal(failed.status, 500);
  assert.equal((await tokenRequest(house.origin, client, codeBody(client, code))).status, 200);
});

test('when the log takes no event, a yes gives no consent', async () => {
  const b = await browserOf(house, house.ada);
  await b.open(await authorizeUrl(house, client));
  const count = async (): Promise<number> =>
    (await house.t.super(`select from oauth_item where model = 'Grant'`)).length;
  const before = await count();
  await withoutLog(() => b.submit('Allow', {}, { stopAt: client.redirect }));
  assert.equal(b.status, 500);
  assert.equal(await count(), before);
});

test('a broken table makes an error and burns nothing', async () => {
  const t = await signIn(house, client);
  await house.t.super(`alter table oauth_item rename to oauth_item_gone`);
  const gone = await tokenRequest(house.origin, client, refreshBody(t.refresh_token));
  await house.t.super(`alter table oauth_item_gone rename to oauth_item`);
  assert.equal(gone.status, 500);
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).status, 200);
});

test('a unit whose statement failed does not commit what came before, even when the error was swallowed', async () => {
  const db = house.t.as('gatehouse_oauth');
  const units = makeUnits(db, () => new Date());
  const t = await signIn(house, client);
  const before = await house.t.super(`select id from oauth_item where client_id = $1`, client.client_id);
  await assert.rejects(
    units.within(
      async (unit) => {
        for (const { id } of before) await unit.write((tx) => deleteItem(tx, 'RefreshToken', String(id)));
        await unit.write(() => Promise.reject(new Error('a statement failed'))).catch(() => undefined);
      },
      () => true,
      'test',
    ),
    /a statement failed/,
  );
  assert.equal(
    (await house.t.super(`select id from oauth_item where client_id = $1`, client.client_id)).length,
    before.length,
  );
  assert.equal((await tokenRequest(house.origin, client, refreshBody(t.refresh_token))).status, 200);
});

test('the ordinary role of the server sees no row of the authorization server and no private key', async () => {
  const app = house.t.as('gatehouse_app').pool;
  await assert.rejects(app.query('select * from oauth_item'), /permission denied/);
  await assert.rejects(app.query('select sealed from oauth_signing_key'), /permission denied/);
  await assert.rejects(app.query('delete from oauth_item'), /permission denied/);
  assert.equal((await app.query('select kid, public from oauth_signing_key')).rowCount, 1);
});

test('the role of the authorization server sees no table but its own, and cannot write the log by itself', async () => {
  const oauth = house.t.as('gatehouse_oauth').pool;
  for (const table of [
    'member',
    'app_user',
    'org',
    'parent',
    'api_key',
    'audit_inbox',
    'audit_event',
    'session',
    'seal_key',
  ])
    await assert.rejects(oauth.query(`select * from ${table}`), /permission denied/, table);
  await assert.rejects(
    oauth.query(`insert into audit_inbox (id, log, at, header, data, salt) values ('x', $1, now(), '{}', '{}', '')`, [
      house.org,
    ]),
    /permission denied/,
  );
});

for (const [what, change] of [
  ['of another room', { type: 'member.added' }],
  ['of a log that its header does not name', { log: 'org_00000000000000000000000000000000' }],
  ['by an API key', { actor: { kind: 'api_key' } }],
  ['by the system', { actor: { kind: 'system' } }],
  ['with another id in its header', { id: 'evt_1' }],
] as const)
  test(`the role of the authorization server cannot write an event ${what}`, async () => {
    const id = newId('evt');
    const header = { id, log: house.org, type: 'authorization.token_issued', actor: { kind: 'nobody' }, ...change };
    await assert.rejects(
      house.t
        .as('gatehouse_oauth')
        .pool.query(`select record_oauth_event($1, $2, $3, now(), $4, '{}', '\\x00', false)`, [
          house.parent,
          house.org,
          id,
          JSON.stringify(header),
        ]),
      /not an event of this room/,
    );
  });

test('the role of the authorization server cannot write into a log that does not exist', async () => {
  const nowhere = newId('org');
  const id = newId('evt');
  const header = { id, log: nowhere, type: 'authorization.token_issued', actor: { kind: 'nobody' } };
  await assert.rejects(
    house.t
      .as('gatehouse_oauth')
      .pool.query(`select record_oauth_event($1, $2, $3, now(), $4, '{}', '\\x00', false)`, [
        house.parent,
        nowhere,
        id,
        JSON.stringify(header),
      ]),
    /no such log/,
  );
});
