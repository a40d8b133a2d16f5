import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { startRogueIdp } from '#dev/rogue-idp.ts';
import { createSetupLink } from './create-setup-link.ts';
import { signInHouse, type SignInHouse, type Trace } from '#dev/sign-in-house.ts';

let h: SignInHouse;
before(async () => {
  h = await signInHouse();
});
after(() => h[Symbol.asyncDispose]());

test('a person whom the directory knows by the subject signs in, and comes back to where they wanted to go', async () => {
  const b = await h.signIn('00u-luca', undefined, '/?from=here');
  assert.equal(b.url.href, `${h.origin}/?from=here`);
  assert.match(b.text(), /Luca/);
  assert.match(b.text(), /\/mcp\/crm/);
  assert.match(b.text(), /All of these together\s+https?:\S+\/mcp\s/);
  const { body } = await h.api('GET', `/orgs/${h.acme.org}/sign-ins?outcome=signed_in`);
  const [trace] = body['items'] as Trace[];
  assert.equal(trace?.user, h.luca);
  assert.deepEqual(
    trace?.stages.map((s) => s['stage']),
    ['discovery', 'redirect', 'response', 'token', 'claims', 'link', 'provisioning', 'session'],
  );
  const opened = (await h.events('session.opened')).at(-1);
  assert.equal(opened?.log, h.acme.parent);
  assert.deepEqual((opened?.header['actor'] as { id?: string } | undefined)?.id, h.luca);
});

test('an identity that nobody knows is refused with a number, and an e-mail of somebody here helps it nothing', async () => {
  for (const email_verified of [true, 'true', 'false']) {
    const b = await h.signIn('00u-mallory', { claims: (c) => ({ ...c, email: 'luca@acme.example', email_verified }) });
    assert.equal(b.status, 403);
    assert.ok(!h.signedIn(b));
    const trace = await h.traceOn(b);
    assert.equal(trace.outcome, 'identity/no-account');
    assert.match(trace.stages.at(-1)?.['found'] ?? '', /sub 00u-mallory/);
    assert.ok(!b.body.includes('luca@'), 'the page names no other account');
  }
});

test('Entra’s object id matches a directory user whose externalId it is', async () => {
  const ida = (await h.addPerson('Ida', 'user')).user;
  await h.inDirectory('oid-of-ida', ida);
  const b = await h.signIn('pairwise-sub-1', { claims: (c) => ({ ...c, oid: 'oid-of-ida' }) });
  assert.ok(h.signedIn(b), b.text());
  const again = await h.signIn('pairwise-sub-1');
  assert.ok(h.signedIn(again), 'from then on the link by subject is enough');
});

test('a suspended person is refused at sign-in, and the trace says who it was about', async () => {
  const p = (await h.addPerson('Susi', 'user')).user;
  await h.inDirectory('00u-susi', p);
  await h.api('POST', `/orgs/${h.acme.org}/users/${p}/suspend`);
  const b = await h.signIn('00u-susi');
  assert.ok(!h.signedIn(b));
  const trace = await h.traceOn(b);
  assert.equal(trace.outcome, 'identity/suspended');
  assert.match(trace.stages.at(-1)?.['found'] ?? '', new RegExp(p));
});

test('a person who is a member of nothing is told so instead of being let into an empty house', async () => {
  const p = await h.addPerson('Greta', 'user');
  await h.inDirectory('00u-greta', p.user);
  await h.api('DELETE', `/orgs/${h.acme.org}/members/${p.member}`);
  const removed = await h.signIn('00u-greta');
  assert.ok(!h.signedIn(removed));
  assert.equal((await h.traceOn(removed)).outcome, 'provisioning/removed');
  // As if nobody had ever added them.
  await h.t.super('delete from membership_tombstone where user_id = $1', p.user);
  const b = await h.signIn('00u-greta');
  assert.ok(!h.signedIn(b));
  assert.equal((await h.traceOn(b)).outcome, 'identity/no-organization');
});

test('linking an identity takes a live session of the same browser, and then that identity signs the same person in', async () => {
  const ada = await h.browserOf(h.acme.owner);
  assert.match(ada.text(), /Link Northwind ID/);
  await ada.submit(/Link Northwind ID/);
  const at = /href="([^"]*\/authorize[^"]*)"/.exec(ada.body)?.[1]?.replaceAll('&amp;', '&');
  await h.back(ada, h.idp.signIn(at!, '00u-ada'));
  assert.ok(!ada.text().includes('Link Northwind ID'), ada.text());
  const later = await h.signIn('00u-ada');
  assert.match(later.text(), /Signed in as ada@acme.example/);
});

test('an identity of somebody else cannot be linked to oneself', async () => {
  const p = await h.addPerson('Mallory', 'user');
  const browser = await h.browserOf(p.user);
  await browser.submit(/Link Northwind ID/);
  const at = /href="([^"]*\/authorize[^"]*)"/.exec(browser.body)?.[1]?.replaceAll('&amp;', '&');
  await h.back(browser, h.idp.signIn(at!, '00u-luca'));
  assert.equal((await h.traceOn(browser)).outcome, 'identity/linked-to-other');
});

test('a link that was begun by a session that has ended is refused', async () => {
  const p = await h.addPerson('Lily', 'user');
  const browser = await h.browserOf(p.user);
  await browser.submit(/Link Northwind ID/);
  const at = /href="([^"]*\/authorize[^"]*)"/.exec(browser.body)?.[1]?.replaceAll('&amp;', '&');
  await h.t.super(`update session set revoked_at = now() where user_id = $1`, p.user);
  await h.back(browser, h.idp.signIn(at!, '00u-lily'));
  assert.equal((await h.traceOn(browser)).outcome, 'identity/link-without-session');
});

test('a second identity provider matches nobody of the directory unless its owner says so', async () => {
  const other = await startRogueIdp();
  try {
    const id = await h.connect(other, { name: 'Partner' });
    const browser = new Browser();
    await browser.open(`${h.origin}/sign-in/start/${id}`, { stopAt: other.issuer });
    await h.back(browser, other.signIn(browser.url, '00u-luca'));
    assert.ok(!h.signedIn(browser));
    assert.equal((await h.traceOn(browser)).outcome, 'identity/no-account');
  } finally {
    await other.stop();
  }
});

test('a link that one person began is not finished for another who signed in with the same browser meanwhile', async () => {
  const lena = await h.addPerson('Lena', 'user');
  const browser = await h.browserOf(lena.user);
  await browser.submit(/Link Northwind ID/);
  const at = /href="([^"]*\/authorize[^"]*)"/.exec(browser.body)?.[1]?.replaceAll('&amp;', '&');
  await browser.open((await createSetupLink({ ...h.ctx, now: h.world.now() }, h.acme.owner)).url);
  await browser.submit(/Sign in as/);
  await h.back(browser, h.idp.signIn(at!, '00u-lena'));
  assert.equal((await h.traceOn(browser)).outcome, 'identity/link-without-session');
});
