// A small CRM of a lamp maker as an MCP server of the newest and of the older protocol, without sessions. It stands for the systems
// that an organization already has: it knows one credential, its own, and nothing of the people behind a call.
import { timingSafeEqual } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { crmServer } from './crm-tools.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

const { port, bearer } = standInArgs(['bearer']);

const accepts = (header: string | null): boolean => {
  if (bearer === undefined) return true;
  const given = Buffer.from(header ?? '');
  const expected = Buffer.from(`Bearer ${bearer}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
};

let turned = false;
const handler = createMcpHandler(() => crmServer(turned), { legacy: 'stateless' });

const listen = getRequestListener(async (request) => {
  const path = new URL(request.url).pathname;
  // For the story and for tests: from now on as after a bad release, or as before it.
  if (request.method === 'POST' && (path === '/turn' || path === '/turn-back')) {
    turned = path === '/turn';
    return new Response('so be it\n');
  }
  if (path !== '/mcp') return new Response('not here\n', { status: 404 });
  const authorization = request.headers.get('authorization');
  // Shows in tests whose credential arrived: the gateway's, never the client's.
  console.error(`${request.method} ${path} authorization=${authorization ?? 'none'}`);
  if (!accepts(authorization))
    return Response.json(
      { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'the CRM does not know this credential' } },
      { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
    );
  return handler.fetch(request);
});

await serveStandIn(
  port,
  () => (req, res) => void listen(req, res),
  (url) => ({ mcp: `${url}/mcp` }),
);
