import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { mailLinkHouse, type MailLinkHouse } from '#dev/mail-link-house.ts';
import { createSetupLink } from './create-setup-link.ts';
import { listLastSignIns } from './last-sign-in.sql.ts';

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

/** Sign-ins by a link in a mail and by a set-up link; those with a passkey are beside the passkeys, because they need a real browser. */
let h: MailLinkHouse;
before(async () => {
  h = await mailLinkHouse();
});
after(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.allow(true);
  await h.t.super('delete from mail_link_ask');
  h.mail.received.length = 0;
});

const luca = 'luca@acme.example';
const numberOn = (b: Browser): string => /sgn_[0-9a-f]{32}/.exec(b.body)?.[0] ?? 'no number';
const signIns = async (query: string): Promise<Json[]> =>
  (await h.api('GET', `/orgs/${h.acme.org}/sign-ins?${query}`)).body['items'] as Json[];
const explain = (number: string) => h.api('GET', `/orgs/${h.acme.org}/sign-ins/${number}/explain`);
const use = async (b: Browser, link: string): Promise<Browser> => (await b.open(link)).submit('Sign in');

test('a sign-in by mail is in the trace with its stages, and the memberships say by which method it was', async () => {
  const b = await h.ask(luca);
  await use(b, await h.mailed());
  const [newest] = await signIns('method=mail_link');
  assert.deepEqual(
    [newest?.['method'], newest?.['connection'], newest?.['user'], newest?.['outcome']],
    ['mail_link', null, h.luca, 'signed_in'],
  );
  assert.equal((await h.events('session.opened')).at(-1)?.data['trace'], newest?.['id']);
  const e = await explain(String(newest?.['id']));
  assert.deepEqual(
    (e.body['stages'] as Json[]).map((s) => [s['stage'], s['state']]),
    ['proof', 'access', 'seat', 'enforcement', 'session'].map((stage) => [stage, 'passed']),
  );
  assert.deepEqual([e.body['method'], e.body['refused']], ['mail_link', null]);
  const last = await h.world.db.read({ parent: h.acme.parent }, (db) => listLastSignIns(db, [h.luca]));
  assert.deepEqual(
    last.map((l) => l.method),
    ['mail_link'],
  );
});

test('a refused link shows its person a number, by which administrators see the stage, the code and one repair', async () => {
  await h.ask(luca);
  const other = await new Browser().open(await h.mailed());
  const e = await explain(numberOn(other));
  assert.equal(e.status, 200, other.text());
  const { code, stage, repair } = e.body['refused'] as Json;
  assert.deepEqual([code, stage, e.body['user']], ['identity/mail-link-other-browser', 'proof', h.luca]);
  assert.match(repair, /in the browser in which they asked/);
  assert.deepEqual(
    (e.body['stages'] as Json[]).map((s) => s['state']),
    ['refused', 'not_reached', 'not_reached', 'not_reached', 'not_reached'],
  );
  const told = (await h.events('sign_in.refused_otherwise')).at(-1);
  assert.deepEqual(
    [told?.data['trace'], told?.data['method'], told?.data['user']],
    [numberOn(other), 'mail_link', h.luca],
  );
  assert.deepEqual((await signIns(`q=${luca}&outcome=${code}`))[0]?.['id'], numberOn(other));
});

test('a set-up link that was used already is traced as the set-up link that it is', async () => {
  const { url } = await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner);
  await (await new Browser().open(url)).submit(/Sign in as/);
  const late = await new Browser().open(url);
  assert.deepEqual(
    (await signIns('method=setup_link')).map((t) => [t['outcome'], t['user']]),
    [
      ['identity/setup-link-used', h.acme.owner],
      ['signed_in', h.acme.owner],
    ],
  );
  assert.equal((await signIns('method=setup_link'))[0]?.['id'], numberOn(late));
});

test('who asks for a link and may have none sees a number like everybody, and only administrators learn why: allowed by none, suspended', async () => {
  const { user: gone } = await h.addPerson('Gone', 'user');
  await h.t.super(`update app_user set state = 'suspended' where id = $1`, gone);
  const suspended = await h.ask('gone@acme.example');
  await h.allow(false);
  const refused = await h.ask(luca);
  const stranger = await h.ask('stranger@acme.example');
  await h.idle();
  assert.deepEqual(h.mail.received, []);
  const without = (b: Browser) => b.body.replace(numberOn(b), 'NUMBER');
  assert.equal(without(refused), without(stranger));
  assert.equal(without(suspended), without(stranger));
  const outcome = async (b: Browser) => {
    const { status, body } = await explain(numberOn(b));
    return [status, body['outcome'] ?? body['code']];
  };
  assert.deepEqual(await outcome(suspended), [200, 'identity/suspended']);
  assert.deepEqual(await outcome(refused), [200, 'identity/mail-link-not-allowed']);
  assert.deepEqual(await outcome(stranger), [404, 'identity/no-such-trace']);
});

test('a link that we never made is of nobody: no trace, and no number that would lead nowhere', async () => {
  const before = (await signIns('limit=100')).length;
  const b = await new Browser().open(`${h.origin}/sign-in/mail/made.up`);
  assert.match(b.body, /identity\/no-mail-link/);
  assert.equal(numberOn(b), 'no number');
  assert.equal((await signIns('limit=100')).length, before);
});

test('a link in many hands fills no table: thirty refusals of one person in ten minutes are traced', async () => {
  await h.ask(luca);
  const link = await h.mailed();
  const traced = async () =>
    (await h.t.super(`select 1 from sign_in_trace where outcome = 'identity/mail-link-other-browser'`)).length;
  for (let i = await traced(); i < 30; i++) await new Browser().open(link);
  const late = await new Browser().open(link);
  assert.match(late.body, /identity\/mail-link-other-browser/);
  assert.ok((await traced()) <= 30);
  assert.equal(numberOn(late), 'no number');
});

test('only single sign-on is judged again: identity/no-replay', async () => {
  const [newest] = await signIns('method=mail_link');
  const r = await h.api('POST', `/orgs/${h.acme.org}/sign-ins/${newest?.['id']}/replay`);
  assert.deepEqual([r.status, r.body['code']], [409, 'identity/no-replay'], r.text);
  assert.match(String(r.body['detail']), /link by mail; only single sign-on/);
});
