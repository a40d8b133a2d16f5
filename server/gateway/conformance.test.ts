import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { bearerProxy, runConformance } from '#dev/conformance.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';

let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let proxy: Server;
let url: string;

before(async () => {
  [g, everything] = await Promise.all([gatewayHouse(), startStandIn<{ url: string; mcp: string }>('everything.ts')]);
  await g.connect('everything', everything.ready.mcp);
  proxy = await bearerProxy(`${g.house.origin}/mcp/everything`, await g.token());
  url = `http://localhost:${(proxy.address() as AddressInfo).port}/mcp`;
});
after(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await everything.stop();
  await g[Symbol.asyncDispose]();
});

for (const [era, args] of [
  ['2026-07-28', ['--suite', 'all', '--spec-version', '2026-07-28']],
  ['2025-11-25', ['--requirements', '2025-11-25']],
] as const)
  test(`the ${era} server suite finds through the gateway what it finds without it`, async () => {
    const direct = await runConformance(everything.ready.mcp, args);
    const through = await runConformance(url, args);
    assert.deepEqual(through.failed, direct.failed);
    assert.deepEqual(through.warned, direct.warned);
    assert.equal(through.passed, direct.passed);
  });
