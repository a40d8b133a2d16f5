import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/**
 * An MCP server with one tool, behind bearer tokens: enough for a client to find the authorization server and to notice that its token is
 * over. It looks at no signature; what it is for is the client's side.
 */
export function makeMcp(o: { origin: string; refuses(token: string): boolean }): (req: Request) => Promise<Response> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'tiny', version: '1.0.0' });
    server.registerTool(
      'echo',
      { description: 'Says it again', inputSchema: z.object({ i: z.number() }) },
      ({ i }) => ({
        content: [{ type: 'text', text: String(i) }],
      }),
    );
    return server;
  });
  return async (req) => {
    const token = /^Bearer (\S+)$/.exec(req.headers.get('authorization') ?? '')?.[1];
    if (token === undefined || o.refuses(token))
      return new Response(null, {
        status: 401,
        headers: {
          'www-authenticate': `Bearer error="invalid_token", resource_metadata="${o.origin}/.well-known/oauth-protected-resource/mcp"`,
        },
      });
    return handler.fetch(req);
  };
}
