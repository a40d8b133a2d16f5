import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { listen } from '#dev/listening-server.ts';
import { makeEgress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import type { Account, Settings } from '#vault/vendor-auth.ts';
import type { Manifest } from '../kit/manifest.ts';
import { vendorClient, VendorRefusal } from '../kit/vendor-client.ts';
import { chosenFor } from '../vendor-choice.ts';
import { asanaManifest } from './asana/manifest.ts';
import { atlassianManifest } from './atlassian/manifest.ts';
import { canvaManifest } from './canva/manifest.ts';
import { hubspotManifest } from './hubspot/manifest.ts';
import { linearManifest } from './linear/manifest.ts';
import { notionMcpManifest } from './notion-mcp/manifest.ts';
import { supabaseManifest } from './supabase/manifest.ts';

/** Asks `whoami` of a server that answers every request with this. */
async function whoami(
  t: TestContext,
  m: Manifest,
  answer: { status?: number; body: unknown },
  o: { settings?: Settings; facts?: Record<string, string> } = {},
): Promise<{ account: Account; asked: string; auth: string | undefined }> {
  let asked = '';
  let auth: string | undefined;
  const server = await listen((req, res) => {
    asked = `${req.method} ${req.url}`;
    auth = req.headers.authorization;
    req
      .resume()
      .on('end', () =>
        res.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body)),
      );
  });
  const egress = makeEgress({ log: silentLog });
  t.after(() => Promise.all([server.close(), egress.close()]));
  const vendor = await vendorClient({
    manifest: m,
    settings: o.settings ?? {},
    origins: Object.fromEntries(Object.keys(m.origins).map((role) => [role, server.url])),
    rules: { allowPrivate: [new URL(server.url).host] },
    egress,
    unlock: () => Promise.resolve({ token: new Secret('tok'), scopes: [], facts: o.facts ?? {} }),
    signal: new AbortController().signal,
    now: () => new Date(),
    deadline: new Date(Date.now() + 30_000),
  });
  return { account: await m.whoami(vendor), asked, auth };
}
const greeting = { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-11-25', capabilities: {} } };

const addresses: [Manifest, Settings, string, string][] = [
  [notionMcpManifest, {}, 'https://mcp.notion.com/mcp', 'https://mcp.notion.com/mcp'],
  [canvaManifest, {}, 'https://mcp.canva.com/mcp', 'https://mcp.canva.com/mcp'],
  [hubspotManifest, {}, 'https://mcp.hubspot.com/', 'https://mcp.hubspot.com/'],
  [atlassianManifest, {}, 'https://mcp.atlassian.com/v1/mcp', 'https://mcp.atlassian.com/v1/mcp'],
  [linearManifest, { workspace: 'acme' }, 'https://mcp.linear.app/mcp', 'https://mcp.linear.app/mcp'],
  [asanaManifest, { domain: 'acme.example' }, 'https://mcp.asana.com/v2/mcp', 'https://mcp.asana.com/v2/mcp'],
  [
    supabaseManifest,
    { project_ref: 'abcdefghij0123456789' },
    'https://mcp.supabase.com/mcp?project_ref=abcdefghij0123456789&read_only=true',
    'https://mcp.supabase.com/mcp?project_ref=abcdefghij0123456789',
  ],
];
for (const [m, settings, reading, writing] of addresses)
  test(`${m.name} is at its own MCP server, for what the connector may do`, () => {
    assert.equal(chosenFor(m, { settings }).url, reading);
    assert.equal(chosenFor(m, { settings, access: 'read_write' }).url, writing);
  });

test('a service account’s key of Atlassian is proved by a greeting, and one that is refused is no account', async (t) => {
  const ok = await whoami(t, atlassianManifest, { body: greeting });
  assert.deepEqual([ok.account.label, ok.asked, ok.auth], ['the service account', 'POST /v1/mcp', 'Bearer tok']);
  await assert.rejects(
    whoami(t, atlassianManifest, { status: 401, body: {} }),
    (e) => e instanceof VendorRefusal && e.status === 401,
  );
  await assert.rejects(
    whoami(t, atlassianManifest, { body: { page: 'sign in' } }),
    (e) => e instanceof VendorRefusal && e.code === 'not_mcp',
  );
});

test('Linear says whose account it is and of which workspace; another workspace is foreign', async (t) => {
  const viewer = { id: 'u1', email: 'ada@acme.example', organization: { urlKey: 'acme' } };
  const { account, asked } = await whoami(t, linearManifest, { body: { data: { viewer } } });
  assert.equal(asked, 'POST /graphql');
  assert.deepEqual(account, { subject: 'u1', label: 'ada@acme.example', email: 'ada@acme.example', tenant: 'acme' });
  assert.equal(linearManifest.foreign!(account, { workspace: 'acme' }, undefined), undefined);
  assert.match(linearManifest.foreign!(account, { workspace: 'other' }, undefined) ?? '', /workspace acme/);
  await assert.rejects(whoami(t, linearManifest, { body: { errors: [] } }), VendorRefusal);
});

test('Linear’s scopes are read with commas, with spaces and as a list', () => {
  const scopes = (scope: unknown) => linearManifest.oauth!.readToken!({ access_token: 'a', scope }).scopes;
  for (const scope of ['read,write', 'read write', ['read', 'write']])
    assert.deepEqual(scopes(scope), ['read', 'write']);
});

test('Asana’s account comes with its token; an address of another domain is foreign', async (t) => {
  const facts = asanaManifest.oauth!.factsOf!({ data: { gid: '7', name: 'Ada', email: 'ada@acme.example' } });
  const { account } = await whoami(t, asanaManifest, { body: greeting }, { facts: { ...facts } });
  assert.deepEqual(account, { subject: '7', label: 'ada@acme.example', email: 'ada@acme.example' });
  assert.equal(asanaManifest.foreign!(account, { domain: 'acme.example' }, undefined), undefined);
  assert.match(asanaManifest.foreign!(account, { domain: 'me.example' }, undefined) ?? '', /not one of me\.example/);
  await assert.rejects(whoami(t, asanaManifest, { body: greeting }), VendorRefusal);
});

test('a Supabase token is proved by the organizations that it sees', async (t) => {
  const { account, asked } = await whoami(t, supabaseManifest, { body: [{ id: 'org-1', name: 'Acme' }] });
  assert.deepEqual([asked, account], ['GET /v1/organizations', { subject: 'org-1', label: 'Acme', tenant: 'org-1' }]);
});
