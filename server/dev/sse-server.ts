import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Message = { id?: number | string; method?: string; params?: Record<string, unknown>; result?: unknown };
export type SseSession = {
  id: string;
  stream: ServerResponse;
  capabilities: Record<string, unknown>;
  /** What it was sent, in order. */
  got: Message[];
  ready: boolean;
};

/**
 * An MCP server that speaks only the HTTP+SSE transport, by hand from the page basic/transports of revision 2024-11-05: `GET /sse` opens a stream
 * whose first event `endpoint` says where messages are posted, answers come as events `message`, and a session is over with its stream.
 * It knows elicitation, as servers do that kept the transport and renewed the rest.
 */
export type SseServer = {
  url: string;
  /** Every session there was. */
  sessions: SseSession[];
  /** Of those, with a stream that is open now. */
  open: Set<SseSession>;
  /** Credentials that came, of streams and of posts. */
  bearers: (string | undefined)[];
  /** Opens a stream instead of us; true: it did. */
  opens: ((res: ServerResponse) => boolean) | undefined;
  /** Takes a message instead of us; true: it did. */
  takes: ((m: Message, s: SseSession) => boolean) | undefined;
  send(s: SseSession, m: object): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export const sseTools = [
  { name: 'look', description: 'says what it was given', inputSchema: { type: 'object' } },
  { name: 'slow', description: 'says how far it is', inputSchema: { type: 'object' } },
  { name: 'ask', description: 'asks who it is for', inputSchema: { type: 'object' } },
];

export async function sseServer(): Promise<SseServer> {
  const byId = new Map<string, SseSession>();
  const self: Pick<SseServer, 'sessions' | 'open' | 'bearers' | 'opens' | 'takes'> = {
    sessions: [],
    open: new Set(),
    bearers: [],
    opens: undefined,
    takes: undefined,
  };
  const send = (s: SseSession, m: object): void =>
    void s.stream.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...m })}\n\n`);
  const text = (s: SseSession, id: Message['id'], said: string): void =>
    send(s, { id, result: { content: [{ type: 'text', text: said }] } });

  const call = (s: SseSession, m: Message): void => {
    const name = String(m.params?.['name']);
    if (name === 'look') return text(s, m.id, `looked at ${JSON.stringify(m.params?.['arguments'])}`);
    if (name === 'slow') {
      const meta = m.params?.['_meta'] as { progressToken?: unknown } | undefined;
      for (const progress of [1, 2])
        send(s, {
          method: 'notifications/progress',
          params: { progressToken: meta?.progressToken, progress, total: 2 },
        });
      return text(s, m.id, 'slowly');
    }
    if (s.capabilities['elicitation'] === undefined) return text(s, m.id, 'nobody to ask');
    // Its id is the server's own, and a number.
    send(s, {
      id: 7,
      method: 'elicitation/create',
      params: {
        message: 'Who is it for?',
        requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
      },
    });
    asking.set(s, m.id);
  };
  const asking = new Map<SseSession, Message['id']>();

  const take = (s: SseSession, m: Message): void => {
    s.got.push(m);
    if (self.takes?.(m, s)) return;
    if (m.method === undefined) {
      if (m.id !== 7 || !asking.has(s)) return;
      const { content } = m.result as { content?: { name?: string } };
      text(s, asking.get(s), `for ${content?.name}`);
      asking.delete(s);
      return;
    }
    if (m.method === 'initialize') {
      s.capabilities = (m.params?.['capabilities'] ?? {}) as Record<string, unknown>;
      send(s, {
        id: m.id,
        result: {
          protocolVersion: '2025-06-18',
          capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
          serverInfo: { name: 'sse', version: '1' },
        },
      });
    } else if (m.method === 'notifications/initialized') s.ready = true;
    else if (m.id === undefined) return;
    else if (!s.ready) send(s, { id: m.id, error: { code: -32002, message: 'not initialized' } });
    else if (m.method === 'tools/list') send(s, { id: m.id, result: { tools: sseTools } });
    else if (m.method === 'tools/call') call(s, m);
    else send(s, { id: m.id, error: { code: -32601, message: 'Method not found' } });
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? '/', 'http://sse');
    if (req.method === 'GET' && url.pathname === '/sse') {
      self.bearers.push(req.headers.authorization);
      if (self.opens?.(res)) return;
      const s: SseSession = { id: randomUUID(), stream: res, capabilities: {}, got: [], ready: false };
      byId.set(s.id, s);
      self.sessions.push(s);
      self.open.add(s);
      res.on('close', () => {
        byId.delete(s.id);
        self.open.delete(s);
      });
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`event: endpoint\ndata: /messages?session=${s.id}\n\n`);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
    if (req.method !== 'POST' || url.pathname !== '/messages') {
      res.writeHead(url.pathname === '/sse' ? 405 : 404).end('no');
      return;
    }
    self.bearers.push(req.headers.authorization);
    const s = byId.get(url.searchParams.get('session') ?? '');
    if (!s) {
      res.writeHead(404).end('no such session');
      return;
    }
    res.writeHead(202).end('Accepted');
    take(s, JSON.parse(Buffer.concat(chunks).toString()) as Message);
  };
  const server = createServer((req, res) => void handle(req, res).catch(() => res.destroy()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(self, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`,
    send,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}
