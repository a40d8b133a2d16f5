import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { newId, type Id } from '#kernel/id.ts';
import { predefinedName } from './mapping.ts';

let h: SignInHouse;
let p: ProvisioningHouse;
before(async () => {
  h = await signInHouse();
  p = await provisioningHouse(h);
});
after(() => h[Symbol.asyncDispose]());

const says = (claims: object) => ({ claims: (c: Record<string, unknown>) => ({ ...c, ...claims }) });
const person = (name: string, more: object = {}) =>
  says({ email: `${name}@acme.example`, email_verified: true, name, ...more });
const userOf = async (email: string): Promise<Id<'usr'> | undefined> =>
  (await h.t.super<{ id: Id<'usr'> }>('select id from app_user where email = $1', email))[0]?.id;
const traced = async (b: Awaited<ReturnType<SignInHouse['signIn']>>) => {
  const t = await h.traceOn(b);
  return { outcome: t.outcome, last: t.stages.at(-1) };
};

const lapse = (state: 'lapsed' | 'failing' | 'verified') => {
  const at = new Date().toISOString();
  const fault = {
    code: 'no_txt',
    record: '_gatehouse-challenge.acme.example',
    where: 'here',
    expected: 'a',
    found: 'b',
  };
  return h.t.super(
    `update domain set state = $1, fault = $2 where name = 'acme.example'`,
    state,
    state === 'verified' ? null : JSON.stringify({ ...fault, ttl: null, since: at, at, lastSuccess: at }),
  );
};

test('in the JIT mode a stranger of a named and verified domain gets an account, a place as user and a seat at the first sign-in', async () => {
  assert.equal(
    (await traced(await h.signIn('jit-early', person('early')))).outcome,
    'identity/no-account',
    'before, nobody is let in',
  );
  await p.verified('acme.example');
  await p.set({ set: 'mode', mode: 'jit_permissive' }, { set: 'domains', domains: ['acme.example'] });
  const b = await h.signIn('jit-zoe', person('zoe'));
  assert.ok(h.signedIn(b), b.text());
  const zoe = await userOf('zoe@acme.example');
  assert.ok(zoe);
  assert.equal(await p.roleOf(zoe), 'user');
  const { body } = await h.api('GET', `/orgs/${h.acme.org}/sign-ins?outcome=signed_in`);
  const [trace] = body['items'] as { stages: Record<string, string>[] }[];
  assert.match(trace?.stages.find((s) => s['stage'] === 'link')?.['found'] ?? '', /account made/);
  assert.match(trace?.stages.find((s) => s['stage'] === 'provisioning')?.['found'] ?? '', /Acme Workspace: in as user/);
  const seat = (await p.ok('GET', '/people?q=zoe'))['items'][0];
  assert.deepEqual([seat.source, seat.seatSince !== null, seat.lastSignIn !== null], ['sign_in', true, true]);
  assert.ok((await h.events('provisioning.account_created')).some((e) => e.data['user'] === zoe));
  assert.ok(h.signedIn(await h.signIn('jit-zoe', person('zoe'))), 'and again, by the link');
});

test('an address of another domain, an unverified one, or none makes no account', async () => {
  for (const [subject, claims] of [
    ['jit-o', person('o', { email: 'o@other.example' })],
    ['jit-u', person('u', { email_verified: false })],
    ['jit-f', person('f', { email_verified: 'false' })],
    ['jit-n', says({})],
  ] as const) {
    const b = await h.signIn(subject, claims);
    assert.ok(!h.signedIn(b));
    assert.equal((await traced(b)).outcome, 'provisioning/address', subject);
  }
});

test('a domain that lapses locks nobody out: who has an account goes on, new accounts wait until it is verified again', async () => {
  assert.ok(h.signedIn(await h.signIn('jit-old', person('old'))));
  await lapse('failing');
  assert.ok(h.signedIn(await h.signIn('jit-grace', person('grace'))), 'in the days of grace nothing changes');
  await lapse('lapsed');
  const b = await h.signIn('jit-new', person('new'));
  const { outcome, last } = await traced(b);
  assert.equal(outcome, 'provisioning/domain-unverified', b.text());
  assert.match(last?.['expected'] ?? '', /a domain that is verified now/);
  for (const known of ['old', 'grace']) assert.ok(h.signedIn(await h.signIn(`jit-${known}`, person(known))), known);
  const settings = await p.ok('GET', '');
  assert.deepEqual([settings['domains'], settings['unverifiedDomains']], [['acme.example'], ['acme.example']]);
  const plan = await p.ok('POST', '/plans', { edits: [{ set: 'prefix', prefix: 'other' }] });
  assert.match(JSON.stringify(plan['warnings']), /acme\.example: not verified now/);
  await lapse('verified');
  assert.ok(h.signedIn(await h.signIn('jit-new', person('new'))));
});

test('an address that an account has already opens that account to no stranger, and the page does not say that it exists', async () => {
  const b = await h.signIn('jit-thief', person('luca'));
  assert.ok(!h.signedIn(b));
  const { outcome, last } = await traced(b);
  assert.equal(outcome, 'identity/no-account');
  assert.match(last?.['found'] ?? '', /an account here has the address luca@acme\.example/);
  assert.ok(!b.body.includes('luca@'), b.text());
});

test('whoever an administrator removed does not come back by signing in, and the trace says why', async () => {
  const zoe = await userOf('zoe@acme.example');
  const [member] = await h.t.super<{ id: string }>('select id from member where user_id = $1', zoe);
  await h.api('DELETE', `/orgs/${h.acme.org}/members/${member?.id}`);
  const b = await h.signIn('jit-zoe', person('zoe'));
  assert.ok(!h.signedIn(b));
  const { outcome, last } = await traced(b);
  assert.equal(outcome, 'provisioning/removed');
  assert.match(last?.['found'] ?? '', /removed_by_hand/);
  assert.match(last?.['expected'] ?? '', /let them in again/);
  await p.ok('DELETE', `/removed/${zoe}`);
  assert.ok(h.signedIn(await h.signIn('jit-zoe', person('zoe'))));
});

test('with mappings the groups of the sign-in decide: seen, refused with what came and what was wanted, then let in with the highest role', async () => {
  const org = { prefix: 'gatehouse', surface: 'workspace', org: h.acme.org };
  await p.set({ set: 'mode', mode: 'jit_advanced' });
  const b = await h.signIn('jit-max', person('max', { groups: ['Engineering'], department: 'R&D' }));
  assert.ok(!h.signedIn(b));
  const { outcome, last } = await traced(b);
  assert.equal(outcome, 'provisioning/no-mapped-group');
  assert.match(last?.['found'] ?? '', /received groups "Engineering"/);
  assert.match(last?.['expected'] ?? '', new RegExp(predefinedName(org, 'owner')));
  const seen = (await p.ok('GET', '/groups?source=attribute'))['items'];
  assert.deepEqual(seen.map((g: { from: string; name: string }) => `${g.from} ${g.name}`).sort(), [
    'department R&D',
    'groups Engineering',
  ]);

  const engineering = seen.find((g: { name: string }) => g.name === 'Engineering').id;
  await p.set({ set: 'map', group: engineering, role: 'user', tier: 'standard' });
  assert.ok(h.signedIn(await h.signIn('jit-max', person('max', { groups: ['Engineering'] }))));
  const max = await userOf('max@acme.example');
  assert.ok(max);
  assert.equal(await p.roleOf(max), 'user');
  assert.ok(
    h.signedIn(await h.signIn('jit-max', person('max', { groups: ['Engineering', predefinedName(org, 'admin')] }))),
  );
  assert.equal(await p.roleOf(max), 'admin');
  const of = await h.t.db.read({ parent: h.acme.parent, org: h.acme.org }, (db) => groupsOfUser(db, max));
  assert.equal(of.length, 2, 'rules speak of these groups, too');
  assert.ok(of.includes(engineering));
});

test('whoever comes without a mapped group is refused and taken off the list, and is back with the group', async () => {
  const max = (await userOf('max@acme.example')) ?? '';
  const out = await h.signIn('jit-max', person('max', { groups: [] }));
  assert.ok(!h.signedIn(out));
  assert.equal(await p.roleOf(max), undefined);
  assert.ok(
    h.signedIn(await h.signIn('jit-max', person('max', { groups: 'Engineering' }))),
    'a single group may come as a text',
  );
  assert.equal(await p.roleOf(max), 'user');
});

test('groups that Entra left out because there were too many are told as that', async () => {
  const b = await h.signIn('jit-many', person('many', { _claim_names: { groups: 'src1' } }));
  assert.match((await traced(b)).last?.['found'] ?? '', /too many groups to be sent \(overage\)/);
});

test('the primary owner signs in by any mode and without any group', async () => {
  await h.inDirectory('00u-ada', h.acme.owner);
  assert.ok(h.signedIn(await h.signIn('00u-ada', says({ groups: [] }))));
  assert.equal(await p.roleOf(h.acme.owner), 'primary_owner');
});

test('with every seat taken the next person is refused with a reason that both sides read, and comes in when one is free', async () => {
  const taken =
    (await h.t.super<{ n: number }>('select count(*)::int as n from member_seat where activated_at is not null'))[0]
      ?.n ?? 0;
  await p.ok('PUT', '/seats/all', { seats: taken });
  const b = await h.signIn('jit-late', person('late', { groups: ['Engineering'] }));
  assert.ok(!h.signedIn(b));
  assert.match(b.text(), /every seat of your organization is taken/);
  assert.equal((await traced(b)).outcome, 'provisioning/no-seat');
  assert.equal(await userOf('late@acme.example'), undefined, 'no account is made for somebody who cannot enter');
  const [seats] = (await p.ok('GET', '/seats'))['items'];
  assert.deepEqual([seats.tier, seats.left], ['all', 0]);
  assert.match(seats.says, /every seat is taken/);

  const max = (await userOf('max@acme.example')) ?? '';
  const [member] = await h.t.super<{ id: string }>('select id from member where user_id = $1', max);
  await h.api('DELETE', `/orgs/${h.acme.org}/members/${member?.id}`);
  assert.ok(
    h.signedIn(await h.signIn('jit-late', person('late', { groups: ['Engineering'] }))),
    'a seat that was freed is there for the next',
  );
});

test('a member without a seat is kept out of the organization at its door, whichever way the session began', async () => {
  await p.ok('PUT', '/seats/all', { seats: 0 });
  const { user } = await h.addPerson('Stehplatz', 'admin');
  const browser = await h.browserOf(user);
  assert.equal((await h.events('provisioning.seat_refused')).at(-1)?.data['user'], user);
  const cookie = browser.cookies(new URL(h.origin));
  const r = await h.api('GET', `/orgs/${h.acme.org}`, undefined, { cookie });
  assert.deepEqual([r.status, r.body['code']], [403, 'provisioning/no-seat']);
  await p.ok('DELETE', '/seats/all');
  assert.equal((await h.api('GET', `/orgs/${h.acme.org}`, undefined, { cookie })).status, 200);
  for (const limit of [{ seats: -1 }, {}])
    assert.equal((await p.api('PUT', '/seats/all', limit)).body['code'], 'http/invalid');
});

test('a tier has its own limit', async () => {
  await p.ok('PUT', '/seats/standard', { seats: 0 });
  const b = await h.signIn('jit-tier', person('tier', { groups: ['Engineering'] }));
  assert.equal((await traced(b)).outcome, 'provisioning/no-seat');
  await p.ok('DELETE', '/seats/standard');
  assert.ok(h.signedIn(await h.signIn('jit-tier', person('tier', { groups: ['Engineering'] }))));
});

test('seats that nobody uses are listed, and one with calls is not idle', async () => {
  const idle = async (): Promise<string[]> =>
    (await p.ok('GET', '/idle-seats?days=30'))['items'].map((s: { email: string }) => s.email);
  assert.deepEqual(await idle(), []);
  h.advance(31 * 86_400_000);
  const before = await idle();
  assert.ok(before.includes('tier@acme.example'));
  const [m] = await h.t.super<{ id: string; user_id: string }>(
    `select m.id, m.user_id from member m join app_user u on u.id = m.user_id where u.email = 'tier@acme.example'`,
  );
  await h.t.super(
    `insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at) values ($1, $2, 'con', 'tool', $3, $4, 'c', '\\x00', 'n', $5)`,
    h.acme.org,
    newId('tcl'),
    m?.id,
    m?.user_id,
    new Date(Date.now() + 30 * 86_400_000),
  );
  assert.deepEqual(
    await idle(),
    before.filter((e) => e !== 'tier@acme.example'),
  );
});

test('a sign-in that the directory does not recognize is shown beside the entry, with the repair', async () => {
  await p.scim('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'jd@corp.onmicrosoft.example',
    externalId: 'not-the-subject',
    emails: [{ value: 'jd@acme.example', primary: true }],
  });
  const b = await h.signIn('pairwise-jd', person('jd'));
  assert.ok(!h.signedIn(b));
  const { items } = await p.ok('GET', '/diagnostics?q=jd@');
  const found = items[0].mismatches.map((m: { code: string; harm: string }) => `${m.code} ${m.harm}`);
  assert.deepEqual(found, ['not_matched keeps_out', 'upn_not_mail may_keep_out']);
  assert.match(items[0].mismatches[0].directory, /not-the-subject/);
  assert.match(items[0].mismatches[0].signIn, /pairwise-jd/);
});
