import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { noWords } from '#dev/no-words.ts';
import { openVaultHouse, type VaultHouse } from '#dev/vault-house.ts';
import { plainManifest } from '#dev/vendors/plain-manifest.ts';
import { makeMetrics } from '#kernel/telemetry.ts';
import type { Id } from '#kernel/id.ts';
import type { Letter } from '#notify/letter.ts';
import { kinds } from '#notify/messages.ts';
import type { Words } from '#notify/words.ts';
import { addMember } from '#org/add-member.ts';
import { vaultCtx } from '#vault/renewal.ts';
import { lookWith } from './check-accounts.ts';
import { connectionDigest, connectionWords } from './connection-words.ts';
import { takeCheck } from './connections.sql.ts';
import { watchConnections, type Watching } from './watch-connections.ts';
import { watchConnectionsJob } from './watch-connections.job.ts';

const DAY = 86_400;
let h: VaultHouse;
afterEach(() => h.close());

const watching = (over: Partial<Watching> = {}): Watching => ({
  vault: h.vault,
  siteOf: h.siteOf,
  look: lookWith(h.world, h.vault, h.siteOf, () => plainManifest()),
  pauseMs: 1,
  ...over,
});
const round = (over?: Partial<Watching>): Promise<void> => watchConnections(h.world, watching(over), h.at);
type Row = { kind: string; user_id: Id<'usr'>; data: Record<string, unknown> };
/** What was told since the last look: kinds and whom. */
async function told(): Promise<Row[]> {
  const rows = await h.t.super<Row>('select kind, user_id, data from message order by id');
  await h.t.super('delete from message');
  return rows;
}
const words: Words = { ...noWords, connection: connectionWords, connections: connectionDigest };
/** The mail as it would go out now. */
const letterOf = (m: Row | undefined): Promise<Letter | undefined> => {
  assert.ok(m);
  const kind = kinds[m.kind as 'connection_ending'];
  return h.world.db.read(h.at, (db) =>
    kind.write(db, kind.data.parse(m.data), h.at.org, words, { seal: h.world.seal, now: h.world.now() }),
  );
};
const says = async (m: Row | undefined): Promise<string> => {
  const l = await letterOf(m);
  return l ? [l.subject, ...l.says].join('\n') : 'nothing';
};
const person = async (name: string): Promise<{ member: Id<'mem'>; user: Id<'usr'> }> => {
  const ctx = { ...vaultCtx(h.world, h.at), org: h.at.org };
  const m = await addMember(ctx, { email: `${name}@acme.example`, displayName: name, role: 'user' });
  return { member: m.id, user: m.user };
};

test('a person and the administrators are told 14, 7, 3 and 1 days before a consent ends and when it has, once each', async () => {
  h = await openVaultHouse({ refreshExpiresIn: 20 * DAY });
  const bob = await person('Bob');
  const c = await h.connect({ owner: { kind: 'person', ...bob } });
  const seen: [number, string[]][] = [];
  for (let day = 0; day <= 21; day++) {
    for (let again = 0; again < 2; again++) await round();
    const rows = await told();
    if (rows.length > 0) seen.push([day, rows.map((r) => r.kind).sort()]);
    if (day === 6) {
      const mail = rows.find((r) => r.kind === 'connection_ending');
      assert.equal(mail?.user_id, bob.user);
      assert.match(
        await says(mail),
        /^Your connection to “Plain” ends on \d+ \w+ \d{4}\n.*through your account ada@acme.example.*\n.*connect the account again/,
      );
      assert.equal((await letterOf(mail))?.look.path, '/connections');
      const digest = rows.find((r) => r.kind === 'connections_digest');
      assert.equal(digest?.user_id, h.founded.owner);
      assert.match(
        await says(digest),
        /“Plain”, Bob's account ada@acme.example: the consent ends on \d+ \w+ \d{4}\. The person was told/,
      );
    }
    h.advance(DAY);
  }
  const both = ['connection_ending', 'connections_digest'];
  assert.deepEqual(seen, [
    [6, both],
    [13, both],
    [17, both],
    [19, both],
    [20, both],
  ]);
  const alerts = await h.events('connection.alerted');
  assert.deepEqual(
    alerts.map((a) => [a['about'], a['clock'], a['step']]),
    [14, 7, 3, 1, 0].map((step) => [c.id, 'refresh', step]),
  );
});

test('a mail about an end that is no more is not sent', async () => {
  h = await openVaultHouse({ refreshExpiresIn: 20 * DAY });
  const c = await h.connect();
  h.advance(13 * DAY);
  await round();
  const rows = await told();
  await h.t.super(
    `update connection set refresh_expires_at = refresh_expires_at + interval '20 days' where id = $1`,
    c.id,
  );
  for (const r of rows) assert.equal(await letterOf(r), undefined, r.kind);
});

test('what use renews is renewed at half of its time, by one of three nodes, and nobody is told anything', async () => {
  h = await openVaultHouse({ rotation: 'single_use', lifetimes: { idle: 10 * DAY } });
  await h.connect();
  const nodes = [h.vault, await h.node(), await h.node()];
  const rounds = (): Promise<unknown> => Promise.all(nodes.map((vault) => round({ vault })));
  const before = h.tokenCalls();
  h.advance(4.9 * DAY);
  await rounds();
  assert.equal(h.tokenCalls() - before, 0);
  h.advance(0.2 * DAY);
  await rounds();
  assert.equal(h.tokenCalls() - before, 1);
  await rounds();
  assert.equal(h.tokenCalls() - before, 1);
  assert.deepEqual(await told(), []);
});

test('what could not be renewed in time is told before it ends', async () => {
  h = await openVaultHouse({ rotation: 'single_use', lifetimes: { idle: 10 * DAY } });
  await h.connect();
  h.vendor.fault = (r) => (r.path === '/login/token' ? { status: 503 } : undefined);
  h.advance(5.5 * DAY);
  await round();
  assert.deepEqual(await told(), []);
  h.advance(1 * DAY);
  await round();
  const rows = await told();
  assert.deepEqual(rows.map((r) => r.kind).sort(), ['connection_ending', 'connections_digest']);
  assert.match(
    await says(rows.find((r) => r.kind === 'connection_ending')),
    /because it was not used and could not be renewed/,
  );
});

test('a connection that is not accepted any more is told once, and that it works again too; failing anew is told anew', async () => {
  h = await openVaultHouse();
  const bob = await person('Bob');
  const c = await h.connect({ owner: { kind: 'person', ...bob }, expires: 1 });
  h.vendor.endGrants('ada');
  h.advance(60);
  await assert.rejects(h.vault.unlock(h.at, { connection: c.id }), { code: 'vault/reconnect' });
  for (let i = 0; i < 3; i++) await round();
  const rows = await told();
  assert.deepEqual(
    new Map(rows.map((r) => [r.kind, r.user_id])),
    new Map([
      ['connection_failed', bob.user],
      ['connections_digest', h.founded.owner],
    ]),
  );
  assert.equal(rows.length, 2);
  assert.match(
    await says(rows.find((r) => r.kind === 'connection_failed')),
    /^Your connection to “Plain” does not work any more/,
  );
  const mend = (state: string, why: string | null): Promise<unknown> =>
    h.t.super('update connection set state = $2, why = $3 where id = $1', c.id, state, why);
  await mend('active', null);
  for (let i = 0; i < 2; i++) await round();
  const over = await told();
  assert.deepEqual(
    over.map((r) => r.kind),
    ['connections_digest'],
  );
  assert.match(await says(over[0]), /works again/);
  assert.equal((await h.events('connection.trouble_over')).length, 1);
  h.advance(60);
  await mend('reconnect', 'invalid_grant');
  await round();
  assert.equal((await told()).length, 2);
});

test('five people of one connector who fail within an hour are also told as one thing, once a day', async () => {
  h = await openVaultHouse();
  for (let i = 0; i < 6; i++) await h.connect({ owner: { kind: 'person', ...(await person(`P${i}`)) } });
  await h.t.super(`update connection set state = 'reconnect', why = 'invalid_grant'`);
  await round();
  const rows = await told();
  assert.deepEqual(rows.map((r) => r.kind).sort(), [
    ...Array.from({ length: 6 }, () => 'connection_failed'),
    'connections_digest',
  ]);
  assert.match(
    await says(rows.find((r) => r.kind === 'connections_digest')),
    /6 of 6 connections stopped being accepted within an hour/,
  );
  assert.equal((await h.events('connection.alerted')).filter((e) => e['clock'] === 'many').length, 1);
});

test('the secret of an app that ends, and one that is refused, are told to the administrators and to nobody else', async () => {
  h = await openVaultHouse();
  const bob = await person('Bob');
  await h.connect({ owner: { kind: 'person', ...bob } });
  await h.t.super(`update connector_app set ends_at = $1`, new Date(h.world.now().getTime() + 2 * DAY * 1000));
  for (let i = 0; i < 2; i++) await round();
  const rows = await told();
  assert.deepEqual(
    rows.map((r) => [r.kind, r.user_id]),
    [['connections_digest', h.founded.owner]],
  );
  assert.match(
    await says(rows[0]),
    /the organization's app: its secret or certificate ends on .* Make a new one at the vendor/,
  );
  await h.t.super(`update connector_app set ends_at = null, failing_since = $1`, h.world.now());
  for (let i = 0; i < 2; i++) await round();
  const refused = await told();
  assert.equal(refused.length, 1);
  assert.match(await says(refused[0]), /the vendor has refused it since/);
  await h.t.super(`update connector_app set failing_since = null`);
  await round();
  assert.match(await says((await told())[0]), /is accepted again/);
});

const looks = (): number => h.vendor.seen.filter((r) => r.path === '/api/me').length;
/** To the end of the day, when every account's minute has come. */
const toNight = (): void => {
  const now = h.world.now();
  h.advance(DAY - 300 - ((now.getTime() / 1000) % DAY));
};

test('an account of the organization is looked at once a day, by one of three nodes', async () => {
  h = await openVaultHouse();
  const c = await h.give();
  h.site.actAs = 'organization';
  for (let day = 1; day <= 2; day++) {
    toNight();
    await Promise.all([round(), round({ vault: await h.node() }), round()]);
    await round();
    assert.equal(looks(), day);
    h.advance(3600);
  }
  assert.deepEqual(
    (await h.events('connection.checked')).map((e) => [e['connection'], e['why']]),
    [
      [c.id, null],
      [c.id, null],
    ],
  );
  assert.deepEqual(await told(), []);
});

test('of nodes that want the look of a day at once, one gets it', async () => {
  h = await openVaultHouse();
  const c = await h.give();
  const take = (slot: string): Promise<number> =>
    h.world.db.transact(h.at, (tx) => takeCheck(tx, c.id, slot, h.world.now()));
  for (const slot of ['2026-11-20', '2026-11-21'])
    assert.deepEqual((await Promise.all([take(slot), take(slot), take(slot)])).sort(), [0, 0, 1]);
  assert.equal(await take('2026-11-20'), 0, 'a node whose clock is behind');
});

test('an account that cannot be used is asked twice, told to the administrators once, and told again when it works', async () => {
  h = await openVaultHouse();
  await h.give();
  h.site.actAs = 'organization';
  toNight();
  h.vendor.fault = (r) => (r.path === '/api/me' ? { status: 403, body: { error: 'no_access' } } : undefined);
  await round();
  assert.equal(looks(), 2);
  await round();
  const rows = await told();
  assert.deepEqual(
    rows.map((r) => r.kind),
    ['connections_digest'],
  );
  assert.match(
    await says(rows[0]),
    /the organization's account .*: the daily check failed: .*What to do: give the account of the organization anew/,
  );
  h.vendor.fault = undefined;
  h.advance(3600);
  toNight();
  await round();
  assert.match(await says((await told())[0]), /works again/);
});

test('a vendor that is away for one attempt is not told of', async () => {
  h = await openVaultHouse();
  await h.give();
  h.site.actAs = 'organization';
  toNight();
  let n = 0;
  h.vendor.fault = (r) => (r.path === '/api/me' && n++ === 0 ? { status: 403 } : undefined);
  await round();
  assert.deepEqual([looks(), (await told()).length], [2, 0]);
});

test('an account that turns out to be somebody else’s is told of', async () => {
  h = await openVaultHouse();
  await h.give();
  h.site.actAs = 'organization';
  toNight();
  const foreign = { ...plainManifest(), foreign: () => 'this account belongs to other' };
  await round({ look: lookWith(h.world, h.vault, h.siteOf, () => foreign) });
  assert.equal((await h.events('connection.checked'))[0]?.['why'], 'connections/foreign-account');
  assert.match(
    await says((await told())[0]),
    /the daily check failed: it is not an account of this organization: this account belongs to other/,
  );
});

test('an account that speaks for persons is tried as whoever gave it, with no call beyond the token', async () => {
  h = await openVaultHouse();
  await h.give();
  h.site.actAs = 'organization_as_person';
  toNight();
  await round();
  assert.deepEqual([looks(), (await h.events('connection.checked'))[0]?.['why']], [0, null]);
  const asked = h.vendor.seen
    .filter((r) => r.path === '/login/token')
    .map((r) => new URLSearchParams(r.body.toString()));
  assert.equal(asked.at(-1)?.get('subject'), 'ada@acme.example');
});

test('the job watches every organization, and says how many connections stand how', async () => {
  h = await openVaultHouse({ refreshExpiresIn: 20 * DAY });
  await h.connect();
  h.advance(10 * DAY);
  const metrics = makeMetrics();
  await watchConnectionsJob(h.world, watching(), metrics).run(undefined);
  assert.equal((await told()).length, 2);
  const text = await metrics.text();
  assert.match(text, /gatehouse_connections\{state="active"\} 1/);
  assert.match(text, /gatehouse_connections_next_end_days (9\.9|10)/);
});
