import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { plainManifest } from '#dev/vendors/plain-manifest.ts';
import { refusedAgain } from './connector-app.ts';
import { backoffMs, MAX_BACKOFF_MS } from './renewal.ts';
import { expiryOf, readTokenAnswer } from './token-answer.ts';
import type { OAuthFacts } from './oauth-facts.ts';

const facts = plainManifest().oauth!;
const none = { settings: {}, secrets: [] };
const read = (status: number, body: unknown, f: OAuthFacts = facts) => readTokenAnswer(f, status, body, none);

test('an answer by the letter is a grant, with numbers as text and scopes in words', () => {
  assert.deepEqual(
    read(200, { access_token: 'a', token_type: 'Bearer', expires_in: '3600', refresh_token: 'r', scope: 'x  y x' }),
    {
      kind: 'granted',
      grant: { accessToken: 'a', refreshToken: 'r', expiresIn: 3600, refreshExpiresIn: undefined, scopes: ['x', 'y'] },
      facts: {},
    },
  );
});

for (const [what, status, body, because, code] of [
  ['a grant that has ended', 400, { error: 'invalid_grant' }, 'reconnect', 'invalid_grant'],
  ['an app that is not known', 401, { error: 'invalid_client' }, 'app', 'invalid_client'],
  ['an app that may not', 400, { error: 'unauthorized_client' }, 'app', 'unauthorized_client'],
  ['a 401 without words', 401, undefined, 'app', 'http_401'],
  ['too many requests', 429, {}, 'later', 'http_429'],
  ['a fault', 500, '<html>', 'later', 'http_500'],
  ['a no with the status of a yes', 200, { error: 'invalid_grant' }, 'reconnect', 'invalid_grant'],
  ['a yes without a token', 200, {}, 'later', 'broken_answer'],
  ['a yes that says it is none', 200, { ok: false }, 'later', 'broken_answer'],
  ['a token that would end a header', 200, { access_token: 'a\r\nx: y' }, 'later', 'broken_answer'],
  ['a token for another scheme', 200, { access_token: 'a', token_type: 'DPoP' }, 'later', 'broken_answer'],
  ['a code that is no code', 400, { error: 'a sentence with spaces' }, 'later', 'unknown_error'],
] as const)
  test(`${what} is read as ${because}`, () => {
    const r = read(status, body);
    assert.equal(r.kind, 'refused');
    if (r.kind === 'refused') assert.deepEqual([r.because, r.code], [because, code]);
  });

test('after a fault nobody knows whether the vendor acted; after a no it did not', () => {
  const acted = (status: number, body: unknown): string => {
    const r = read(status, body);
    return r.kind === 'refused' ? r.acted : 'granted';
  };
  assert.deepEqual(
    [
      acted(500, {}),
      acted(502, 'x'),
      acted(200, {}),
      acted(400, { error: 'invalid_grant' }),
      acted(429, {}),
      acted(503, {}),
    ],
    ['perhaps', 'perhaps', 'perhaps', 'no', 'no', 'no'],
  );
});

test('no answer at all, of any form, breaks the reader or brings a secret of ours back', () => {
  const secret = 'rt_very-secret-0001';
  const odd: OAuthFacts = {
    ...facts,
    readToken: (a) => ({ accessToken: (a['authed_user'] as { access_token: string }).access_token }),
  };
  const member = fc.constantFrom(
    'access_token',
    'token_type',
    'expires_in',
    'refresh_token',
    'scope',
    'error',
    'error_description',
    'ok',
    'authed_user',
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constant(secret),
    fc.string().map((s) => `${s}${secret}${s}`),
    fc.double(),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.oneof(fc.jsonValue(), fc.dictionary(member, value)),
      fc.boolean(),
      (status, body, strange) => {
        const r = readTokenAnswer(strange ? odd : facts, status, body, { settings: {}, secrets: [secret, undefined] });
        if (r.kind === 'granted') {
          assert.match(r.grant.accessToken, /^[\x21-\x7e]+$/);
          assert.ok(r.grant.expiresIn === undefined || (r.grant.expiresIn > 0 && Number.isInteger(r.grant.expiresIn)));
          const expiry = expiryOf(facts, r.grant, new Date(), undefined);
          for (const d of Object.values(expiry)) assert.ok(d === undefined || !Number.isNaN(d.getTime()));
          return;
        }
        assert.equal(inspect(r).includes(secret), false);
        assert.ok(r.says.length <= 300 && r.code.length <= 60);
        assert.doesNotMatch(r.code, /[^A-Za-z0-9_.-]/);
      },
    ),
    { numRuns: 3000 },
  );
});

test('the end of a refresh token counts from the newest one where it rotates, and from the consent where it stays', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const before = { refresh: new Date('2026-01-05T00:00:00Z') };
  const of = (rotation: OAuthFacts['lifetimes']['rotation']): OAuthFacts => ({
    ...facts,
    lifetimes: { rotation, refresh: 86_400, idle: 3600 },
  });
  const t = { accessToken: 'a', refreshToken: 'r', expiresIn: 60 };
  assert.equal(expiryOf(of('replaced'), t, now, before).refresh?.toISOString(), '2026-01-02T00:00:00.000Z');
  assert.equal(expiryOf(of('same'), t, now, before).refresh, before.refresh);
  assert.equal(expiryOf(of('same'), t, now, undefined).refresh?.toISOString(), '2026-01-02T00:00:00.000Z');
  assert.equal(expiryOf(of('same'), t, now, before).idle?.toISOString(), '2026-01-01T01:00:00.000Z');
});

test('pauses grow to an hour and no two are alike for those who failed together', () => {
  assert.deepEqual([backoffMs(1, () => 0), backoffMs(1, () => 1)], [2500, 5000]);
  assert.ok(backoffMs(3, () => 0) > backoffMs(2, () => 0));
  assert.equal(
    backoffMs(1000, () => 1),
    MAX_BACKOFF_MS,
  );
});

test('three refusals of an app make it the app’s fault only within ten minutes', () => {
  const at = (minutes: number): Date => new Date(minutes * 60_000);
  assert.equal(refusedAgain([at(0), at(5)], at(9)).failing, true);
  assert.equal(refusedAgain([at(0), at(5)], at(11)).failing, false);
  assert.equal(refusedAgain([at(0)], at(1)).failing, false);
  assert.deepEqual(refusedAgain([at(0), at(1), at(2)], at(3)).refused, [at(1), at(2), at(3)]);
});
