import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { runConformance } from '#dev/conformance.ts';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';

let g: GatewayHouse;
let everything: StandIn<{ url: string; mcp: string }>;
let proxy: Server;
let url: string;

/**
 * The suite cannot sign in, so this adds the bearer token and nothing else. What the suite says of its own host it says to the gateway as
 * the gateway's host, and a foreign host or origin stays as foreign as it was.
 */
function bearerProxy(to: string, token: string): Promise<Server> {
  const target = new URL(to);
  const server = createServer((req, res) => {
    const { port } = server.address() as AddressInfo;
    const own = (v: string | undefined): string | undefined => v?.replaceAll(`localhost:${port}`, target.host);
    const headers: Record<string, string | string[] | undefined> = {
      ...req.headers,
      authorization: `Bearer ${token}`,
      host: own(req.headers.host),
      origin: own(req.headers.origin),
    };
    if (headers['origin'] === undefined) delete headers['origin'];
    const up = request(
      target,
      { method: req.method ?? 'GET', path: req.url === '/mcp' ? target.pathname : (req.url ?? '/'), headers },
      (r) => {
        res.writeHead(r.statusCode ?? 502, r.headers);
        r.pipe(res);
      },
    );
    up.on('error', () => res.destroy());
    res.on('close', () => up.destroy());
    req.pipe(up);
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

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
