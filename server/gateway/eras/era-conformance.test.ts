import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { bearerProxy, runConformance, type Conformance } from '#dev/conformance.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { oneEra, type OneEra } from '#dev/one-era.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';

/** The suite of each revision before a server that speaks only the other one: what fails is what the server itself lacks, and nothing of ours. */
let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let older: OneEra;
let modern: OneEra;
before(async () => {
  [g, everything] = await Promise.all([gatewayHouse(), startStandIn<{ url: string; mcp: string }>('everything.ts')]);
  [older, modern] = await Promise.all([oneEra(everything.ready.mcp, 'older'), oneEra(everything.ready.mcp, 'modern')]);
  await g.connect('older', older.url);
  await g.connect('modern', modern.url);
});
after(async () => {
  older.close();
  modern.close();
  await everything.stop();
  await g[Symbol.asyncDispose]();
});

async function through(slug: string, args: readonly string[]): Promise<Conformance> {
  const proxy = await bearerProxy(`${g.house.origin}/mcp/${slug}`, await g.token());
  try {
    return await runConformance(`http://localhost:${(proxy.address() as AddressInfo).port}/mcp`, args);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}

test('a server of 2025-11-25 passes the suite of 2026-07-28 through the gateway, but for tools that its older half has not', async () => {
  const r = await through('older', ['--suite', 'all', '--spec-version', '2026-07-28']);
  assert.ok(r.passed >= 144, `${r.passed} passed\n${r.output}`);
  // Each calls a fixture that is written in the words of the newer revision (several questions at once, states of its own).
  assert.deepEqual(r.failed, [
    'input-required-result-basic-elicitation: sep-2322-elicitation-incomplete',
    'input-required-result-capability-check: sep-2322-respect-client-capabilities',
    'input-required-result-multiple-input-requests: sep-2322-multiple-inputs-incomplete',
    'input-required-result-tampered-state: sep-2322-reject-tampered-state',
    'server-stateless: sep-2575-missing-capability-http-400',
    'server-stateless: sep-2575-server-rejects-undeclared-capability',
  ]);
});

test('a server of 2026-07-28 passes the suite of 2025-11-25 through the gateway, but for tools that its newer half has not', async () => {
  const r = await through('modern', ['--requirements', '2025-11-25']);
  assert.ok(r.passed >= 68, `${r.passed} passed\n${r.output}`);
  assert.deepEqual(r.failed, [
    'elicitation-sep1034-defaults: elicitation-sep1034-general',
    'elicitation-sep1330-enums: elicitation-sep1330-general',
    'tools-call-elicitation: tools-call-elicitation',
    'tools-call-sampling: tools-call-sampling',
  ]);
});
