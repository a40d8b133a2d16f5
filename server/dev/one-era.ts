import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type OneEra = {
  url: string;
  seen: { method: string; body: string; headers: Record<string, unknown> }[];
  close(): void;
};

/**
 * Stands in front of an MCP server that speaks both revisions, and lets only one of them through, refusing the other as a server that has never heard
 * of it: an older one answers 400 to a version that it does not know, one of the stateless revision knows no `initialize`.
 */
export async function oneEra(target: string, era: 'older' | 'modern'): Promise<OneEra> {
  const to = new URL(target);
  const seen: OneEra['seen'] = [];
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push({ method: req.method ?? '', body: body.toString(), headers: req.headers });
      const modern = String(req.headers['mcp-protocol-version'] ?? '') >= '2026-07-28';
      if (modern !== (era === 'modern')) {
        let id: unknown = null;
        try {
          id = (JSON.parse(body.toString()) as { id?: unknown }).id ?? null;
        } catch {
          // GET and DELETE have no body
        }
        const error =
          era === 'older'
            ? { code: -32000, message: 'Bad Request: Unsupported protocol version' }
            : { code: -32601, message: 'Method not found' };
        res.writeHead(era === 'older' ? 400 : 404, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ jsonrpc: '2.0', id, error }));
        return;
      }
      const up = request(
        to,
        { method: req.method ?? 'POST', headers: { ...req.headers, host: to.host }, agent: false },
        (r) => {
          res.writeHead(r.statusCode ?? 502, r.headers);
          r.pipe(res);
        },
      );
      up.on('error', () => res.destroy());
      res.on('close', () => up.destroy());
      up.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
