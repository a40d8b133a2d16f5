// The upstream that the conformance suite is run against, directly and through the gateway: an MCP server with every tool, resource and
// prompt that `@modelcontextprotocol/conformance` calls by name. It serves 2026-07-28 without sessions and 2025-11-25 with sessions on one URL.
import { randomBytes } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import {
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { addAskingTools, addOlderAskingTools } from './everything/asking-tools.ts';
import { addContentTools, addStreamingTools, type Hooks } from './everything/content-tools.ts';
import { addPrompts, addResources } from './everything/resources-and-prompts.ts';
import { sessions } from './everything/sessions.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

const { port, bearer } = standInArgs(['bearer']);
const codec = createRequestStateCodec<{ step: string }>({ key: randomBytes(32) });

function everything(hooks: (server: McpServer) => Hooks): McpServer {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: { logging: {}, completions: {}, resources: { subscribe: true, listChanged: true } },
      instructions: 'A fixture for the conformance suite.',
      requestState: { verify: codec.verify },
    },
  );
  addContentTools(server, hooks(server));
  addStreamingTools(server);
  addAskingTools(server, codec);
  addOlderAskingTools(server);
  addResources(server);
  addPrompts(server);
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}

const modern = createMcpHandler(
  () =>
    everything(() => ({
      toolsChanged: () => modern.notify.toolsChanged(),
      promptsChanged: () => modern.notify.promptsChanged(),
    })),
  { legacy: 'reject' },
);
const older = sessions(() =>
  everything((server) => ({
    toolsChanged: () => server.sendToolListChanged(),
    promptsChanged: () => server.sendPromptListChanged(),
  })),
);

const listen = getRequestListener(async (request) => {
  const refused =
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins());
  if (refused) return refused;
  if (new URL(request.url).pathname !== '/mcp') return new Response('not here\n', { status: 404 });
  if (bearer !== undefined && request.headers.get('authorization') !== `Bearer ${bearer}`)
    return new Response('not with this credential\n', { status: 401, headers: { 'www-authenticate': 'Bearer' } });
  return (await isLegacyRequest(request)) ? older(request) : modern.fetch(request);
});

await serveStandIn(
  port,
  () => (req, res) => void listen(req, res),
  (url) => ({ mcp: `${url}/mcp` }),
);
