import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { provisioningHouse, type ProvisioningHouse } from '#dev/provisioning-house.ts';
import { signInHouse, type SignInHouse } from '#dev/sign-in-house.ts';
import { newId } from '#kernel/id.ts';
import { stageNames } from '../sign-in-trace.ts';
import { enforcementJob } from './enforcement.job.ts';
import { explainOperations } from './explain.http.ts';
import { explainStages } from './explain-sign-in.ts';
import { repairFor } from './repair.ts';

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

let h: SignInHouse;
let p: ProvisioningHouse;
before(async () => {
  h = await signInHouse({ operations: explainOperations });
  p = await provisioningHouse(h);
});
after(() => h[Symbol.asyncDispose]());

const numberOn = (b: Browser): string => /sgn_[0-9a-f]{32}/.exec(b.body)?.[0] ?? '';
const explain = async (b: Browser | string): Promise<Json> => {
  const id = typeof b === 'string' ? b : numberOn(b);
  const r = await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${id}/explain`);
  assert.equal(r.status, 200, r.text);
  return r.body;
};
const replay = (id: string) => h.api('POST', `/orgs/${h.acme.org}/sign-ins/${id}/replay`);
const claims = (more: object) => ({ claims: (c: Record<string, unknown>) => ({ ...c, ...more }) });

test('a refusal is explained stage by stage, with what was expected and found, one repair, and what was not reached', async () => {
  const e = await explain(await h.signIn('00u-luca', claims({ azp: 'another-app' })));
  assert.equal(e['refused'].code, 'identity/wrong-party');
  assert.ok(e['refused'].repair.length > 20);
  const of = new Map(e['stages'].map((s: Json) => [s['stage'], s]));
  assert.equal((of.get('token') as Json)['state'], 'passed');
  const failed = of.get('claims') as Json;
  assert.deepEqual(
    [failed['state'], failed['actual'], failed['expected']],
    ['refused', 'azp another-app', 'azp gatehouse'],
  );
  for (const s of ['link', 'provisioning', 'enforcement', 'session'])
    assert.equal((of.get(s) as Json)['state'], 'not_reached', s);
  assert.ok(!of.has('signature'), 'a stage of the other protocol is no part of it');
});

test('a sign-in that went well is explained, too, and has no repair', async () => {
  assert.ok(h.signedIn(await h.signIn('00u-luca')));
  const { body } = await h.api('GET', `/orgs/${h.acme.org}/sign-ins?outcome=signed_in`);
  const e = await explain(String((body['items'] as Json[])[0]?.['id']));
  assert.equal(e['refused'], null);
  assert.ok(e['stages'].every((s: Json) => s['state'] !== 'refused'));
});

test('others who failed in the same way within 24 hours are counted; older ones and other codes are not', async () => {
  const first = await h.signIn('stranger-1');
  await h.signIn('stranger-2');
  await h.signIn('stranger-2');
  await h.signIn('00u-luca', { signed: 'none' });
  const { similar } = await explain(first);
  assert.deepEqual([similar.count, similar.people], [2, 1]);
  assert.deepEqual(similar.connections, [h.sso]);
  await h.t.super(`update sign_in_trace set at = at - interval '25 hours' where subject = 'stranger-2'`);
  assert.equal((await explain(first))['similar'].count, 0);
});

test('every stage and every code has a repair to suggest', () => {
  for (const stage of stageNames) assert.ok(repairFor('identity/never-seen', stage).length > 10, stage);
});

test('of a stage that is told twice, the last word counts', () => {
  const stages = explainStages({
    method: 'sso',
    stages: [
      { stage: 'link', ok: true },
      { stage: 'link', ok: false, code: 'identity/no-account', says: 'no' },
    ],
  });
  assert.equal(stages.find((s) => s.stage === 'link')?.state, 'refused');
});

test('the trace of another organization is neither explained nor replayed: identity/no-such-trace', async () => {
  for (const id of [newId('sgn'), 'last'])
    for (const r of [await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${id}/explain`), await replay(id)])
      assert.deepEqual([r.status, r.body['code']], [404, 'identity/no-such-trace'], r.text);
});

test('a refused sign-in is replayed: refused as before, then let in once the mapping is made, and nothing is changed by looking', async () => {
  await p.verified('acme.example');
  await p.set({ set: 'mode', mode: 'jit_advanced' }, { set: 'domains', domains: ['acme.example'] });
  const says = claims({ email: 'max@acme.example', email_verified: true, name: 'Max', groups: ['Engineering'] });
  const b = await h.signIn('jit-max', says);
  assert.ok(!h.signedIn(b));
  const before = await replay(numberOn(b));
  assert.deepEqual(
    [before.body['was'], before.body['outcome']],
    ['provisioning/no-mapped-group', 'provisioning/no-mapped-group'],
    before.text,
  );
  const group = (await p.ok('GET', '/groups?source=attribute'))['items'].find(
    (g: Json) => g['name'] === 'Engineering',
  ).id;
  await p.set({ set: 'map', group, role: 'user' });
  const now = await replay(numberOn(b));
  assert.equal(now.body['outcome'], 'would_sign_in', now.text);
  assert.equal(now.body['refused'], null);
  assert.deepEqual(await h.t.super(`select 1 from app_user where email = 'max@acme.example'`), [], 'nobody was made');
  assert.equal((await h.events('sign_in.explained')).at(-1)?.data['outcome'], 'would_sign_in');
  assert.ok(h.signedIn(await h.signIn('jit-max', says)), 'and so it is');
});

test('what is kept for replaying is sealed, and gone after a week: identity/nothing-kept', async () => {
  const b = await h.signIn('stranger-3', claims({ email: 'secret@elsewhere.example', email_verified: true }));
  const [row] = await h.t.super<{ sealed: Buffer }>('select sealed from sign_in_claims where trace = $1', numberOn(b));
  assert.ok(row && !row.sealed.toString('latin1').includes('secret@'));
  assert.equal((await replay(numberOn(b))).status, 200);
  h.advance(8 * 86_400_000);
  const r = await replay(numberOn(b));
  assert.deepEqual([r.status, r.body['code']], [404, 'identity/nothing-kept'], r.text);
  await h.t.super(
    `insert into sso_enforcement (org, state, changed_by, changed_at) values ($1, 'report_only', 'test', now())`,
    h.acme.org,
  );
  h.advance(((60 + 23 - h.world.now().getUTCMinutes()) % 60) * 60_000);
  await enforcementJob(h.world).run({});
  assert.deepEqual(await h.t.super('select 1 from sign_in_claims'), []);
});

test('where no identity was proved there is nothing to judge again: identity/nothing-kept; nor where nobody was refused: identity/nothing-refused', async () => {
  const b = await h.signIn('00u-luca', { signed: 'none' });
  assert.equal((await replay(numberOn(b))).body['code'], 'identity/nothing-kept');
  const [fine] = await h.t.super<{ id: string }>(`select id from sign_in_trace where outcome = 'signed_in' limit 1`);
  const r = await replay(fine?.id ?? '');
  assert.deepEqual([r.status, r.body['code']], [409, 'identity/nothing-refused'], r.text);
});

test('a replay says when the connection has been switched off since', async () => {
  const b = await h.signIn('stranger-4');
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/disable`);
  assert.equal((await replay(numberOn(b))).body['outcome'], 'identity/connection-disabled');
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/enable`);
});

const tests = (): string => `/orgs/${h.acme.org}/sso-connections/${h.sso}/tests`;
const rows = async (): Promise<unknown> =>
  h.t.super(
    `select (select count(*) from session) as s, (select count(*) from identity_link) as l, (select count(*) from app_user) as u,
            (select count(*) from member) as m, (select count(*) from org_group) as g, (select count(*) from identity_seen) as i`,
  );
/** Goes through a test as whoever has its address. */
async function walkTest(
  url: string,
  subject: string,
  says?: Parameters<SignInHouse['idp']['signIn']>[2],
): Promise<Browser> {
  const browser = await new Browser().open(url);
  await browser.submit(/Begin the test|Test again/);
  const link = /href="([^"]*\/authorize[^"]*)"/.exec(browser.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const back = h.idp.signIn(link, subject, says);
  return browser.open(`${h.origin}/sign-in/callback?${back.toString()}`);
}

test('a test of a connection that is switched off shows each claim as received and as mapped and what would happen, and lets nobody in', async () => {
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/disable`);
  const made = await h.api('POST', tests());
  assert.equal(made.status, 201, made.text);
  const before = await rows();
  assert.equal((await h.api('GET', `${tests()}/${String(made.body['id'])}`)).body['state'], 'waiting');
  const b = await walkTest(
    String(made.body['url']),
    'jit-tess',
    claims({ email: 'tess@acme.example', email_verified: true, given_name: 'Tess', groups: ['Engineering', 'All'] }),
  );
  assert.equal(b.status, 200, b.body);
  assert.match(b.text(), /A real sign-in would succeed/);
  assert.match(b.text(), /given_name/);
  assert.ok(!h.signedIn(b));
  assert.deepEqual(await rows(), before, 'no session, link, account, member, group, nor a name that was seen');
  const { body } = await h.api('GET', `${tests()}/${String(made.body['id'])}`);
  assert.deepEqual([body['state'], body['outcome']], ['finished', 'would_sign_in']);
  assert.deepEqual((body['received'] as Json[]).find((c) => c['name'] === 'groups')?.['values'], [
    'Engineering',
    'All',
  ]);
  assert.equal((body['mapped'] as Json[]).find((c) => c['name'] === 'email')?.['value'], 'tess@acme.example');
  const [org] = body['orgs'] as Json[];
  assert.deepEqual([org?.['admit'], org?.['role']], [true, 'user']);
  assert.equal((await h.events('sso.test_finished')).at(-1)?.data['outcome'], 'would_sign_in');
  await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${h.sso}/enable`);
});

test('a test that fails shows the stage and one repair, and is no refusal of anybody', async () => {
  const made = await h.api('POST', tests());
  const refused = (await h.events('sign_in.refused')).length;
  const b = await walkTest(String(made.body['url']), 'x', {
    instead: { status: 401, body: '{"error":"invalid_client"}' },
  });
  assert.match(b.text(), /does not accept this server’s client id or secret/);
  assert.match(b.text(), /expired secret is replaced/);
  const { body } = await h.api('GET', `${tests()}/${String(made.body['id'])}`);
  assert.equal(body['outcome'], 'identity/client-refused');
  assert.equal((await h.events('sign_in.refused')).length, refused);
  const again = await walkTest(String(made.body['url']), 'stranger-9');
  assert.match(again.text(), /nobody here has given you access yet|address/i);
});

test('a test that is over, of another connection, or never made is not there: identity/no-such-test', async () => {
  const made = await h.api('POST', tests());
  const other = await h.connect(h.idp, { clientId: 'second' });
  for (const path of [
    `${tests()}/${newId('tst')}`,
    `${tests()}/x`,
    `/orgs/${h.acme.org}/sso-connections/${other}/tests/${String(made.body['id'])}`,
  ]) {
    const r = await h.api('GET', path);
    assert.deepEqual([r.status, r.body['code']], [404, 'identity/no-such-test'], r.text);
  }
  assert.match((await new Browser().open(`${h.origin}/sign-in/test/nonsense`)).body, /identity\/no-such-test/);
  h.advance(3 * 3_600_000);
  const late = await new Browser().open(String(made.body['url']));
  assert.equal(late.status, 404);
  const none = await h.api('POST', `/orgs/${h.acme.org}/sso-connections/${newId('sso')}/tests`);
  assert.deepEqual([none.status, none.body['code']], [404, 'identity/no-such-connection']);
});

test('the page of a refusal says a plain sentence, the number and whom to ask, and no names to whom nobody vouched for', async () => {
  const b = await h.signIn('stranger-10');
  assert.equal(b.status, 403);
  assert.match(b.text(), /for which no account is made here/);
  assert.match(b.text(), /Ask Ada/);
  assert.match(b.text(), /sgn_[0-9a-f]{32}/);
  assert.ok(b.body.includes(`/sign-in/start/${h.sso}`), 'try again');
  const forged = await h.signIn('00u-luca', { signed: 'by-stranger' });
  assert.match(forged.text(), /sgn_[0-9a-f]{32}/);
  assert.ok(!forged.text().includes('Ada'), forged.text());
});

test('the page is the same for an address that an account here has and for one that nobody has', async () => {
  await p.set({ set: 'mode', mode: 'login_only' });
  const plain = async (subject: string, email: string): Promise<string> =>
    (await h.signIn(subject, claims({ email, email_verified: true })))
      .text()
      .replaceAll(/sgn_[0-9a-f]{32}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '');
  const [taken, free] = [await plain('thief', 'ada@acme.example'), await plain('nobody', 'free@acme.example')];
  assert.match(taken, /Ask Ada/);
  assert.equal(taken, free);
});
