// An MCP server that a test has in its hand: small and honest by default, in either revision of the protocol, and able to answer anything else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Asked = {
  method: string;
  rpc: string | undefined;
  authorization: string | undefined;
  session: string | undefined;
};
type Message = { id?: number; method?: string; params?: { cursor?: string } };

export type UpstreamInHand = {
  url: string;
  host: string;
  era: '2026-07-28' | '2025-11-25';
  tools: unknown[];
  asked: Asked[];
  /** Answers a request its own way; returns false to leave it to the honest server. */
  instead: ((message: Message, res: ServerResponse, req: IncomingMessage) => boolean) | undefined;
  /** Sessions of the older revision that were begun and not ended. */
  sessions: Set<string>;
  stop(): Promise<void>;
};

export const sendJson = (res: ServerResponse, value: unknown, status = 200, headers = {}): true => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  return true;
};

const bodyOf = async (req: IncomingMessage): Promise<Message> => {
  const chunks: Buffer[] = [];
  for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message);
};

export async function upstreamInHand(
  over: Partial<Pick<UpstreamInHand, 'era' | 'tools'>> = {},
): Promise<UpstreamInHand> {
  let begun = 0;
  const self: UpstreamInHand = {
    url: '',
    host: '',
    era: over.era ?? '2026-07-28',
    tools: over.tools ?? [],
    asked: [],
    instead: undefined,
    sessions: new Set(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const serverInfo = { name: 'in-hand', version: '1.2.3' };
  const error = { code: -32601, message: 'no such method' };

  /** Without sessions, as JSON. */
  const newer = (m: Message, res: ServerResponse): unknown => {
    if (m.method === 'server/discover')
      return sendJson(res, { jsonrpc: '2.0', id: m.id, result: { supportedVersions: ['2026-07-28'], serverInfo } });
    if (m.method === 'tools/list') return sendJson(res, { jsonrpc: '2.0', id: m.id, result: { tools: self.tools } });
    return sendJson(res, { jsonrpc: '2.0', id: m.id, error });
  };
  /** With sessions, as the event of a stream that has other events before it; two tools to a page. */
  const older = (m: Message, res: ServerResponse, req: IncomingMessage): unknown => {
    const session = String(req.headers['mcp-session-id']);
    if (req.method === 'DELETE') {
      self.sessions.delete(session);
      return res.writeHead(204).end();
    }
    const stream = (result: unknown, headers = {}): unknown =>
      res
        .writeHead(200, { 'content-type': 'text/event-stream', ...headers })
        .end(
          `: hello\n\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\nevent: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: m.id, result })}\n\n`,
        );
    if (m.method === 'initialize') {
      const id = `session-${++begun}`;
      self.sessions.add(id);
      return stream({ protocolVersion: '2025-11-25', capabilities: {}, serverInfo }, { 'mcp-session-id': id });
    }
    if (!self.sessions.has(session)) return sendJson(res, { jsonrpc: '2.0', id: null, error }, 400);
    if (m.method === 'notifications/initialized') return res.writeHead(202).end();
    const from = Number(m.params?.cursor ?? 0);
    const more = from + 2 < self.tools.length ? { nextCursor: String(from + 2) } : {};
    if (m.method === 'tools/list') return stream({ tools: self.tools.slice(from, from + 2), ...more });
    return sendJson(res, { jsonrpc: '2.0', id: m.id, error });
  };

  const server = createServer((req, res) => {
    void bodyOf(req)
      .then((m) => {
        self.asked.push({
          method: String(req.method),
          rpc: m.method,
          authorization: req.headers.authorization,
          session: req.headers['mcp-session-id']?.toString(),
        });
        if (self.instead?.(m, res, req)) return;
        if (self.era === '2026-07-28') newer(m, res);
        else older(m, res, req);
      })
      .catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  self.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  self.url = `http://${self.host}/mcp`;
  return self;
}
