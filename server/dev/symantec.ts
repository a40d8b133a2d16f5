// A detection server of the Detection REST API 2.0 as far as public sources show it: context entries and content blocks in, violations and
// response actions out, and an acknowledgement that must follow. Where it goes and what is in it is our guess; the adapter lets it be set.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from './listening-server.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

export type SymantecOptions = {
  /** Instead of BLOCK for a payment card's number. */
  actions?: (text: string) => { action: string; parameter?: unknown[] }[] | undefined;
  header?: { name: string; value: string };
  /** Instead of a result. */
  result?: () => unknown;
  ackStatus?: number;
};
export type SymantecSeen = { path: string; body: Record<string, unknown>; refused?: string };

export function symantecHandler(o: SymantecOptions, seen: SymantecSeen[] = []) {
  const known = new Set<string>();
  return (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
      const entry: SymantecSeen = { path: req.url ?? '', body };
      seen.push(entry);
      const reply = (status: number, value: unknown): void => {
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      const refuse = (status: number, why: string): void => {
        entry.refused = why;
        reply(status, { message: why });
      };
      if (o.header && req.headers[o.header.name] !== o.header.value) return refuse(401, 'credential');
      const ack = /^\/v2\.0\/DetectionRequests\/([^/]+)\/ActionAcknowledgements$/.exec(entry.path);
      if (ack) {
        if (!known.has(decodeURIComponent(ack[1] ?? '')) || !Array.isArray(body['actionsTaken']))
          return refuse(404, 'no such request');
        return reply(o.ackStatus ?? 200, {});
      }
      if (entry.path !== '/v2.0/DetectionRequests') return refuse(404, 'no such path');
      const context = (body['context'] ?? []) as { name: string; value: string[] }[];
      const missing = ['common.dataType', 'common.application', 'common.transactionId'].find(
        (n) => !context.some((c) => c.name === n && c.value.length > 0),
      );
      if (missing) return refuse(400, `Missing required field: ${missing}`);
      const block = body['body'] as { contentBlockId?: unknown; mimeType?: unknown; data?: unknown } | undefined;
      if (
        typeof block?.contentBlockId !== 'string' ||
        block.mimeType !== 'text/plain' ||
        typeof block.data !== 'string'
      )
        return refuse(400, 'incorrect content block');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(block.data)) return refuse(400, 'Illegal character in base64 content');
      const text = Buffer.from(block.data, 'base64').toString('utf8');
      const requestId = randomUUID();
      known.add(requestId);
      if (o.result) return reply(201, o.result());
      const found = /\b4111 ?1111 ?1111 ?1111\b/.test(text);
      const actions = o.actions ? o.actions(text) : found ? [{ action: 'BLOCK', parameter: [] }] : undefined;
      reply(201, {
        requestId,
        violation: actions || found ? [{ policyId: '2', name: 'Cards' }] : [],
        responseAction: actions ?? [],
        warning: [],
      });
    });
  };
}

/** Starts it in this process. */
export async function startSymantec(o: SymantecOptions = {}): Promise<Listening & { seen: SymantecSeen[] }> {
  const seen: SymantecSeen[] = [];
  return { ...(await listen(symantecHandler(o, seen))), seen };
}

if (import.meta.main) await serveStandIn(standInArgs([]).port, () => symantecHandler({}));
