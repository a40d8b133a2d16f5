import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { conformanceAgent } from '#dev/conformance-agent.ts';
import { runClientConformance, type Conformance } from '#dev/conformance.ts';
import { connectorHouse, type ConnectorHouse } from '#dev/connector-house.ts';

/** Ways to get a token of extensions that Gatehouse does not use towards servers: tokens bound to a key, identities of workloads and of an IdP. */
const notOurs = ['auth/dpop', 'auth/dpop-nonce', 'auth/enterprise-managed-authorization', 'auth/wif-jwt-bearer'];
/** What the suite can only see of its own example: it looks for the address of that one's metadata document, and ours is our own. */
const ofItsExample = ['auth/basic-cimd: cimd-client-id-used'];

let h: ConnectorHouse;
let agent: Awaited<ReturnType<typeof conformanceAgent>>;
before(async () => {
  // A client with a metadata document is on https; whom the suite sends back there are we ourselves.
  h = await connectorHouse({ pagesAt: 'https://gate.example' });
  agent = await conformanceAgent(h);
});
after(async () => {
  agent.server.closeAllConnections();
  agent.server.close();
  await h[Symbol.asyncDispose]();
});

const run = (args: readonly string[]): Promise<Conformance> =>
  runClientConformance(
    [process.execPath, fileURLToPath(new URL('../../dev/conformance-client.ts', import.meta.url)), agent.url],
    args,
  );

/** The rest of the client suite is about what an agent does of its own, which a gateway passes on. */
const ofAuthorization = (all: readonly string[]): string[] =>
  all.filter((s) => s.startsWith('auth/') && !notOurs.includes(s.split(':')[0] ?? ''));

for (const [era, args, least] of [
  ['2026-07-28', ['--requirements', '2026-07-28'], 27],
  ['2025-11-25', ['--suite', 'auth', '--spec-version', '2025-11-25'], 14],
] as const)
  test(`the client suite of ${era} finds nothing wrong with how the gateway gets itself authorized`, async () => {
    const found = await run(args);
    const scenarios = ofAuthorization(found.ran);
    assert.ok(scenarios.length >= least, `only ${scenarios.join(', ')} ran`);
    assert.deepEqual(ofAuthorization(found.failed), [], found.output);
    assert.deepEqual(ofAuthorization(found.warned), ofItsExample);
  });
