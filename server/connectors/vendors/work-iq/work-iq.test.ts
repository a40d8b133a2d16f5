import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { listen } from '#dev/listening-server.ts';
import { OTHER_TENANT, PERSONAL, TENANT } from '#dev/vendors/microsoft-world.ts';
import { makeEgress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import { vendorClient } from '../../kit/vendor-client.ts';
import { chosenFor } from '../../vendor-choice.ts';
import { workIq } from './manifest.ts';

async function whoami(t: TestContext, facts: Record<string, string>, status = 200) {
  const server = await listen((req, res) =>
    req
      .resume()
      .on('end', () =>
        res
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-11-25', capabilities: {} } })),
      ),
  );
  const egress = makeEgress({ log: silentLog });
  t.after(() => Promise.all([server.close(), egress.close()]));
  const vendor = await vendorClient({
    manifest: workIq,
    settings: { tenant: TENANT },
    origins: { mcp: server.url, login: server.url },
    rules: { allowPrivate: [new URL(server.url).host] },
    egress,
    unlock: () => Promise.resolve({ token: new Secret('tok'), scopes: [], facts }),
    signal: new AbortController().signal,
    now: () => new Date(),
    deadline: new Date(Date.now() + 30_000),
  });
  return workIq.whoami(vendor);
}

test('Work IQ is at its own MCP server, for one tenant by its id', () => {
  assert.equal(chosenFor(workIq, { settings: { tenant: TENANT } }).url, 'https://workiq.svc.cloud.microsoft/mcp');
  for (const tenant of ['common', 'contoso.com', PERSONAL, ''])
    assert.equal(workIq.settings.safeParse({ tenant }).success, false, tenant);
});

test('whose account it is comes with the id_token and is proved by a greeting; other tenants are foreign', async (t) => {
  const facts = { oid: OTHER_TENANT, tid: TENANT, upn: 'Ada@acme.example' };
  const account = await whoami(t, facts);
  assert.deepEqual(account, {
    subject: OTHER_TENANT,
    label: 'Ada@acme.example',
    email: 'ada@acme.example',
    tenant: TENANT,
  });
  const person = { email: 'ada@acme.example', name: 'Ada' };
  const foreign = async (tid: string) =>
    workIq.foreign?.(await whoami(t, { ...facts, tid }), { tenant: TENANT }, person);
  assert.equal(await foreign(TENANT), undefined);
  assert.match((await foreign(OTHER_TENANT)) ?? '', /another organization/);
  assert.match((await foreign(PERSONAL)) ?? '', /personal Microsoft account/);
  await assert.rejects(whoami(t, { upn: 'x' }), { code: 'no_account' });
  await assert.rejects(whoami(t, facts, 401), { status: 401 });
});
