import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { importPKCS8, SignJWT } from 'jose';
import { startGitHub, type GitHubStandIn } from './github.ts';

const BACK = 'https://gatehouse.example/connections/callback/con_1';
const verifier = 'v'.repeat(64);
const challenge = createHash('sha256').update(verifier).digest('base64url');

async function open(t: TestContext): Promise<GitHubStandIn> {
  const hub = await startGitHub();
  t.after(() => hub.close());
  hub.registerRedirect(BACK);
  return hub;
}
const authorize = async (hub: GitHubStandIn, more: Record<string, string> = {}): Promise<URL | number> => {
  const q = new URLSearchParams({
    client_id: hub.app.clientId,
    redirect_uri: BACK,
    state: 's',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  });
  const r = await fetch(`${hub.origins['login']}/login/oauth/authorize?${q}`, { redirect: 'manual' });
  const to = r.headers.get('location');
  return to === null ? r.status : new URL(to);
};
const codeOf = async (hub: GitHubStandIn): Promise<string> =>
  ((await authorize(hub)) as URL).searchParams.get('code') ?? '';
const token = async (
  hub: GitHubStandIn,
  form: Record<string, string>,
  headers: Record<string, string> = { accept: 'application/json' },
): Promise<Response> =>
  fetch(`${hub.origins['login']}/login/oauth/access_token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ client_id: hub.app.clientId, client_secret: hub.app.clientSecret, ...form }),
  });
const said = async (r: Response): Promise<Record<string, string>> => (await r.json()) as Record<string, string>;
const api = (hub: GitHubStandIn, path: string, bearer: string, init: RequestInit = {}): Promise<Response> =>
  fetch(hub.origins['api'] + path, { ...init, headers: { authorization: `Bearer ${bearer}` }, redirect: 'manual' });

test('the stand-in answers a consent only to an address that was registered, and says no to the visitor who says no', async (t) => {
  const hub = await open(t);
  assert.equal(await authorize(hub, { client_id: 'other' }), 404);
  const elsewhere = (await authorize(hub, { redirect_uri: 'https://evil.example/' })) as URL;
  assert.equal(elsewhere.href.startsWith(BACK), true);
  assert.equal(elsewhere.searchParams.get('error'), 'redirect_uri_mismatch');
  assert.equal(
    ((await authorize(hub, { code_challenge_method: 'plain' })) as URL).searchParams.get('error'),
    'invalid_request',
  );
  hub.visitor.answer = 'deny';
  assert.equal(((await authorize(hub)) as URL).searchParams.get('error'), 'access_denied');
});

test('the stand-in says no at its token endpoint with 200, in form encoding unless it is asked for JSON', async (t) => {
  const hub = await open(t);
  const first = { code: await codeOf(hub), redirect_uri: BACK, code_verifier: verifier };
  const plain = await token(hub, first, {});
  assert.match(plain.headers.get('content-type') ?? '', /form-urlencoded/);
  assert.match(await plain.text(), /^access_token=ghu_/);
  for (const [form, error] of [
    [first, 'bad_verification_code'],
    [{ ...first, code: await codeOf(hub), code_verifier: 'x'.repeat(64) }, 'bad_verification_code'],
    [{ ...first, code: await codeOf(hub), redirect_uri: `${BACK}/x` }, 'redirect_uri_mismatch'],
    [{ ...first, code: await codeOf(hub), client_secret: 'x' }, 'incorrect_client_credentials'],
    [{ grant_type: 'refresh_token', refresh_token: 'ghr_x' }, 'bad_refresh_token'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
  ] as const) {
    const r = await token(hub, form);
    assert.equal(r.status, 200);
    assert.equal((await said(r))['error'], error);
  }
  const late = await codeOf(hub);
  hub.advance(601);
  assert.equal((await said(await token(hub, { ...first, code: late })))['error'], 'bad_verification_code');
});

test('the stand-in takes a signature of the app only as GitHub does', async (t) => {
  const hub = await open(t);
  const { installation_id, private_key } = hub.accounts['app_installation'] as Record<string, string>;
  assert.match(private_key!, /BEGIN RSA PRIVATE KEY/);
  const key = await importPKCS8(
    hub.world.app.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'RS256',
  );
  const at = Math.floor(Date.now() / 1000);
  const ask = async (iat: number, exp: number, iss = hub.app.clientId, body?: object): Promise<number> => {
    const jwt = await new SignJWT()
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(iss)
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .sign(key);
    return (
      await api(hub, `/app/installations/${installation_id}/access_tokens`, jwt, {
        method: 'POST',
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
    ).status;
  };
  assert.equal(await ask(at - 60, at + 500), 201);
  assert.equal(await ask(at - 60, at + 900), 401);
  assert.equal(await ask(at + 120, at + 500), 401);
  assert.equal(await ask(at - 900, at - 300), 401);
  assert.equal(await ask(at - 60, at + 500, 'other'), 401);
  assert.equal(await ask(at - 60, at + 500, undefined, { repositories: ['nothing'] }), 422);
  assert.equal(await ask(at - 60, at + 500, undefined, { permissions: { administration: 'write' } }), 422);
});

test('the stand-in shows nobody what they may not see, and follows a link without a word, as GitHub does', async (t) => {
  const hub = await open(t);
  const { access_token = '' } = await said(await token(hub, { code: await codeOf(hub), code_verifier: verifier }));
  assert.equal((await api(hub, '/repos/evilcorp/toolbox', access_token)).status, 200);
  assert.equal((await api(hub, '/repos/evilcorp/none', access_token)).status, 404);
  hub.visitor.account = 'mallory';
  const other = await said(await token(hub, { code: await codeOf(hub), code_verifier: verifier }));
  const hidden = await api(hub, '/repos/acme/website', other['access_token'] ?? '');
  assert.equal(hidden.status, 404);
  assert.deepEqual(await hidden.json(), {
    message: 'Not Found',
    documentation_url: 'https://docs.github.com/rest',
    status: '404',
  });
  assert.equal((await api(hub, '/repos/acme/website', 'ghu_none')).status, 401);
  const linked = (await (await api(hub, '/repos/acme/website/contents/links/env', access_token)).json()) as {
    content: string;
    path: string;
  };
  assert.equal(linked.path, 'links/env');
  assert.match(Buffer.from(linked.content, 'base64').toString(), /tr0ub4dor/);
  hub.world.repository('acme/handbook').formerly.push('acme/old');
  assert.equal((await api(hub, '/repos/acme/old', access_token)).status, 301);
  hub.endGrants('ada');
  assert.equal((await api(hub, '/user', access_token)).status, 401);
});

const git = spawnSync('git', ['--version']).status === 0;
test(
  'git itself finds nothing wrong with the objects of the stand-in',
  { skip: git ? false : 'git is not here' },
  async (t) => {
    const hub = await open(t);
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-git-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const run = (args: string[], input?: Buffer): string =>
      execFileSync('git', args, { cwd: dir, input, env, stdio: ['pipe', 'pipe', 'pipe'] }).toString();
    run(['init', '-q']);
    const r = hub.world.repository('acme/website');
    const head = hub.world.commit(r, 'main', 'Once more', {
      'a.b': 'x',
      a: null,
      'a/c': 'y',
      a0: 'z',
      'src/index.ts': null,
    });
    for (const [sha, o] of r.git.objects)
      assert.equal(run(['hash-object', '-w', '-t', o.type, '--stdin'], o.data).trim(), sha);
    run(['update-ref', 'refs/heads/main', head]);
    assert.equal(run(['fsck', '--strict', '--full']).trim(), '');
    const listed = run(['ls-tree', '-r', '-z', '--name-only', 'main']).split('\0').slice(0, -1).sort();
    assert.deepEqual(listed, [...r.git.files(r.git.commit(head)!.tree).keys()].sort());
  },
);
