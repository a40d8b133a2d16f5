// The servers of bench/gateway.ts, each in a process of its own: `upstream`, `bare`, `gatehouse`, `sdk`, `stdio`. Prints one line of JSON when ready.
import { createServer, type RequestListener } from 'node:http';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

const [role, upstream = '', extent = ''] = process.argv.slice(2);
/** 20 connectors of 17 tools: as many as a person may have. */
const CONNECTORS = 20;
const TOOLS = 17;

const words = 'the quarterly figures of the northern region and of its four branches ';
const textOf = new Map<number, string>();
/** Text of about so many bytes, of words: what is looked at is not all one letter. */
const textFor = (bytes: number): string => {
  const known = textOf.get(bytes);
  if (known !== undefined) return known;
  const text = words.repeat(Math.ceil(bytes / words.length)).slice(0, bytes);
  textOf.set(bytes, text);
  return text;
};
const toolNamed = (name: string): object => ({
  name,
  description: `Does ${name} with what it is given, and says what came of it.`,
  inputSchema: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'of what' },
      text: { type: 'string' },
      bytes: { type: 'integer' },
    },
  },
  annotations: { readOnlyHint: true },
});

type Message = {
  id?: number;
  method: string;
  params?: { arguments?: { bytes?: number }; notifications?: object; protocolVersion?: string };
};
/** What the smallest MCP server that there can be says: it costs next to nothing, so that what stands before it is what is measured. */
function said(m: Message, path: string, modern: boolean): object {
  const complete = modern ? { resultType: 'complete' } : {};
  const capabilities = { tools: { listChanged: true } };
  const serverInfo = { name: 'echo', version: '1' };
  switch (m.method) {
    case 'server/discover':
      return { ...complete, supportedVersions: ['2026-07-28'], capabilities, serverInfo };
    case 'initialize':
      return { protocolVersion: m.params?.protocolVersion ?? '2025-11-25', capabilities, serverInfo };
    case 'tools/list': {
      const many = /^\/c\d+$/.test(path) ? TOOLS : path === '/all' ? CONNECTORS * TOOLS : 0;
      const tools = [
        toolNamed('echo'),
        ...Array.from({ length: Math.max(0, many - 1) }, (_, i) => toolNamed(`tool_${i}`)),
      ];
      return { ...complete, tools };
    }
    default:
      return { ...complete, content: [{ type: 'text', text: textFor(m.params?.arguments?.bytes ?? 900) }] };
  }
}
const echo: RequestListener = (req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (c: Buffer) => chunks.push(c));
  req.on('end', () => {
    if (req.method !== 'POST') return void res.writeHead(405, { allow: 'POST' }).end();
    const m = JSON.parse(Buffer.concat(chunks).toString()) as Message;
    if (m.id === undefined) return void res.writeHead(202).end();
    if (m.method === 'subscriptions/listen') {
      const params = {
        notifications: m.params?.notifications ?? {},
        _meta: { 'io.modelcontextprotocol/subscriptionId': m.id },
      };
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(
        `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params })}\n\n`,
      );
      return;
    }
    const modern = String(req.headers['mcp-protocol-version'] ?? '') >= '2026';
    const body = JSON.stringify({ jsonrpc: '2.0', id: m.id, result: said(m, req.url ?? '', modern) });
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  });
};

/** The same over stdin and stdout, for peers that put a server of that kind on the network. */
function stdio(): void {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const m = JSON.parse(line) as Message;
    if (m.id !== undefined)
      process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: m.id, result: said(m, '', false) })}\n`);
  });
}

/** A proxy that only passes bytes on: what a Node process in between costs at least. */
function bare(): RequestListener {
  const agent = new Agent();
  const { origin } = new URL(upstream);
  return (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      agent.dispatch(
        {
          origin,
          path: req.url ?? '/',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'mcp-protocol-version': String(req.headers['mcp-protocol-version'] ?? ''),
          },
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

/** Everything on: 200 policies, what is found in content, the durable log and its sequencer. `many`: twenty connectors of 340 tools in all. */
async function gatehouse(): Promise<{ url: string; all: string; token: string; tokenAll: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  let wake = (): void => undefined;
  const g = await gatewayHouse({ deps: { wake: () => wake() } });
  const sequencer = startSequencer({
    world: { ...g.house.world, db: g.house.t.as('gatehouse_sequencer') },
    witness: fileWitness(folder),
  });
  wake = () => sequencer.wake();
  // One person alone is the load of many.
  await setCallLimits(g.ctx, undefined, {
    personAtOnce: null,
    personPerMinute: null,
    connectorAtOnce: null,
  });
  const id = await g.connect('echo', upstream);
  if (extent === 'many')
    for (let i = 0; i < CONNECTORS; i++) await g.connect(`c${i}`, new URL(`/c${i}`, upstream).href);
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
  const { origin } = g.house;
  return {
    url: `${origin}/mcp/echo`,
    all: `${origin}/mcp`,
    token: await g.token(undefined, `${origin}/mcp/echo`),
    tokenAll: await g.token(),
  };
}

if (role === 'gatehouse') {
  const ready = await gatehouse();
  console.log(JSON.stringify({ ...ready, pid: process.pid }));
} else if (role === 'stdio') stdio();
else {
  const listener = role === 'upstream' ? echo : role === 'bare' ? bare() : await sdk();
  const server = createServer({ keepAliveTimeout: 600_000 }, listener);
  server.listen(0, '127.0.0.1', () =>
    console.log(
      JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, pid: process.pid }),
    ),
  );
}
// Ends with the process that started it.
process.stdin.once('end', () => process.exit(0)).resume();
