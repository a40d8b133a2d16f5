import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Message = { id?: number | string; method?: string; params?: Record<string, unknown> };
export type Seen = { method: string; headers: IncomingMessage['headers']; body: string; message: Message };

/** An MCP server of the test's own making: it behaves until a test says how not to. */
export type WildUpstream = {
  url: string;
  seen: Seen[];
  tools: Record<string, unknown>[];
  /** Answers instead of us; false: it did not. */
  act: ((m: Message, res: ServerResponse, req: IncomingMessage) => boolean | void) | undefined;
  server: Server;
  [Symbol.asyncDispose](): Promise<void>;
};

export const tool = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: 'object' },
  ...more,
});

export const answer = (res: ServerResponse, m: Message, result: unknown): void => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: m.id, result });
  res.writeHead(200, { 'content-type': 'application/json' }).end(body);
};

export async function wildUpstream(tools = [tool('look'), tool('change')]): Promise<WildUpstream> {
  const up: Pick<WildUpstream, 'seen' | 'tools' | 'act'> = { seen: [], tools, act: undefined };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      let message: Message = {};
      try {
        message = JSON.parse(body) as Message;
      } catch {
        // GET and DELETE have none
      }
      up.seen.push({ method: req.method ?? '', headers: req.headers, body, message });
      if (up.act && up.act(message, res, req) !== false) return;
      switch (message.method ?? '') {
        case 'server/discover':
          return answer(res, message, {
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: {} },
            serverInfo: { name: 'wild', version: '1' },
          });
        case 'tools/list':
          return answer(res, message, { tools: up.tools });
        case 'tools/call':
          return answer(res, message, { content: [{ type: 'text', text: `did ${String(message.params?.['name'])}` }] });
        default:
          if (message.id === undefined) return void res.writeHead(202).end();
          return answer(res, message, {});
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(up, {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
