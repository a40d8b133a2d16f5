import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { mailLinkHouse, type MailLinkHouse } from '#dev/mail-link-house.ts';
import { newId } from '#kernel/id.ts';

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
/** Opens the link and presses its button. */
const use = async (b: Browser, link: string): Promise<Browser> => (await b.open(link)).submit('Sign in');
const post = (link: string, cookie: string): Promise<Response> =>
  fetch(link, { method: 'POST', redirect: 'manual', headers: { origin: h.origin, cookie } });

test('whoever asks by mail is signed in by the link that comes over SMTP, and the log says how', async () => {
  const b = await h.ask('LUCA@acme.example');
  const link = await h.mailed();
  await b.open(link);
  assert.ok(!h.signedIn(b), 'looking uses nothing up');
  await use(b, link);
  assert.ok(h.signedIn(b), b.text());
  const opened = (await h.events('session.opened')).at(-1);
  assert.deepEqual([opened?.data['via'], opened?.data['user']], ['mail_link', h.luca]);
  assert.equal((await h.events('mail_link.made')).at(-1)?.data['user'], h.luca);
  assert.equal((await h.events('mail_link.used')).at(-1)?.data['user'], h.luca);
});

test('nothing that opens a link stands in the outbox, the row or the log', async () => {
  await h.ask(luca);
  const token = (await h.mailed()).split('/').at(-1) ?? '';
  const proof = token.split('.')[1] ?? '';
  assert.equal(proof.length, 43);
  for (const table of ['message', 'mail_link', 'audit_inbox'])
    assert.ok(
      !JSON.stringify(await h.t.super(`select to_jsonb(x)::text as row from ${table} x`)).includes(proof),
      table,
    );
});

test('a link works once, even when two post it at the same moment', async () => {
  const b = await h.ask(luca);
  const link = await h.mailed();
  const cookie = b.cookies(new URL(h.origin));
  const both = await Promise.all([post(link, cookie), post(link, cookie)]);
  assert.deepEqual(
    both.map((r) => r.status).toSorted((a, z) => a - z),
    [303, 409],
  );
  await b.open(link);
  assert.match(b.body, /identity\/mail-link-used/);
});

test('a link ends after 15 minutes', async () => {
  const b = await h.ask(luca);
  const link = await h.mailed();
  await h.t.super(`update mail_link set expires_at = now() - interval '1 second' where used_at is null`);
  assert.match((await b.open(link)).body, /identity\/mail-link-expired/);
  assert.equal((await post(link, b.cookies(new URL(h.origin)))).status, 409);
});

test('a link that was altered, or made up, is no link', async () => {
  const b = await h.ask(luca);
  const link = await h.mailed();
  const flipped = link.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'));
  const foreign = link.replace(/mlk_[0-9a-f]{32}/, newId('mlk'));
  for (const bad of [flipped, foreign, link.slice(0, -1), `${link}.x`, `${h.origin}/sign-in/mail/x`])
    assert.match((await b.open(bad)).body, /identity\/no-mail-link/, bad);
});

test('a link works in no other browser than the one that asked', async () => {
  await h.ask(luca);
  const link = await h.mailed();
  const other = await h.ask('nobody@acme.example');
  for (const b of [other, new Browser()]) assert.match((await b.open(link)).body, /identity\/mail-link-other-browser/);
  assert.equal((await post(link, other.cookies(new URL(h.origin)))).status, 403);
});

test('an address without an account gets the same answer but for its number, and the same cookies and rows as one with, and no mail', async () => {
  const known = await h.ask(luca);
  const unknown = await h.ask('stranger@acme.example');
  // The number of the attempt is a new one each time.
  const answer = (b: Browser) => [b.status, b.body.replace(/sgn_[0-9a-f]{32}/, 'NUMBER')];
  assert.deepEqual(answer(unknown), answer(known));
  const names = (b: Browser) => b.cookies(new URL(h.origin)).replace(/=[^;]*/g, '');
  assert.equal(names(unknown), names(known));
  assert.equal((await h.t.super(`select 1 from mail_link_ask where scope = 'address'`)).length, 2);
  await h.mailed();
});

test('no mail goes out while one organization of the person does not allow it, nor to the suspended', async () => {
  await h.allow(false);
  await h.ask(luca);
  await h.idle();
  await h.allow(true);
  const sister = newId('org');
  await h.t.super(
    `insert into org (parent, id, name, surface, region, created_at) values ($1, $2, 'Sister', 'workspace', 'local', now())`,
    h.acme.parent,
    sister,
  );
  const { user } = await h.addPerson('Both', 'user');
  await h.t.super(
    `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
    sister,
    newId('mem'),
    user,
  );
  await h.idle();
  await h.ask('both@acme.example');
  const { user: gone } = await h.addPerson('Gone', 'user');
  await h.t.super(`update app_user set state = 'suspended' where id = $1`, gone);
  await h.ask('gone@acme.example');
  await h.idle();
  assert.deepEqual(h.mail.received, []);
});

test('what changed since the mail counts: switched off, suspended, elsewhere, enforced', async () => {
  const { user } = await h.addPerson('Mia', 'user');
  const b = await h.ask('mia@acme.example');
  const link = await h.mailed();
  const refused = async (code: string) => assert.match((await use(b, link)).body, new RegExp(code));
  await h.allow(false);
  await refused('identity/mail-link-not-allowed');
  await h.allow(true);
  await h.t.super(`update org_access set addresses = '{192.0.2.0/24}' where org = $1`, h.acme.org);
  await refused('identity/address-not-allowed');
  await h.t.super(`update org_access set addresses = '{}' where org = $1`, h.acme.org);
  await h.t.super(
    `insert into sso_enforcement (org, state, preview_hash, changed_by, changed_at) values ($1, 'full', 'x', 'test', now())`,
    h.acme.org,
  );
  await refused('identity/sso-required');
  const hit = (await h.events('sso.not_single_sign_on')).at(-1);
  assert.deepEqual([hit?.data['via'], hit?.data['user'], hit?.data['refused']], ['mail_link', user, true]);
  await h.t.super('delete from sso_enforcement');
  await h.t.super(`update app_user set state = 'suspended' where id = $1`, user);
  await refused('identity/suspended');
  await h.t.super(`update app_user set state = 'active' where id = $1`, user);
  assert.ok(h.signedIn(await use(b, link)), 'a refusal does not use it up');
});

test('whoever changes the address within one IPv6 /64 is counted as one client, and the next /64 as another', async () => {
  const ask = (from: string) =>
    fetch(`${h.origin}/sign-in/mail`, {
      method: 'POST',
      headers: { origin: h.origin, 'x-forwarded-for': from },
      body: new URLSearchParams({ email: 'stranger@acme.example' }),
    });
  for (let i = 0; i < 3; i++) assert.equal((await ask(`2001:db8:1:2::${i}`)).status, 200);
  await h.t.super(`update mail_link_ask set n = 30 where scope = 'client'`);
  assert.equal((await ask('2001:db8:1:2:ffff::1')).status, 429);
  assert.equal((await ask('2001:db8:1:3::1')).status, 200);
});

test('one address gets five links an hour, without a word, and one client thirty questions', async () => {
  const b = new Browser();
  for (let i = 0; i < 7; i++) assert.match((await h.ask(luca, b)).text(), /Look into your mail/);
  await h.idle();
  assert.equal(h.mail.received.length, 5);
  await h.t.super(`update mail_link_ask set n = 30 where scope = 'client'`);
  for (const email of [luca, 'stranger@acme.example']) {
    await h.ask(email, b);
    assert.equal(b.status, 429);
    assert.match(b.body, /identity\/mail-link-too-often/);
  }
});
