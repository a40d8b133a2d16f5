import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, CrossAppAccessProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as oidc from 'openid-client';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { signInAtIdp } from '#dev/idp-visitor.ts';
import { register, type TestClient } from '#dev/oauth-house.ts';
import { people } from '#dev/people.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';
import { createConnection } from '#identity/create-connection.ts';
import { changeConnectionRules } from '#identity/oidc/change-connection-rules.ts';
import { Secret } from '#kernel/secret.ts';
import { JWT_BEARER } from './client-metadata.ts';

type Idp = { url: string; issuer: string; client_id: string; client_secret: string };
const callback = 'http://127.0.0.1:9/callback';
let g: GatewayHouse;
let crm: StandIn<{ url: string; mcp: string }>;
let idp: StandIn<Idp>;
let agent: TestClient;

before(async () => {
  [g, crm] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('crm.ts', ['--bearer', 'crm-secret']),
  ]);
  await g.connect('crm', crm.ready.mcp, { bearer: 'crm-secret' });
  agent = await register(g.house, {
    client_name: 'Agent',
    grant_types: [JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [],
    response_types: [],
  });
  idp = await startStandIn<Idp>('idp.ts', [
    '--redirect-uri',
    callback,
    '--agent',
    'agent-at-idp',
    '--agent-secret',
    'agent-secret',
    '--agent-client',
    agent.client_id,
    '--audience',
    g.house.origin,
  ]);
  const { id } = await createConnection(g.ctx, {
    name: 'Northwind ID',
    issuer: idp.ready.issuer,
    clientId: idp.ready.client_id,
    clientSecret: new Secret(idp.ready.client_secret),
    allowPrivate: [new URL(idp.ready.issuer).host],
    matchDirectory: undefined,
  });
  await changeConnectionRules(g.ctx, id, { idJag: 'write' });
  await g.house.t.super(
    `insert into identity_link (parent, connection, issuer, subject, user_id, made_by, linked_at) values ($1, $2, $3, $4, $5, 'person', now())`,
    g.house.parent,
    id,
    idp.ready.issuer,
    people.seller.sub,
    g.house.ada.user,
  );
});
after(async () => {
  await Promise.all([crm?.stop(), idp?.stop()]);
  await g?.[Symbol.asyncDispose]();
});

/** The agent's own single sign-on at the identity provider. */
async function idToken(config: oidc.Configuration): Promise<string> {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  });
  const tokens = await oidc.authorizationCodeGrant(config, await signInAtIdp(url, people.seller), {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
  return tokens.id_token ?? '';
}

test('an unmodified client goes the whole way: single sign-on at the provider, exchange, our token, a tool call through /mcp, and no consent page', async () => {
  const config = await oidc.discovery(new URL(idp.ready.issuer), 'agent-at-idp', 'agent-secret', undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  const proof = await idToken(config);
  const provider = new CrossAppAccessProvider({
    clientId: agent.client_id,
    clientSecret: agent.client_secret ?? '',
    assertion: async ({ authorizationServerUrl, resourceUrl }) => {
      const r = await oidc.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
        subject_token: proof,
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        audience: authorizationServerUrl,
        resource: resourceUrl,
        scope: 'mcp:read mcp:write',
      });
      return r.access_token;
    },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${g.house.origin}/mcp/crm`), { authProvider: provider }),
  );
  const { tools } = await client.listTools();
  assert.ok(tools.length > 2);
  const r = await client.callTool({ name: tools[0]!.name, arguments: {} });
  assert.ok(Array.isArray(r.content));
  await client.close();
  const called = await g.events('tool.called');
  const actor = called.at(-1)?.header['actor'] as Record<string, unknown>;
  assert.deepEqual([actor['kind'], actor['id'], actor['client']], ['agent', g.house.ada.user, agent.client_id]);
  assert.equal((await g.events('tool.finished')).at(-1)?.data['outcome'], 'answered');
  assert.equal((await g.events('authorization.consent_given')).length, 0);
  assert.ok(!idp.lines.some((l) => l.includes(proof.slice(0, 40))));
});

test('the stand-in provider gives no assertion for another server, or for the ID token of another client', async () => {
  const config = await oidc.discovery(new URL(idp.ready.issuer), 'agent-at-idp', 'agent-secret', undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  const ask = (subject: string, audience: string) =>
    oidc.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
      audience,
    });
  await assert.rejects(ask(await idToken(config), 'https://other.example'), { error: 'invalid_target' });
  await assert.rejects(ask('hello', g.house.origin), { error: 'invalid_grant' });
});
