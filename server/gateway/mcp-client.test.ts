import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { gatewayHouse, type GatewayHouse } from '#dev/gateway-house.ts';
import { startStandIn, type StandIn } from '#dev/stand-in.ts';

let g: GatewayHouse;
let crm: StandIn<{ url: string; mcp: string }>;
before(async () => {
  [g, crm] = await Promise.all([
    gatewayHouse(),
    startStandIn<{ url: string; mcp: string }>('crm.ts', ['--bearer', 'crm-secret']),
  ]);
  await g.connect('crm', crm.ready.mcp, { bearer: 'crm-secret' });
});
after(async () => {
  await crm.stop();
  await g[Symbol.asyncDispose]();
});

for (const mode of ['legacy', 'auto'] as const)
  test(`an unmodified client (${mode}) lists tools and calls one, and both ends of the call are in the log`, async () => {
    const token = await g.token();
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${g.house.origin}/mcp/crm`), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      }),
    );
    const { tools } = await client.listTools();
    assert.ok(tools.length > 2);
    const r = await client.callTool({ name: tools[0]!.name, arguments: {} });
    assert.ok(Array.isArray(r.content));
    await client.close();
    const ends = await g.events('tool.finished');
    assert.equal(ends.at(-1)?.data['outcome'], 'answered');
    assert.deepEqual(
      (await g.events('tool.called')).map((e) => e.data['call']),
      ends.map((e) => e.data['call']),
    );
    assert.ok(
      !crm.lines.some((l) => l.includes(token.slice(0, 30))),
      'the client\u2019s token never reaches the upstream',
    );
  });
