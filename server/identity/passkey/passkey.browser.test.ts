import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium, type Browser as Chromium, type BrowserContext, type CDPSession, type Page } from 'playwright-core';
import { doorHouse, type DoorHouse } from '#dev/door-house.ts';
import type { Id } from '#kernel/id.ts';
import { listLastSignIns } from '../last-sign-in.sql.ts';
import { createSetupLink } from '../create-setup-link.ts';
import { assets } from '#kernel/page-assets.ts';

/**
 * Passkeys in a real browser, with the browser's own virtual authenticator: nothing of WebAuthn is imitated. One file, though a long one,
 * because every test sits at the same browser.
 */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

let h: DoorHouse;
let chrome: Chromium;
before(async () => {
  if (skip) return;
  h = await doorHouse();
  chrome = await chromium.launch({
    executablePath: executable ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
after(async () => {
  if (skip) return;
  await chrome.close();
  await h[Symbol.asyncDispose]();
});

type Seat = { context: BrowserContext; page: Page; cdp: CDPSession; authenticator: string; complaints: string[] };

/** A window with an authenticator that its owner unlocks at once. `user`: signed in already, through a set-up link. */
async function sit(user?: Id<'usr'>): Promise<Seat> {
  const context = await chrome.newContext();
  // The house has no server for static files; these are the files that serve.ts hands out.
  await context.route('**/assets/**', (route) => {
    const file = assets[new URL(route.request().url()).pathname];
    return file ? route.fulfill({ contentType: file.type, body: file.body }) : route.abort();
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (m) => {
    if (/Content.Security.Policy|SecurityError/.test(m.text())) complaints.push(m.text());
  });
  page.on('pageerror', (e) => complaints.push(e.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  if (user) {
    await page.goto((await createSetupLink({ ...h.ctx, now: h.world.now() }, user)).url);
    await page.getByRole('button', { name: /Sign in as/ }).click();
    await page.waitForURL(`${h.origin}/`);
  }
  return { context, page, cdp, authenticator: authenticatorId, complaints };
}

const add = async (s: Seat): Promise<void> => {
  await s.page.goto(`${h.origin}/me/passkeys`);
  await s.page.getByLabel('Name').fill('Blue key');
  await s.page.getByRole('button', { name: 'Add a passkey' }).click();
  await s.page.getByText('Blue key').waitFor({ timeout: 10_000 });
};
const use = async (s: Seat): Promise<void> => {
  await s.page.goto(`${h.origin}/sign-in/passkey`);
  await s.page.getByRole('button', { name: 'Use a passkey' }).click();
};
const saidOn = async (s: Seat): Promise<string> => {
  // The page's policy runs no text as a script, not even a test's; an empty paragraph is not visible.
  await s.page.locator('#said').filter({ hasText: /\S/ }).waitFor({ timeout: 10_000 });
  return s.page.locator('#said').innerText();
};
/** The trace with the number in what a person was told. */
const traced = async (said: string) => {
  const number = /sgn_[0-9a-f]{32}/.exec(said)?.[0] ?? 'no number';
  const { status, body } = await h.api('GET', `/orgs/${h.acme.org}/sign-ins/${number}`);
  if (status !== 200) return status;
  const { method, user, outcome } = body;
  return { method, user, outcome, stages: (body['stages'] as { stage: string }[]).map((x) => x.stage) };
};
const allow = (passkeys: boolean) => h.api('PATCH', `/orgs/${h.acme.org}/access`, { passkeys });

test(
  'the primary owner adds a passkey, signs in with it in another window, and the break-glass account is proved from then on',
  { skip },
  async () => {
    const glass = async () =>
      (await h.api('GET', `/orgs/${h.acme.org}/break-glass`)).body['items'] as Record<string, unknown>[];
    assert.deepEqual(
      (await glass()).map((b) => [b['gaps'], b['usable']]),
      [[['no_passkey'], false]],
    );
    const s = await sit(h.acme.owner);
    await add(s);
    assert.deepEqual((await glass())[0]?.['gaps'], [], 'a used set-up link is a way in without the provider, too');
    await h.t.super(`delete from session where method = 'setup_link'`);
    assert.deepEqual((await glass())[0]?.['gaps'], ['never_proved']);
    await s.context.clearCookies();
    await use(s);
    await s.page.waitForURL(`${h.origin}/`, { timeout: 10_000 });
    assert.match(await s.page.innerText('main'), /Signed in as ada@acme\.example/);
    assert.deepEqual(s.complaints, []);
    const [proved] = await glass();
    assert.deepEqual([proved?.['gaps'], proved?.['usable'], proved?.['passkeys']], [[], true, 1]);
    assert.equal((await h.events('break_glass.used')).length, 1);
    const opened = (await h.events('session.opened')).at(-1)?.data;
    assert.equal(opened?.['via'], 'passkey');
    assert.deepEqual(await traced(String(opened['trace'])), {
      method: 'passkey',
      user: h.acme.owner,
      outcome: 'signed_in',
      stages: ['proof', 'access', 'enforcement', 'seat', 'session'],
    });
    const last = await h.world.db.read({ parent: h.acme.parent }, (db) => listLastSignIns(db, [h.acme.owner]));
    assert.equal(last[0]?.method, 'passkey');
    assert.equal((await h.events('passkey.added')).length, 1);
    h.advance(91 * 86_400_000);
    assert.deepEqual((await glass())[0]?.['gaps'], ['proof_too_old']);
    h.advance(-91 * 86_400_000);
    await s.context.close();
  },
);

test('another person\u2019s passkey signs them in only while their organization takes passkeys', { skip }, async () => {
  const { user } = await h.addPerson('Noor', 'user');
  const s = await sit(user);
  await add(s);
  await s.context.clearCookies();
  await use(s);
  assert.match(await saidOn(s), /does not let people sign in with a passkey/);
  await allow(true);
  await s.context.clearCookies();
  await use(s);
  await s.page.waitForURL(`${h.origin}/`);
  await allow(false);
  await s.context.clearCookies();
  await use(s);
  const said = await saidOn(s);
  assert.match(said, /Acme Workspace does not let people sign in with a passkey/);
  assert.deepEqual(await traced(said), {
    method: 'passkey',
    user,
    outcome: 'identity/passkey-not-allowed',
    stages: ['proof', 'access'],
  });
  await s.context.close();
});

test('a passkey is added only within 15 minutes of signing in', { skip }, async () => {
  const s = await sit(h.acme.owner);
  h.advance(16 * 60_000);
  await s.page.goto(`${h.origin}/me/passkeys`);
  await s.page.getByRole('button', { name: 'Add a passkey' }).click();
  assert.match(await saidOn(s), /needs a sign-in of the last 15 minutes/);
  const cookie = (await s.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  const r = await h.api('POST', '/me/passkeys/options', {}, { cookie, origin: h.origin });
  assert.equal(r.body['code'], 'identity/sign-in-again');
  await s.context.close();
});

test(
  'an answer of a passkey is taken once, in the browser that asked, for this challenge, and a removed passkey is nobody\u2019s',
  { skip },
  async () => {
    await allow(true);
    const { user } = await h.addPerson('Piet', 'user');
    const s = await sit(user);
    await add(s);
    const mine = (await s.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    await s.context.clearCookies();
    const sent: { body: unknown; cookie: string }[] = [];
    await s.page.route('**/api/passkey/sign-in', async (route) => {
      const headers = await route.request().allHeaders();
      sent.push({ body: route.request().postDataJSON(), cookie: headers['cookie'] ?? '' });
      await route.abort();
    });
    await use(s);
    await saidOn(s);
    const answer = sent[0]!;
    const give = (body: unknown, cookie: string) => h.api('POST', '/passkey/sign-in', body, { cookie });
    const told: string[] = [];
    const refusals: unknown[] = [];
    const refused = async (what: string, body: unknown, cookie: string): Promise<void> => {
      const r = await give(body, cookie);
      assert.deepEqual([r.status, r.body['code']], [403, 'identity/passkey-refused'], what);
      assert.match(String(r.body['detail']), /did not prove who you are/);
      const { trace, at, request, ...same } = r.body;
      assert.match(
        [trace, at, request].join(' '),
        /^sgn_[0-9a-f]{32} 20\S+Z \S+$/,
        'the same whether there is such a passkey or not',
      );
      told.push(JSON.stringify(same));
      refusals.push(await traced(String(trace)));
    };
    await refused('in a browser without cookie', answer.body, '');
    await refused('in another browser', answer.body, `__Host-gatehouse-browser=${'B'.repeat(43)}`);
    const other = structuredClone(answer.body) as {
      answer: { id: string; rawId: string; response: Record<string, string> };
    };
    other.answer.id = other.answer.rawId = 'AAAA';
    await refused('of a passkey that nobody has', other, answer.cookie);
    const handle = structuredClone(answer.body) as typeof other;
    handle.answer.response['userHandle'] = Buffer.from(h.acme.owner).toString('base64url');
    await refused('in the name of another account', handle, answer.cookie);
    const forged = structuredClone(answer.body) as typeof other;
    const signature = Buffer.from(forged.answer.response['signature']!, 'base64url').map((byte) => byte ^ 1);
    forged.answer.response['signature'] = Buffer.from(signature).toString('base64url');
    await refused('with a signature that is none', forged, answer.cookie);
    h.advance(6 * 60_000);
    await refused('to a challenge of six minutes ago', answer.body, answer.cookie);
    h.advance(-6 * 60_000);
    const [one, two] = await Promise.all([give(answer.body, answer.cookie), give(answer.body, answer.cookie)]);
    assert.deepEqual(
      [one.status, two.status].toSorted((a, b) => a - b),
      [200, 403],
      one.text + two.text,
    );
    await refused('a third time', answer.body, answer.cookie);
    assert.equal(new Set(told).size, 1);
    // A passkey that nobody has concerns nobody's organization: its refusal is in no trace.
    const proof = { method: 'passkey', user, outcome: 'identity/passkey-refused', stages: ['proof'] };
    assert.deepEqual(refusals, [proof, proof, 404, proof, proof, proof, proof]);

    const list = await h.api('GET', '/me/passkeys', undefined, { cookie: mine });
    const [key] = list.body['items'] as { id: string; name: string; usedAt: string | null }[];
    assert.ok(key?.usedAt);
    const gone = () => h.api('DELETE', `/me/passkeys/${key.id}`, undefined, { cookie: mine, origin: h.origin });
    assert.equal((await gone()).status, 204);
    assert.equal((await gone()).body['code'], 'identity/no-such-passkey');
    assert.equal((await h.events('passkey.removed')).length, 1);
    await s.page.unroute('**/api/passkey/sign-in');
    await use(s);
    assert.match(await saidOn(s), /did not prove who you are/);
    await s.context.close();
  },
);

test(
  'a passkey is kept once, twenty of them are enough, and nobody makes one that would not let them in',
  { skip },
  async () => {
    await allow(true);
    const { user } = await h.addPerson('Rosa', 'user');
    const s = await sit(user);
    let made: unknown;
    s.page.on('request', (r) => {
      if (r.method() === 'POST' && r.url().endsWith('/api/me/passkeys')) made = r.postDataJSON();
    });
    await add(s);
    const cookie = (await s.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    const post = async (path: string, body: unknown) => {
      const r = await h.api('POST', path, body, { cookie, origin: h.origin });
      return [r.status, r.body['code']];
    };
    assert.deepEqual(await post('/me/passkeys', made), [409, 'identity/passkey-known']);
    const other = structuredClone(made) as { answer: { response: { attestationObject: string } } };
    other.answer.response.attestationObject = 'AAAA';
    assert.deepEqual(await post('/me/passkeys', other), [403, 'identity/passkey-refused']);
    await allow(false);
    assert.equal((await post('/me/passkeys/options', {}))[0], 200, 'it may still prove who says yes to a call');
    await allow(true);
    await h.t.super(
      `insert into passkey (parent, id, user_id, credential_id, public_key, counter, transports, name, backed_up, created_at, challenge_at)
     select parent, id || n, user_id, credential_id || n, public_key, counter, transports, name, backed_up, created_at, challenge_at
       from passkey, generate_series(1, 19) n where user_id = $1`,
      user,
    );
    assert.deepEqual(await post('/me/passkeys/options', {}), [409, 'identity/too-many-passkeys']);
    const key = await h.api('GET', '/me/passkeys');
    assert.deepEqual([key.status, key.body['code']], [403, 'identity/not-a-person']);
    await s.context.close();
  },
);

test('a suspended person\u2019s passkey lets nobody in', { skip }, async () => {
  await allow(true);
  const { user } = await h.addPerson('Quin', 'user');
  const s = await sit(user);
  await add(s);
  await h.t.super(
    `update app_user set state = 'suspended', suspended_at = now(), suspended_by = 'test' where id = $1`,
    user,
  );
  await s.context.clearCookies();
  await use(s);
  assert.match(await saidOn(s), /suspended/);
  await s.context.close();
});

test('a page with a passkey button runs our two scripts and no other; a page without runs none', { skip }, async () => {
  const policy = async (path: string) => (await fetch(h.origin + path)).headers.get('content-security-policy') ?? '';
  assert.match(await policy('/sign-in/passkey'), /default-src 'none'.*script-src 'self'; connect-src 'self'/);
  assert.doesNotMatch(await policy('/sign-in'), /script-src|connect-src|unsafe/);
});
