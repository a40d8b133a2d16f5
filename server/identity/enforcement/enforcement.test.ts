import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { newId, type Id } from '#kernel/id.ts';
import { enforcementJob } from './enforcement.job.ts';
import { enforcementOperations } from './enforcement.http.ts';
import { explainOperations } from './explain.http.ts';

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

let h: SignInHouse;
let p: ProvisioningHouse;
before(async () => {
  h = await signInHouse({ operations: [...enforcementOperations, ...explainOperations] });
  p = await provisioningHouse(h);
});
after(() => h[Symbol.asyncDispose]());

const at = (): string => `/orgs/${h.acme.org}/sso-enforcement`;
const simulation = async (query = ''): Promise<Json> => {
  const r = await h.api('GET', `${at()}/simulation?limit=200${query}`);
  assert.equal(r.status, 200, r.text);
  return r.body;
};
const put = (body: object) => h.api('PUT', at(), body);
const enforce = async (body: Json): Promise<Json> => {
  const { groups = [], percent = 0 } = body;
  const { hash } = await simulation(`&state=${body['state']}&percent=${percent}&groups=${groups.join(',')}`);
  const r = await put({ ...body, hash });
  assert.equal(r.status, 200, r.text);
  return r.body;
};
const code = (r: { body: Record<string, unknown> }): unknown => r.body['code'];
/** Whether the organization's door opens to this browser's session. */
const enters = async (b: Browser): Promise<boolean> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}`, undefined, { cookie: b.cookies(new URL(h.origin)) });
  return r.status === 200;
};
const byLink = async (user: Id<'usr'>): Promise<Browser> => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, user);
  return (await new Browser().open(url)).submit(/Sign in as/);
};

test('enforcement is off until somebody sets it, and goes through report-only first', async () => {
  assert.equal((await h.api('GET', at())).body['state'], 'off');
  for (const state of ['staged', 'full']) {
    const r = await put({ state, percent: state === 'staged' ? 50 : 0 });
    assert.deepEqual([r.status, code(r)], [409, 'identity/enforcement-report-first'], r.text);
  }
  assert.equal(code(await put({ state: 'staged' })), 'identity/enforcement-report-first');
  assert.equal(code(await put({ state: 'report_only', percent: 5 })), 'identity/enforcement-not-staged');
  const unknown = await put({ state: 'report_only', connections: [newId('sso')] });
  assert.deepEqual([unknown.status, code(unknown)], [400, 'identity/enforcement-unknown-connection']);
  assert.equal((await put({ state: 'report_only' })).status, 200);
  assert.equal(code(await put({ state: 'staged' })), 'identity/enforcement-empty-stage');
});

test('report-only refuses nobody, and counts each sign-in that it would have refused', async () => {
  const { user: mia } = await h.addPerson('Mia', 'user');
  const b = await byLink(mia);
  assert.ok(await enters(b));
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  const { body } = await h.api('GET', at());
  assert.deepEqual(body['hits'], { sinceDays: 30, wouldRefuse: 1, refused: 0, people: 1 });
  const [e] = await h.events('sso.not_single_sign_on');
  assert.deepEqual([e?.log, e?.data['user'], e?.data['refused']], [h.acme.org, mia, false]);
});

test('nobody is refused before an owner has signed in so within 24 hours: identity/enforcement-no-owner-proved', async () => {
  const { hash, conditions } = await simulation();
  assert.equal(conditions.find((c: Json) => c['code'] === 'identity/enforcement-no-owner-proved').met, false);
  const r = await put({ state: 'full', hash });
  assert.deepEqual([r.status, code(r)], [409, 'identity/enforcement-no-owner-proved'], r.text);
  await h.inDirectory('00u-ada', h.acme.owner);
  assert.ok(h.signedIn(await h.signIn('00u-ada')));
});

test('nobody is refused before a break-glass account has proved that it gets in without the identity provider: identity/enforcement-no-break-glass', async () => {
  const { hash } = await simulation();
  const r = await put({ state: 'full', hash });
  assert.deepEqual([r.status, code(r)], [409, 'identity/enforcement-no-break-glass'], r.text);
  await byLink(h.acme.owner);
  assert.ok((await simulation())['conditions'].every((c: Json) => c['met']));
});

test('nobody is refused while an owner would be locked out, and the refusal says who and how to repair it: identity/enforcement-owner-locked-out', async () => {
  const { user } = await h.addPerson('Otto', 'owner');
  const r = await put({ state: 'full', hash: (await simulation())['hash'] });
  assert.deepEqual([r.status, code(r)], [409, 'identity/enforcement-owner-locked-out'], r.text);
  assert.match(String(r.body['detail']), /Otto \(no_identity\)/);
  assert.match(String(r.body['fix']), /Link Northwind ID/);
  await h.t.super('delete from member where user_id = $1', user);
});

test('nobody is refused while no connection counts: identity/enforcement-no-connection', async () => {
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/disable`);
  const s = await simulation();
  assert.equal(s['items'][0].code, 'no_connection');
  assert.equal(code(await put({ state: 'full', hash: s['hash'] })), 'identity/enforcement-no-connection');
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/enable`);
});

test('a change that is not the one that was looked at is refused, and so is one that nobody looked at: identity/enforcement-stale', async () => {
  const { hash } = await simulation();
  for (const [body, says] of [
    [{ state: 'full' }, /nobody has looked/],
    [{ state: 'staged', percent: 10, hash }, /not what you looked at any more/],
    [{ state: 'full', connections: [h.sso], hash }, /not what you looked at any more/],
  ] as const) {
    const r = await put(body);
    assert.deepEqual([r.status, code(r)], [412, 'identity/enforcement-stale'], r.text);
    assert.match(String(r.body['detail']), says);
  }
  await h.addPerson('New', 'user');
  assert.equal(code(await put({ state: 'full', hash })), 'identity/enforcement-stale', 'somebody has come since');
});

test('the simulation says of each person how they would be and what to do, the worst first, and finds and counts them', async () => {
  const s = await simulation();
  const of = new Map(s['items'].map((i: Json) => [i['displayName'], i]));
  const [ada, luca, mia] = ['Ada', 'Luca', 'Mia'].map((n) => of.get(n) as Json);
  assert.equal(ada?.['verdict'], 'ok_proved');
  assert.equal(luca?.['verdict'], 'ok_proved');
  assert.deepEqual([mia?.['verdict'], mia?.['code']], ['locked_out', 'no_identity']);
  assert.match(mia?.['repair'], /assign them in the directory/);
  assert.ok(mia?.['otherwiseAt'], 'when she got in otherwise');
  assert.equal(s['items'][0].verdict, 'locked_out');
  assert.deepEqual(s['counts'], { ok_proved: 2, ok_predicted: 0, at_risk: 0, locked_out: 2 });
  const found = await h.api('GET', `${at()}/simulation?q=mia`);
  assert.deepEqual(
    (found.body['items'] as Json[]).map((i) => i['displayName']),
    ['Mia'],
  );
  const names: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await h.api('GET', `${at()}/simulation?limit=1${cursor === undefined ? '' : `&cursor=${cursor}`}`);
    names.push(...(page.body['items'] as Json[]).map((i) => String(i['displayName'])));
    cursor = page.body['next'] as string | null;
  }
  assert.deepEqual(
    names,
    s['items'].map((i: Json) => i['displayName']),
    'page by page it is the same list',
  );
  assert.equal((await h.events('sso.enforcement_simulated')).at(-1)?.data['lockedOut'], 2);
});

test('the CSV has one line per person, and a name that a spreadsheet would calculate is made text', async () => {
  const { member } = await h.addPerson('=HYPERLINK("x")', 'user');
  const r = await h.api('GET', `${at()}/simulation.csv`);
  assert.match(r.headers.get('content-type') ?? '', /text\/csv/);
  assert.match(r.text, /"'=HYPERLINK/);
  assert.equal(r.text.trimEnd().split('\r\n').length, 1 + (await simulation())['items'].length);
  await h.t.super('delete from member where id = $1', member);
});

test('a failed last sign-in is a risk that names its code, and a repaired one is none any more', async () => {
  await h.signIn('00u-luca', { signed: 'none' });
  const bad = await h.signIn('00u-luca', { claims: (c) => ({ ...c, azp: 'other' }) });
  assert.ok(!h.signedIn(bad));
  // The subject is known only where the token could be believed; a refusal after that is the person's own.
  await h.t.super("update sign_in_trace set subject = '00u-luca' where outcome = 'identity/wrong-party'");
  const [risk] = (await simulation('&verdict=at_risk'))['items'];
  assert.deepEqual([risk.displayName, risk.code], ['Luca', 'failed_lately']);
  assert.match(risk.says, /identity\/wrong-party/);
  assert.match(risk.repair, /sgn_/);
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  assert.equal((await simulation())['counts'].at_risk, 0);
});

test('when enforcement starts, sessions that were opened otherwise end, which the simulation announced; single sign-on and break-glass go on', async () => {
  const [mia] = await h.t.super<{ id: Id<'usr'> }>("select id from app_user where display_name = 'Mia'");
  assert.ok(mia);
  const [hers, lucas, adas] = [await byLink(mia.id), await h.signIn('00u-luca'), await byLink(h.acme.owner)];
  const s = await simulation();
  assert.ok(s['sessionsEnded'] >= 1);
  assert.equal((await enforce({ state: 'full' }))['state'], 'full');
  assert.deepEqual([await enters(hers), await enters(lucas), await enters(adas)], [false, true, true]);
  const open = await h.t.super('select 1 from session where revoked_at is null and user_id = $1', mia.id);
  assert.deepEqual(open, [], 'and are no more in her list');
  const [changed] = await h.events('sso.enforcement_changed').then((all) => all.slice(-1));
  assert.equal(changed?.data['sessionsEnded'], s['sessionsEnded']);
  assert.equal(
    (await h.events('session.ended')).filter((e) => e.data['why'] === 'enforced').length,
    s['sessionsEnded'],
  );
});

test('under enforcement a set-up link opens nothing for a member, is counted, and still works for break-glass: identity/sso-required', async () => {
  const [mia] = await h.t.super<{ id: Id<'usr'> }>("select id from app_user where display_name = 'Mia'");
  assert.ok(mia);
  const b = await byLink(mia.id);
  assert.ok(!h.signedIn(b));
  assert.match(b.text(), /through its own identity provider only/);
  assert.match(b.body, /identity\/sso-required/);
  assert.equal((await h.api('GET', at())).body['hits'] instanceof Object, true);
  assert.equal((await h.events('sso.not_single_sign_on')).at(-1)?.data['refused'], true);
  assert.ok(await enters(await byLink(h.acme.owner)));
});

test('whoever becomes a member later loses a session that was opened otherwise, at the next request', async () => {
  const { user, member } = await h.addPerson('Later', 'user');
  await h.t.super('delete from member where id = $1', member);
  const b = await byLink(user);
  assert.ok(h.signedIn(b));
  const cookie = b.cookies(new URL(h.origin));
  assert.equal((await h.api('GET', '/me', undefined, { cookie })).status, 200);
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
    h.acme.org,
    member,
    user,
  );
  assert.deepEqual(code(await h.api('GET', '/me', undefined, { cookie })), 'identity/session-ended');
  await h.t.super('delete from member where id = $1', member);
});

test('break-glass undoes enforcement at once and without looking at anything first', async () => {
  const cookie = (await byLink(h.acme.owner)).cookies(new URL(h.origin));
  const headers = { cookie, origin: h.origin, 'sec-fetch-site': 'same-origin' };
  const r = await h.api('PUT', at(), { state: 'off' }, headers);
  assert.equal(r.status, 200, r.text);
  const [mia] = await h.t.super<{ id: Id<'usr'> }>("select id from app_user where display_name = 'Mia'");
  assert.ok(mia && (await enters(await byLink(mia.id))));
});

test('a stage takes in the people of its groups and a stable part of the rest; more percent take nobody out', async () => {
  await put({ state: 'report_only' });
  const people: Id<'usr'>[] = [];
  for (let i = 0; i < 12; i++) people.push((await h.addPerson(`Stage${i}`, 'user')).user);
  const taken = async (percent: number): Promise<Set<string>> => {
    const s = await simulation(`&state=staged&percent=${percent}`);
    return new Set(s['items'].filter((i: Json) => i['touched']).map((i: Json) => i['user']));
  };
  const [none, some, more, all] = [await taken(0), await taken(40), await taken(70), await taken(100)];
  assert.equal(none.size, 0);
  assert.ok(some.size > 0 && some.size < all.size, `${some.size} of ${all.size}`);
  assert.deepEqual(
    [...some].filter((u) => !more.has(u)),
    [],
  );
  assert.deepEqual(await taken(40), some, 'the same people each time');
  const { entry, user } = await p.push('Grouped');
  const group = await p.group('Stage one', [entry]);
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now()) on conflict do nothing`,
    h.acme.org,
    newId('mem'),
    user,
  );
  const s = await simulation(`&state=staged&groups=${group}`);
  assert.deepEqual(
    s['items'].filter((i: Json) => i['touched']).map((i: Json) => i['displayName']),
    ['Grouped'],
  );

  await enforce({ state: 'staged', percent: 40, groups: [group] });
  for (const u of people)
    assert.equal(await enters(await byLink(u)), !some.has(u), 'exactly the people of the stage are refused');
  await put({ state: 'off' });
  await h.t.super(`delete from member m using app_user u where u.id = m.user_id and u.display_name like 'Stage%'`);
});

test('of two connections only the chosen one counts, and the trace of the other says so at the stage enforcement', async () => {
  const other = await h.connect(h.idp, { name: 'Second', clientId: 'other' });
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${other}/disable`);
  await put({ state: 'report_only' });
  const { hash } = await simulation(`&connections=${h.sso}`);
  assert.equal((await put({ state: 'full', connections: [h.sso], hash })).status, 200);
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  await h.t.super(`update sso_enforcement set connections = array[$1]`, other);
  const b = await h.signIn('00u-luca');
  assert.ok(!h.signedIn(b));
  const t = await h.traceOn(b);
  assert.equal(t.outcome, 'identity/sso-required');
  assert.equal(t.stages.at(-1)?.['stage'], 'enforcement');
  await put({ state: 'off' });
});

test('an identity provider that does not take our secret any more brings enforcement back to report-only; one person’s failures do not', async () => {
  const job = enforcementJob(h.world);
  const state = async (): Promise<unknown> => (await h.api('GET', at())).body['state'];
  await put({ state: 'report_only' });
  assert.ok(h.signedIn(await h.signIn('00u-ada')));
  await enforce({ state: 'full' });
  for (let i = 0; i < 5; i++) await h.signIn('00u-luca', { signed: 'by-stranger' });
  await job.run({});
  assert.equal(await state(), 'full', 'anybody can make those');
  for (let i = 0; i < 6; i++)
    await h.signIn('00u-luca', { instead: { status: 401, body: '{"error":"invalid_client"}' } });
  await job.run({});
  assert.equal(await state(), 'report_only');
  const { body } = await h.api('GET', at());
  assert.equal(body['returnedBecause'], 'identity/client-refused');
  assert.equal((await h.events('sso.enforcement_returned')).at(-1)?.data['from'], 'full');
  const s = await simulation();
  assert.equal(s['items'].find((i: Json) => i['displayName'] === 'Luca').verdict, 'at_risk');
  await put({ state: 'off' });
});

test('what enforcement counted is forgotten after 90 days', async () => {
  await put({ state: 'report_only' });
  await h.t.super(`update sso_enforcement_hit set at = now() - interval '91 days'`);
  const minutes = (60 + 23 - h.world.now().getUTCMinutes()) % 60;
  h.advance(minutes * 60_000);
  await enforcementJob(h.world).run({});
  h.advance(-minutes * 60_000);
  assert.deepEqual(await h.t.super('select 1 from sso_enforcement_hit'), []);
});
