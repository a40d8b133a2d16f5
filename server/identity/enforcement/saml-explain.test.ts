import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from '#dev/browser.ts';
import { requestOf, samlHouse, type SamlHouse } from '#dev/saml-house.ts';
import { samlKey } from '#dev/saml-signer.ts';
import { enforcementOperations } from './enforcement.http.ts';
import { explainOperations } from './explain.http.ts';

type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- tests look into JSON

let h: SamlHouse;
before(async () => {
  h = await samlHouse({ operations: [...explainOperations, ...enforcementOperations] });
});
after(() => h[Symbol.asyncDispose]());

const tests = (): string => `/orgs/${h.acme.org}/sso-connections/${h.saml}/tests`;
const numberOn = (b: Browser): string => /sgn_[0-9a-f]{32}/.exec(b.body)?.[0] ?? '';
const explain = async (b: Browser): Promise<Json> =>
  (await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${numberOn(b)}/explain`)).body;
const replay = async (b: Browser): Promise<Json> =>
  (await h.api('POST', `/orgs/${h.acme.org}/sign-ins/${numberOn(b)}/replay`)).body;
const simulated = async (name: string): Promise<Json> => {
  const r = await h.api('GET', `/orgs/${h.acme.org}/sso-enforcement/simulation`);
  assert.equal(r.status, 200, r.text);
  return (r.body['items'] as Json[]).find((i) => i['displayName'] === name) ?? {};
};

/** Goes through a test with the address that was made for it. */
async function walkTest(more: Parameters<SamlHouse['response']>[1] = {}): Promise<{ browser: Browser; result: Json }> {
  const made = await h.api('POST', tests());
  assert.equal(made.status, 201, made.text);
  const browser = await new Browser().open(String(made.body['url']));
  await browser.submit(/Begin the test/);
  const at = new URL(/href="(https:\/\/idp\.[^"]*)"/.exec(browser.body)?.[1]?.replaceAll('&amp;', '&') ?? '');
  const request = /ID="(_[0-9a-f]{40})"/.exec(requestOf(at))?.[1] ?? '';
  await h.arrive(browser, await h.response(request, more), at.searchParams.get('RelayState') ?? '');
  return { browser, result: (await h.api('GET', `${tests()}/${String(made.body['id'])}`)).body };
}

test('a test over SAML shows the attributes as received and as mapped, and lets nobody in', async () => {
  const count = async (): Promise<unknown> =>
    h.t.super('select (select count(*) from session) as s, (select count(*) from identity_link) as l');
  const before = await count();
  const { browser, result } = await walkTest();
  assert.match(browser.text(), /A real sign-in would succeed/);
  assert.equal(result['outcome'], 'would_sign_in');
  assert.ok((result['received'] as Json[]).length > 0);
  assert.ok((result['mapped'] as Json[]).some((m) => m['name'] === 'email' && /@/.test(m['value'])));
  assert.deepEqual(result['stages'].at(-1)?.stage, 'enforcement');
  assert.deepEqual(await count(), before);
  assert.ok(!h.signedIn(browser));
});

test('a test over SAML that the response fails is finished with its code, and is no refusal of anybody', async () => {
  const refused = (await h.events('sign_in.refused')).length;
  const { browser, result } = await walkTest({ audience: 'https://elsewhere.example' });
  assert.equal(result['outcome'], 'identity/saml-audience', browser.text());
  assert.match(JSON.stringify(result['stages']), /https:\/\/elsewhere\.example/);
  assert.equal((await h.events('sign_in.refused')).length, refused);
});

test('a SAML refusal is explained with its own stages, and replayed: refused as before, then let in by the configuration of today', async () => {
  const b = await h.signIn({ key: samlKey() });
  assert.ok(!h.signedIn(b));
  const e = await explain(b);
  assert.equal(e['refused'].stage, 'signature');
  assert.match(e['refused'].repair, /certificate/);
  assert.ok(
    !(e['stages'] as Json[]).some((s) => s['stage'] === 'token'),
    'stages of the other protocol are no part of it',
  );
  assert.equal((await replay(b))['outcome'], e['refused'].code);

  await h.t.super(`update scim_user set external_id = 'someone-else' where user_id = $1`, h.luca);
  const stranger = await h.signIn();
  assert.ok(!h.signedIn(stranger));
  assert.equal((await replay(stranger))['outcome'], 'identity/no-account');
  await h.t.super(`update scim_user set external_id = 'luca@northwind-lamps.example' where user_id = $1`, h.luca);
  assert.equal((await replay(stranger))['outcome'], 'would_sign_in');
  assert.ok(h.signedIn(await h.signIn()), 'and so it is');
});

test('a certificate that ends soon is a risk for whoever depends on it; one that has ended shuts out where the connection refuses it', async () => {
  assert.equal((await simulated('Luca'))['verdict'], 'ok_proved');
  await h.t.super(
    `update saml_certificate set not_before = now() - interval '1 year', not_after = now() + interval '10 days'`,
  );
  const soon = await simulated('Luca');
  assert.deepEqual([soon['verdict'], soon['code']], ['at_risk', 'certificate_ends']);
  await h.t.super(`update saml_certificate set not_after = now() - interval '1 day'`);
  await h.t.super(`update saml_connection set expired_certificate = 'refuse'`);
  const gone = await simulated('Luca');
  assert.deepEqual([gone['verdict'], gone['code']], ['locked_out', 'certificate_expired']);
  const b = await h.signIn();
  assert.ok(!h.signedIn(b), 'and so it is');
  assert.equal((await explain(b))['refused'].code, 'identity/saml-certificate-expired');
  assert.match((await explain(b))['refused'].repair, /present certificate/);
});
