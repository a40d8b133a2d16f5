// The servers of bench/gateway.ts, each in a process of its own: `upstream`, `bare`, `gatehouse`, `sdk`. Prints one line of JSON when ready.
import { createServer, type RequestListener } from 'node:http';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { getRequestListener } from '@hono/node-server';
import { Agent } from 'undici';
import { z } from 'zod';
import { startSequencer } from '#audit/sequencer.ts';
import { fileWitness } from '#audit/witness.ts';
import { gatewayHouse } from '#dev/gateway-house.ts';
import { setCallLimits } from '#gateway/limits/set-call-limits.ts';
import { newId } from '#kernel/id.ts';

const [role, upstream = ''] = process.argv.slice(2);
const text = 'x'.repeat(900);

/** The smallest MCP server that there can be: it costs next to nothing, so that what stands before it is what is measured. */
const echo: RequestListener = (req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (c: Buffer) => chunks.push(c));
  req.on('end', () => {
    const m = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
    const result =
      m.method === 'server/discover'
        ? {
            resultType: 'complete',
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: {} },
            serverInfo: { name: 'echo', version: '1' },
          }
        : m.method === 'tools/list'
          ? { resultType: 'complete', tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }
          : { resultType: 'complete', content: [{ type: 'text', text }] };
    const body = JSON.stringify({ jsonrpc: '2.0', id: m.id, result });
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  });
};

/** A proxy that only passes bytes on: what a Node process in between costs at least. */
function bare(): RequestListener {
  const agent = new Agent();
  const { origin, pathname } = new URL(upstream);
  return (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      agent.dispatch(
        {
          origin,
          path: pathname,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: Buffer.concat(chunks),
        },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_c, status, headers) =>
            void res.writeHead(status, {
              'content-type': String(headers['content-type']),
              'content-length': String(headers['content-length']),
            }),
          onResponseData: (_c, chunk) => void res.write(chunk),
          onResponseEnd: () => void res.end(),
          onResponseError: () => void res.destroy(),
        },
      );
    });
  };
}

/** A gateway that ends MCP on both sides with the SDK, as most do: no policy, no record. */
async function sdk(): Promise<RequestListener> {
  const client = new Client({ name: 'peer', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(upstream)));
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'peer', version: '1' });
    server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, async (args) => {
      const r = await client.callTool({ name: 'echo', arguments: args });
      return { content: 'content' in r && Array.isArray(r.content) ? r.content : [] };
    });
    return server;
  });
  const listen = getRequestListener((r) => handler.fetch(r));
  return (req, res) => void listen(req, res);
}

async function gatehouse(): Promise<{ url: string; token: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  let wake = (): void => undefined;
  const g = await gatewayHouse({ deps: { wake: () => wake() } });
  const sequencer = startSequencer({
    world: { ...g.house.world, db: g.house.t.as('gatehouse_sequencer') },
    witness: fileWitness(folder),
  });
  wake = () => sequencer.wake();
  // One person alone is the load of many.
  await setCallLimits(g.ctx, undefined, { personAtOnce: null, personPerMinute: null, connectorAtOnce: null });
  const id = await g.connect('echo', upstream);
  const others = Array.from({ length: 20 }, () => newId('con'));
  for (let i = 0; i < 200; i++)
    await g.rule({
      name: `rule ${i}`,
      who: { kind: i % 2 === 0 ? 'user' : 'everyone', user: g.house.ada.user },
      connector: i < 10 ? id : (others[i % others.length] ?? id),
      tools: { names: [`tool_${i}`] },
      effect: i % 4 === 0 ? 'forbid' : 'allow',
      ...(i % 4 === 0 ? {} : { asks: 'never' as const }),
    } as Parameters<typeof g.rule>[0]);
  return { url: `${g.house.origin}/mcp/echo`, token: await g.token() };
}

if (role === 'gatehouse') console.log(JSON.stringify({ ...(await gatehouse()), pid: process.pid }));
else {
  const listener = role === 'upstream' ? echo : role === 'bare' ? bare() : await sdk();
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(0, '127.0.0.1', () =>
    console.log(
      JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, pid: process.pid }),
    ),
  );
}
// Ends with the process that started it.
process.stdin.once('end', () => process.exit(0)).resume();
