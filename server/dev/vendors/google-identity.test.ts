import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { importPKCS8, SignJWT } from 'jose';
import { startGoogleDrive, type GoogleDriveStandIn } from './google-drive.ts';

const REDIRECT = 'https://gatehouse.example/connections/callback/con_1';
const SCOPE = 'openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/drive.readonly';
const verifier = 'v'.repeat(50);
const challenge = createHash('sha256').update(verifier).digest('base64url');

async function google(t: TestContext): Promise<GoogleDriveStandIn> {
  const at = await startGoogleDrive();
  t.after(() => at.close());
  at.registerRedirect(REDIRECT);
  return at;
}
async function consent(
  at: GoogleDriveStandIn,
  change: Record<string, string> = {},
): Promise<{ status: number; back: URLSearchParams }> {
  const url = new URL(`${at.origins['login']}/o/oauth2/v2/auth`);
  const asked = {
    client_id: at.app.clientId,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: SCOPE,
    state: 's',
    access_type: 'offline',
    prompt: 'consent',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...change,
  };
  for (const [k, v] of Object.entries(asked)) url.searchParams.set(k, v);
  const page = await fetch(url, { redirect: 'manual' });
  return { status: page.status, back: new URL(page.headers.get('location') ?? 'http://none').searchParams };
}
async function token(
  at: GoogleDriveStandIn,
  form: Record<string, string>,
  path = '/token',
): Promise<{ status: number } & Record<string, unknown>> {
  const answer = await fetch(`${at.origins['oauth']}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: at.app.clientId, client_secret: at.app.clientSecret, ...form }),
  });
  return { ...((await answer.json()) as Record<string, unknown>), status: answer.status };
}
async function connected(at: GoogleDriveStandIn): Promise<Record<string, unknown>> {
  const { back } = await consent(at);
  const code = back.get('code') ?? '';
  return token(at, { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier });
}
const refresh = (
  at: GoogleDriveStandIn,
  t: Record<string, unknown>,
): Promise<{ status: number } & Record<string, unknown>> =>
  token(at, { grant_type: 'refresh_token', refresh_token: String(t['refresh_token']) });
const DAY = 24 * 3600;

test("Google's consent page refuses what Google refuses", async (t) => {
  const at = await google(t);
  assert.equal((await consent(at, { redirect_uri: 'https://evil.example/' })).status, 400);
  assert.equal((await consent(at, { client_id: 'other' })).status, 401);
  assert.equal((await consent(at, { scope: 'https://www.googleapis.com/auth/everything' })).status, 400);
  assert.equal((await consent(at, { code_challenge_method: 'plain' })).status, 400);
  at.visitor.answer = 'deny';
  assert.equal((await consent(at)).back.get('error'), 'access_denied');
  at.visitor.answer = 'allow';
  at.identity.internal = true;
  at.visitor.account = 'mallory';
  assert.equal((await consent(at)).status, 403);
});

test('a code is good once, with its verifier, redirect address and secret', async (t) => {
  const at = await google(t);
  const { back } = await consent(at);
  const good = {
    grant_type: 'authorization_code',
    code: back.get('code') ?? '',
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  };
  assert.equal((await token(at, { ...good, code_verifier: 'x'.repeat(50) }))['error'], 'invalid_grant');
  assert.equal(
    (await token(at, { ...good, redirect_uri: 'https://gatehouse.example/' }))['error'],
    'redirect_uri_mismatch',
  );
  assert.equal((await token(at, { ...good, client_secret: 'no' }))['error'], 'invalid_client');
  const first = await token(at, good);
  assert.equal(first.status, 200);
  assert.equal(first['expires_in'], 3599);
  assert.equal((await token(at, good))['error'], 'invalid_grant');
});

test('a refresh token comes at the first consent and where a consent is asked for anew, and stays the same', async (t) => {
  const at = await google(t);
  const first = await connected(at);
  assert.equal(typeof first['refresh_token'], 'string');
  const { back } = await consent(at, { prompt: 'none' });
  const again = await token(at, {
    grant_type: 'authorization_code',
    code: back.get('code') ?? '',
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  });
  assert.equal(again['refresh_token'], undefined);
  const renewed = await refresh(at, first);
  assert.equal(renewed.status, 200);
  assert.equal(renewed['refresh_token'], undefined);
});

test('a refresh token dies after six months without use, after 7 days of a test, when it is revoked and as the oldest of 101', async (t) => {
  const at = await google(t);
  const one = await connected(at);
  for (let i = 0; i < 3; i++) {
    at.advance(100 * DAY);
    assert.equal((await refresh(at, one)).status, 200);
  }
  at.advance(184 * DAY);
  assert.equal((await refresh(at, one))['error'], 'invalid_grant');
  const two = await connected(at);
  at.identity.testing = true;
  at.advance(8 * DAY);
  assert.equal((await refresh(at, two))['error'], 'invalid_grant');
  at.identity.testing = false;
  const three = await connected(at);
  assert.equal((await token(at, { token: String(three['access_token']) }, '/revoke')).status, 200);
  assert.equal((await refresh(at, three))['error'], 'invalid_grant');
  assert.equal((await token(at, { token: String(three['access_token']) }, '/revoke'))['error'], 'invalid_token');
  at.endGrants('ada');
  const oldest = await connected(at);
  for (let i = 0; i < 100; i++) await connected(at);
  assert.equal((await refresh(at, oldest))['error'], 'invalid_grant');
  assert.equal(at.identity.standing, 100);
});

test('an assertion of a service account must be signed by its key, addressed to Google and short-lived', async (t) => {
  const at = await google(t);
  const key = JSON.parse(String(at.accounts['service_account']?.['key'])) as Record<string, string>;
  const ask = async (o: { aud?: string; seconds?: number; sub?: string; scope?: string; iss?: string }) => {
    const now = Math.floor(Date.now() / 1000);
    const assertion = await new SignJWT({
      scope: o.scope ?? 'https://www.googleapis.com/auth/drive.readonly',
      ...(o.sub ? { sub: o.sub } : {}),
    })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(o.iss ?? String(key['client_email']))
      .setAudience(o.aud ?? `${at.origins['oauth']}/token`)
      .setIssuedAt(now)
      .setExpirationTime(now + (o.seconds ?? 3600))
      .sign(await importPKCS8(String(key['private_key']), 'RS256'));
    return (await token(at, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }))['error'];
  };
  assert.equal(await ask({}), undefined);
  assert.equal(await ask({ sub: 'ada@acme.example' }), undefined);
  assert.equal(await ask({ sub: 'mallory@rival.example' }), 'invalid_grant');
  assert.equal(await ask({ aud: 'https://evil.example/token' }), 'invalid_grant');
  assert.equal(await ask({ seconds: 7200 }), 'invalid_grant');
  assert.equal(await ask({ iss: 'other@x.iam.gserviceaccount.com' }), 'invalid_grant');
  assert.equal(await ask({ scope: 'nothing' }), 'invalid_scope');
  at.identity.delegated = [];
  assert.equal(await ask({ sub: 'ada@acme.example' }), 'unauthorized_client');
});
