import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { bearerProxy, runConformance, type Conformance } from '#dev/conformance.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { manyNodes, noHaproxy } from '#dev/many-nodes.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';

let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
before(async () => {
  [g, everything] = await Promise.all([gatewayHouse(), startStandIn<{ url: string; mcp: string }>('everything.ts')]);
  await g.connect('everything', everything.ready.mcp);
});
after(async () => {
  await everything.stop();
  await g[Symbol.asyncDispose]();
});

async function through(front: string, args: readonly string[]): Promise<Conformance> {
  const proxy = await bearerProxy(`${front}/mcp/everything`, await g.token());
  try {
    return await runConformance(`http://localhost:${(proxy.address() as AddressInfo).port}/mcp`, args);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}
function same(here: Conformance, direct: Conformance): void {
  const ours = here.failed.filter((f) => !direct.failed.includes(f));
  assert.deepEqual(ours, [], 'failures of our own');
  assert.deepEqual(here.failed, direct.failed);
  assert.deepEqual(here.warned, direct.warned);
  assert.equal(here.passed, direct.passed);
}

for (const [era, args] of [
  ['2026-07-28', ['--suite', 'all', '--spec-version', '2026-07-28']],
  ['2025-11-25', ['--requirements', '2025-11-25']],
] as const) {
  let direct: Conformance;
  test(`the ${era} server suite finds through the gateway what it finds without it`, async () => {
    direct = await runConformance(everything.ready.mcp, args);
    same(await through(g.house.origin, args), direct);
  });
  test(
    `the ${era} server suite finds through three nodes that take turns what it finds without them`,
    { skip: noHaproxy },
    async () => {
      await using three = await manyNodes(g, 3);
      same(await through(three.url, args), direct);
    },
  );
}
