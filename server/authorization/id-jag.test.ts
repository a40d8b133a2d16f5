// Over 300 lines, because every forgery of an assertion is one line of one table, and what it is held against stands beside it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  oauthHouse,
  register,
  signIn,
  tokenRequest,
  type HousePerson,
  type OauthHouse,
  type TestClient,
} from '#dev/oauth-house.ts';
import { startRogueIdp, type RogueIdp, type Says } from '#dev/rogue-idp.ts';
import { changeConnectionRules } from '#identity/oidc/change-connection-rules.ts';
import { createConnection } from '#identity/create-connection.ts';
import { setConnectionState } from '#identity/set-connection-state.ts';
import { systemCtx, type Ctx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { Secret } from '#kernel/secret.ts';
import { foundOrg } from '#org/found-org.ts';
import { JWT_BEARER } from './client-metadata.ts';
import { grantIsLive, openVerifier, type Verifier } from './live-grant.ts';
import { revokeGrant } from './revoke-grant.ts';
import { verifyAccessToken } from './verify-access-token.ts';

type Claims = Record<string, unknown>;
let h: OauthHouse;
let idp: RogueIdp;
let sso: Id<'sso'>;
let client: TestClient;
let luca: HousePerson;

const ctxOf = (parent = h.parent): Ctx => systemCtx(h.world, 'test', { parent });
const connect = (to: RogueIdp, ctx = ctxOf()): Promise<{ id: Id<'sso'> }> =>
  createConnection(ctx, {
    name: 'Northwind ID',
    issuer: to.issuer,
    clientId: to.clientId,
    clientSecret: new Secret(to.clientSecret),
    allowPrivate: [new URL(to.issuer).host],
    matchDirectory: undefined,
  });
const link = (connection: string, issuer: string, subject: string, user: string, parent: string = h.parent) =>
  h.t.super(
    `insert into identity_link (parent, connection, issuer, subject, user_id, made_by, linked_at) values ($1, $2, $3, $4, $5, 'person', now())`,
    parent,
    connection,
    issuer,
    subject,
    user,
  );
const agent = (metadata: Claims = {}): Promise<TestClient> =>
  register(h, {
    client_name: 'Agent',
    grant_types: [JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_post',
    redirect_uris: [],
    response_types: [],
    ...metadata,
  });

before(async () => {
  [h, idp] = await Promise.all([oauthHouse(), startRogueIdp()]);
  sso = (await connect(idp)).id;
  await changeConnectionRules(ctxOf(), sso, { idJag: 'write' });
  luca = await h.addPerson('Luca');
  await link(sso, idp.issuer, '00u-luca', luca.user);
  client = await agent();
});
after(async () => {
  await h?.[Symbol.asyncDispose]();
  await idp?.stop();
});

const honest =
  (more: Claims = {}) =>
  (c: Claims): Claims => ({
    ...c,
    sub: '00u-luca',
    aud: h.origin,
    client_id: client.client_id,
    resource: `${h.origin}/mcp`,
    scope: 'mcp:read mcp:write',
    ...more,
  });
const assertion = (more: Claims = {}, how?: NonNullable<Says['signed']>, typ?: string): Promise<string> =>
  idp.idJag(honest(more), how, typ);
type Answer = { status: number; body: Record<string, unknown> };
const show = (text: string, more: Record<string, string> = {}, as = client, headers = {}): Promise<Answer> =>
  tokenRequest(
    h.origin,
    as,
    {
      grant_type: JWT_BEARER,
      assertion: text,
      ...(as.client_secret ? { client_secret: as.client_secret } : {}),
      ...more,
    },
    headers,
  );
const traceOf = async (id: unknown) =>
  (
    await h.t.super<{
      method: string;
      outcome: string;
      user_id: string | null;
      connection: string;
      stages: { stage: string; ok: boolean }[];
    }>('select method, outcome, user_id, connection, stages from sign_in_trace where id = $1', id)
  )[0];
const verifier = (): Verifier => openVerifier(h.world, { stamp: () => undefined });
const alive = async (token: string): Promise<boolean> => {
  const v = verifier();
  const proved = await verifyAccessToken(token, {
    issuer: h.origin,
    audiences: [`${h.origin}/mcp`],
    keys: v.keys,
  });
  return grantIsLive(v, proved);
};
const tokenOf = async (more: Claims = {}): Promise<string> => {
  const r = await show(await assertion(more));
  assert.equal(r.status, 200, JSON.stringify(r.body));
  return String(r.body['access_token']);
};

test('the metadata says that the grant takes ID-JAGs', async () => {
  const m = (await (await fetch(`${h.origin}/.well-known/oauth-authorization-server`)).json()) as Record<
    string,
    string[]
  >;
  assert.ok(m['grant_types_supported']?.includes(JWT_BEARER));
  assert.deepEqual(m['authorization_grant_profiles_supported'], ['urn:ietf:params:oauth:grant-profile:id-jag']);
});

test('an identity provider\u2019s assertion gives an agent a token of ten minutes for its person, no refresh token, a consent in the list, and a trace', async () => {
  const r = await show(await assertion());
  assert.equal(r.status, 200, JSON.stringify(r.body));
  assert.deepEqual(
    [r.body['token_type'], r.body['expires_in'], r.body['scope'], r.body['refresh_token']],
    ['Bearer', 600, 'mcp:read mcp:write', undefined],
  );
  const claims = decodeJwt(String(r.body['access_token']));
  assert.deepEqual(
    [claims.sub, claims['org'], claims.aud, claims['client_id']],
    [luca.member, h.org, `${h.origin}/mcp`, client.client_id],
  );
  assert.ok(await alive(String(r.body['access_token'])));
  const [told] = await h.events('authorization.vouched_for');
  assert.equal(told?.data['grant'], claims['gid']);
  assert.equal((await h.events('authorization.token_issued')).at(-1)?.data['by'], 'id_jag');
  const trace = await traceOf(told?.data['trace']);
  assert.deepEqual(
    [trace?.method, trace?.outcome, trace?.user_id, trace?.connection],
    ['id_jag', 'vouched', luca.user, sso],
  );
  assert.deepEqual(
    trace?.stages.map((s) => s.stage),
    ['connection', 'token', 'claims', 'link', 'access', 'enforcement', 'session'],
  );
  const accepted = await h.t.super<{ data: Claims }>(
    `select data from audit_inbox where header ->> 'type' = 'id_jag.accepted' and log = $1`,
    h.parent,
  );
  assert.equal(accepted.at(-1)?.data['user'], luca.user);
  const listed = await h.t.as('gatehouse_app').read({ parent: h.parent, org: h.org }, async (db) => {
    const { listGrantRows } = await import('./grant.sql.ts');
    return listGrantRows(db, luca.member, null, '', 10, h.world.now());
  });
  assert.equal(listed.find((g) => g.id === claims['gid'])?.connection, sso);
});

const other = 'https://evil.example';
const now = (): number => Math.floor(Date.now() / 1000);
const forgeries: [string, () => Promise<string>, string][] = [
  ['for another audience', () => assertion({ aud: other }), 'identity/id-jag-audience'],
  [
    'for our token endpoint instead of our issuer',
    () => assertion({ aud: `${h.origin}/oauth/token` }),
    'identity/id-jag-audience',
  ],
  ['for us and another server at once', () => assertion({ aud: [h.origin, other] }), 'identity/id-jag-audience'],
  ['that is an ID token', () => assertion({}, 'rightly', 'JWT'), 'identity/id-jag-type'],
  ['that has no type', () => idp.logoutToken(honest(), 'rightly', undefined), 'identity/id-jag-type'],
  ['that is an access token', () => assertion({}, 'rightly', 'at+jwt'), 'identity/id-jag-type'],
  ['of another client', () => assertion({ client_id: 'https://other.example/client' }), 'identity/id-jag-client'],
  ['without a client', () => assertion({ client_id: undefined }), 'identity/id-jag-claims'],
  ['of an unknown issuer', () => assertion({ iss: other }), 'identity/id-jag-unknown-issuer'],
  ['of no issuer', () => assertion({ iss: undefined }), 'identity/id-jag-unknown-issuer'],
  ['signed by nobody', () => assertion({}, 'none'), 'identity/id-jag-alg'],
  ['signed with a shared secret', () => assertion({}, 'with-secret'), 'identity/id-jag-alg'],
  ['signed by a stranger', () => assertion({}, 'by-stranger'), 'identity/id-jag-signature'],
  ['signed by a key that it brings along', () => assertion({}, 'by-embedded-key'), 'identity/id-jag-signature'],
  ['signed by a key that is not in the key set', () => assertion({}, 'unknown-kid'), 'identity/id-jag-signature'],
  ['that has expired', () => assertion({ iat: now() - 400, exp: now() - 100 }), 'identity/id-jag-expired'],
  ['from the future', () => assertion({ iat: now() + 200, exp: now() + 300 }), 'identity/id-jag-not-yet-valid'],
  ['that is not valid yet', () => assertion({ nbf: now() + 200 }), 'identity/id-jag-not-yet-valid'],
  ['that lives for an hour', () => assertion({ exp: now() + 3600 }), 'identity/id-jag-too-old'],
  ['without an end', () => assertion({ exp: undefined }), 'identity/id-jag-claims'],
  ['without jti', () => assertion({ jti: undefined }), 'identity/id-jag-claims'],
  ['with a resource that is no text', () => assertion({ resource: { a: 1 } }), 'identity/id-jag-claims'],
  [
    'for the resource of another server',
    () => assertion({ resource: `${other}/mcp` }),
    'authorization/id-jag-resource',
  ],
  ['with scopes that are not ours', () => assertion({ scope: 'admin' }), 'authorization/id-jag-scope'],
  ['of somebody without an account', () => assertion({ sub: '00u-nobody' }), 'identity/id-jag-no-account'],
  [
    'of somebody else\u2019s e-mail',
    () => assertion({ sub: '00u-eve', email: 'luca@acme.example', email_verified: true }),
    'identity/id-jag-no-account',
  ],
  [
    'for an organization that the person does not belong to',
    () => assertion({ aud_tenant: newId('org') }),
    'identity/id-jag-no-organization',
  ],
  ['bound to a key that nobody proves', () => assertion({ cnf: { jkt: 'x' } }), 'identity/id-jag-key'],
  ['bound in a way that we do not know', () => assertion({ cnf: { 'x5t#S256': 'x' } }), 'identity/id-jag-key'],
  ['whose header is no header', async () => (await assertion()).replace(/^[^.]*/, 'x'), 'identity/id-jag-unreadable'],
  ['that is no token at all', () => Promise.resolve('hello'), 'identity/id-jag-unknown-issuer'],
];
for (const [what, make, code] of forgeries)
  test(`an assertion ${what} gives no token: ${code}`, async () => {
    const before = (await h.events('authorization.token_issued')).length;
    const r = await show(await make());
    assert.deepEqual([r.status, r.body['code']], [400, code], JSON.stringify(r.body));
    assert.equal(r.body['access_token'], undefined);
    assert.equal((await h.events('authorization.token_issued')).length, before);
    if (code === 'identity/id-jag-unknown-issuer') return;
    const trace = await traceOf(r.body['trace']);
    assert.deepEqual([trace?.outcome, trace?.stages.at(-1)?.ok], [code, false]);
    const told = await h.t.super<{ data: Claims }>(
      `select data from audit_inbox where header ->> 'type' = 'id_jag.refused' and data ->> 'trace' = $1`,
      r.body['trace'],
    );
    assert.deepEqual([told.length, told[0]?.data['code']], [1, code]);
  });

test('an audience with the slash that clients and providers put behind an origin is the same audience', async () => {
  assert.ok(await alive(await tokenOf({ aud: `${h.origin}/` })));
  assert.ok(await alive(await tokenOf({ aud: [h.origin] })));
});

test('an assertion works once, however many nodes see it at the same time', async () => {
  const elsewhere = await h.anotherNode();
  const text = await assertion();
  const body = { grant_type: JWT_BEARER, assertion: text, client_secret: client.client_secret ?? '' };
  const answers = await Promise.all(
    [h.origin, elsewhere, h.origin, elsewhere].map((at) => tokenRequest(at, client, body)),
  );
  assert.equal(answers.filter((a) => a.status === 200).length, 1);
  for (const a of answers.filter((x) => x.status !== 200))
    assert.equal((a.body as unknown as Claims)['code'], 'identity/id-jag-replayed');
});

test('a client that shows a wrong secret, or was not registered for the grant, gets no token and spends nothing', async () => {
  const text = await assertion();
  assert.equal((await show(text, { client_secret: 'wrong' })).body['error'], 'invalid_client');
  const plain = await register(h);
  assert.equal(
    (await show(await assertion({ client_id: plain.client_id }), {}, plain)).body['error'],
    'invalid_request',
  );
  assert.equal((await show(text)).status, 200);
});

test('the token is for what the assertion, the request and the connection all allow, and for nothing when that is nothing', async () => {
  const scope = async (said: string | undefined, asked?: string): Promise<unknown> => {
    const r = await show(await assertion({ scope: said }), asked === undefined ? {} : { scope: asked });
    return r.body['scope'] ?? r.body['code'];
  };
  assert.equal(await scope('mcp:read mcp:write', 'mcp:read'), 'mcp:read');
  assert.equal(await scope('mcp:read', 'mcp:read mcp:write'), 'mcp:read');
  assert.equal(await scope('mcp:read', 'mcp:write'), 'authorization/id-jag-scope');
  assert.equal(await scope(undefined, 'mcp:read mcp:write'), 'mcp:read', 'an assertion without scopes gives reading');
  await changeConnectionRules(ctxOf(), sso, { idJag: 'read' });
  assert.equal(await scope('mcp:read mcp:write'), 'mcp:read');
  assert.equal(await scope('mcp:write'), 'authorization/id-jag-scope');
  await changeConnectionRules(ctxOf(), sso, { idJag: 'write' });
  const r = await show(await assertion(), { resource: `${h.origin}/mcp/crm` });
  assert.deepEqual([r.body['error'], r.body['code']], ['invalid_target', 'authorization/id-jag-resource']);
  const narrow = await show(await assertion({ resource: [`${h.origin}/mcp/crm`] }), {
    resource: `${h.origin}/mcp/crm`,
  });
  assert.equal(decodeJwt(String(narrow.body['access_token'])).aud, `${h.origin}/mcp/crm`);
  const silent = await show(await assertion({ resource: undefined }));
  assert.equal(decodeJwt(String(silent.body['access_token'])).aud, `${h.origin}/mcp`);
});

test('a person of two organizations acts in the one that the assertion names, and in none when it names none', async () => {
  const second = await h.addOrg('Acme Labs');
  const noor = await h.addPerson('Noor', [h.org, second]);
  await link(sso, idp.issuer, '00u-noor', noor.user);
  const r = await show(await assertion({ sub: '00u-noor' }));
  assert.equal(r.body['code'], 'identity/id-jag-which-organization');
  const token = await tokenOf({ sub: '00u-noor', aud_tenant: second });
  assert.equal(decodeJwt(token)['org'], second);
});

test('a suspended person gets no token, and one that was given before is dead', async () => {
  const eve = await h.addPerson('Eve');
  await link(sso, idp.issuer, '00u-suspended', eve.user);
  const token = await tokenOf({ sub: '00u-suspended' });
  assert.ok(await alive(token));
  await h.t.super(`update app_user set state = 'suspended' where id = $1`, eve.user);
  assert.ok(!(await alive(token)));
  assert.equal((await show(await assertion({ sub: '00u-suspended' }))).body['code'], 'identity/id-jag-suspended');
});

test('who ends the consent ends the token; the next assertion makes a consent of its own and does not wake the first', async () => {
  const token = await tokenOf();
  const grant = String(decodeJwt(token)['gid']);
  await revokeGrant(
    { ...ctxOf(), org: h.org, actor: { kind: 'user', id: h.ada.user, session: newId('ses') } },
    grant,
    undefined,
  );
  assert.ok(!(await alive(token)));
  const next = await tokenOf();
  assert.notEqual(decodeJwt(next)['gid'], grant);
  assert.deepEqual([await alive(token), await alive(next)], [false, true]);
});

test('a connection that is switched off, or whose switch is, gives no token and ends those that it gave', async () => {
  const token = await tokenOf();
  await changeConnectionRules(ctxOf(), sso, { idJag: 'off' });
  assert.ok(!(await alive(token)));
  assert.equal((await show(await assertion())).body['code'], 'identity/id-jag-off');
  await changeConnectionRules(ctxOf(), sso, { idJag: 'write' });
  await setConnectionState(ctxOf(), sso, 'disabled');
  assert.ok(!(await alive(token)));
  assert.equal((await show(await assertion())).body['code'], 'identity/id-jag-off');
  await setConnectionState(ctxOf(), sso, 'active');
  assert.ok(await alive(token));
  const told = await h.t.super<{ data: Claims }>(
    `select data from audit_inbox where header ->> 'type' = 'sso.id_jag_changed' order by arrived`,
  );
  assert.deepEqual(told.at(-1)?.data, { connection: sso, idJag: 'write', was: 'off' });
});

test('another parent\u2019s identity provider says nothing about our people, and cannot take our issuer', async () => {
  const theirs = await startRogueIdp();
  const founded = await foundOrg(h.world, {
    parentName: 'Globex',
    orgName: 'Globex',
    owner: { email: 'hank@globex.example', displayName: 'Hank' },
  });
  const they = ctxOf(founded.parent);
  const { id } = await connect(theirs, they);
  await changeConnectionRules(they, id, { idJag: 'write' });
  const said = (more: Claims = {}) => theirs.idJag((c) => ({ ...honest(more)(c), iss: theirs.issuer }));
  assert.equal((await show(await said())).body['code'], 'identity/id-jag-no-account');
  assert.equal(
    (await show(await theirs.idJag((c) => ({ ...honest()(c), iss: idp.issuer })))).body['code'],
    'identity/id-jag-signature',
  );
  // Even where their own link calls one of ours theirs, the person belongs to none of their organizations.
  await link(id, theirs.issuer, '00u-hank', founded.owner, founded.parent);
  assert.equal(
    (await show(await said({ sub: '00u-hank', aud_tenant: h.org }))).body['code'],
    'identity/id-jag-no-organization',
  );
  const copy = await connect(idp, they);
  await assert.rejects(changeConnectionRules(they, copy.id, { idJag: 'write' }), {
    code: 'identity/id-jag-issuer-taken',
  });
  assert.ok(await alive(await tokenOf()), 'our own goes on');
  await theirs.stop();
});

test('an organization\u2019s addresses and its enforcement count for assertions as they do for people', async () => {
  await h.t.super(
    `insert into org_access (org, addresses, passkeys, mail_links, changed_at) values ($1, '{192.0.2.0/24}', false, false, now())
     on conflict (org) do update set addresses = excluded.addresses`,
    h.org,
  );
  const r = await show(await assertion(), {}, client, { 'x-forwarded-for': '192.0.2.7' });
  assert.equal(r.body['code'], 'identity/address-not-allowed', 'nobody\u2019s word about an address counts');
  await h.t.super(`update org_access set addresses = '{}' where org = $1`, h.org);
  await h.t.super(
    `insert into sso_enforcement (org, state, connections, preview_hash, changed_by, changed_at) values ($1, 'full', $2, 'x', 'test', now())`,
    h.org,
    [newId('sso')],
  );
  assert.equal((await show(await assertion())).body['code'], 'identity/sso-required');
  await h.t.super(`delete from sso_enforcement where org = $1`, h.org);
});

test('with a DPoP proof the token is bound to its key, and an assertion that names a key is good with that one only', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const jkt = await calculateJwkThumbprint(jwk);
  const proof = (htu = `${h.origin}/oauth/token`): Promise<string> =>
    new SignJWT({ htm: 'POST', htu, jti: newId('req') })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey);
  const bound = await show(await assertion({ cnf: { jkt } }), {}, client, { dpop: await proof() });
  assert.equal(bound.body['token_type'], 'DPoP', JSON.stringify(bound.body));
  assert.deepEqual(decodeJwt(String(bound.body['access_token']))['cnf'], { jkt });
  assert.equal(
    (await show(await assertion({ cnf: { jkt: 'other' } }), {}, client, { dpop: await proof() })).body['code'],
    'identity/id-jag-key',
  );
  const wrong = await show(await assertion(), {}, client, { dpop: await proof(`${other}/oauth/token`) });
  assert.deepEqual([wrong.body['error'], wrong.body['code']], ['invalid_dpop_proof', 'authorization/dpop-request']);
  const careful = await agent({ dpop_bound_access_tokens: true });
  assert.equal(
    (await show(await assertion({ client_id: careful.client_id }), {}, careful)).body['code'],
    'authorization/dpop-missing',
  );
});

test('a directory\u2019s external id says who somebody is at their first assertion, which links them', async () => {
  const dana = await h.addPerson('Dana');
  const dir = newId('dir');
  await h.t.super(
    `insert into directory (parent, id, org, name, created_at) values ($1, $2, $3, 'Dir', now())`,
    h.parent,
    dir,
    h.org,
  );
  await h.t.super(
    `insert into scim_user (parent, id, directory, attributes, user_name_key, external_id, active, user_id, created_at, changed_at)
     values ($1, $2, $3, '{}', 'dana', '00u-dana', true, $4, now(), now())`,
    h.parent,
    newId('scu'),
    dir,
    dana.user,
  );
  assert.equal(decodeJwt(await tokenOf({ sub: '00u-dana' })).sub, dana.member);
  const links = await h.t.super<{ made_by: string }>(`select made_by from identity_link where subject = '00u-dana'`);
  assert.deepEqual(links, [{ made_by: 'directory' }]);
});

test('rubbish in the name of an issuer fills no table: after a hundred refusals in ten minutes there is a line in our log and no trace', async () => {
  const count = async (): Promise<number> =>
    (
      await h.t.super<{ n: number }>(
        `select count(*)::int as n from sign_in_trace where method = 'id_jag' and connection = $1 and outcome <> 'vouched'`,
        sso,
      )
    )[0]!.n;
  const text = await assertion({}, 'by-stranger');
  for (let i = await count(); i < 104; i++) await show(text);
  assert.equal(await count(), 100);
  assert.ok(await alive(await tokenOf()), 'honest assertions go on');
});

test('a key set that does not answer refuses, and says that it is not the assertion\u2019s fault', async () => {
  const away = await startRogueIdp();
  const { id } = await connect(away);
  await changeConnectionRules(ctxOf(), id, { idJag: 'read' });
  away.keySet.body = `{"keys":[${' '.repeat(2_000_000)}]}`;
  const r = await show(await away.idJag((c) => ({ ...honest()(c), iss: away.issuer })));
  assert.equal(r.body['code'], 'identity/id-jag-no-keys');
  await away.stop();
});

test('a token that a person gave on the consent page is as before: it knows no connection', async () => {
  const tokens = await signIn(h, await register(h));
  assert.ok(tokens.refresh_token);
  assert.ok(await alive(tokens.access_token));
});
