// A DLP protector of the Inspection API as far as public sources show it: a multipart request with metadata of four mandatory parts and the
// content as a caught upload. As the real one does, it takes bytes that are no upload and finds nothing in them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from './listening-server.ts';
import { serveStandIn, standInArgs } from './stand-in-process.ts';

export type ForcepointOptions = {
  token?: string;
  actions?: (text: string) => string[];
  /** Instead of a response. */
  result?: (id: string) => unknown;
};
export type ForcepointSeen = { metadata: Record<string, unknown>; content: string; refused?: string };

/** The parts of a multipart body by name. */
function partsOf(body: string, contentType: string): Map<string, { type: string; text: string }> {
  const boundary = /boundary=([^;\s]+)/.exec(contentType)?.[1] ?? 'none';
  const parts = new Map<string, { type: string; text: string }>();
  for (const piece of body.split(`--${boundary}`).slice(1, -1)) {
    const at = piece.indexOf('\r\n\r\n');
    const head = piece.slice(0, at);
    const name = /name="([^"]*)"/.exec(head)?.[1];
    if (name !== undefined)
      parts.set(name, { type: /content-type: *([^\r\n]+)/i.exec(head)?.[1] ?? '', text: piece.slice(at + 4, -2) });
  }
  return parts;
}

const activities: Record<string, string[]> = {
  HTTP: ['UPLOAD'],
  HTTPS: ['UPLOAD'],
  CASB_REAL_TIME: ['UPLOAD', 'DOWNLOAD'],
};

export function forcepointHandler(o: ForcepointOptions, seen: ForcepointSeen[] = []) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (c: Buffer) => chunks.push(c));
    req.on('end', () => {
      const raw = Buffer.concat(chunks).toString('latin1');
      const parts = partsOf(raw, req.headers['content-type'] ?? '');
      const entry: ForcepointSeen = { metadata: {}, content: '' };
      seen.push(entry);
      const reply = (status: number, value: unknown): void => {
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      const refuse = (status: number, why: string): void => {
        entry.refused = why;
        reply(status, { error: why });
      };
      if (req.url !== '/inspection/v4.0') return refuse(404, 'path');
      if (o.token !== undefined && req.headers.authorization !== `Bearer ${o.token}`) return refuse(401, 'token');
      const meta = parts.get('metadata');
      if (meta?.type !== 'application/json') return refuse(400, 'metadata');
      entry.metadata = JSON.parse(Buffer.from(meta.text, 'latin1').toString('utf8')) as Record<string, unknown>;
      const m = entry.metadata as {
        context?: Record<string, unknown>;
        contentDescriptors?: { id: string; size_bytes: number }[];
        source?: unknown;
        destinations?: unknown[];
      };
      if (!m.context || !m.contentDescriptors?.length || !m.source || !m.destinations?.length)
        return refuse(400, 'a mandatory part is missing');
      const {
        client_name,
        data_channel,
        activity_type,
        global_message_id,
        occurred_message_timestamp_utc_ms,
        inspection_request_timeout_ms: ms,
      } = m.context;
      if (client_name !== 'CUSTOM_APPLICATION') return refuse(400, 'client_name');
      if (!activities[String(data_channel)]?.includes(String(activity_type))) return refuse(400, 'activity_type');
      if (typeof global_message_id !== 'string' || typeof occurred_message_timestamp_utc_ms !== 'number')
        return refuse(400, 'context');
      if (typeof ms === 'number' && (ms < 20 || ms > 300_000)) return refuse(400, 'inspection_request_timeout_ms');
      const [descriptor] = m.contentDescriptors;
      const part = parts.get(descriptor?.id ?? '');
      if (part?.type !== 'application/http') return refuse(400, 'the content part');
      if (descriptor?.size_bytes !== part.text.length) return refuse(400, 'size_bytes');
      const split = part.text.indexOf('\r\n\r\n');
      const inner =
        split < 0
          ? new Map<string, { text: string }>()
          : partsOf(part.text.slice(split + 4), part.text.slice(0, split));
      entry.content = Buffer.from(inner.get('file')?.text ?? '', 'latin1').toString('utf8');
      if (o.result) return reply(200, o.result(global_message_id));
      const actions = o.actions
        ? o.actions(entry.content)
        : /\b4111 ?1111 ?1111 ?1111\b/.test(entry.content)
          ? ['Block']
          : [];
      reply(200, {
        global_message_id,
        resolution: actions.length > 0 ? 'MATCHED' : 'UNMATCHED',
        cpe_transaction_info: { id: '1' },
        violations: actions.length > 0 ? [{ policy_id: '1', policy_name: 'Cards', violated_rules: [] }] : [null],
        actions: (actions.length > 0 ? actions : ['Permit']).map((action_type) => ({ action_type })),
        max_number_of_matches: actions.length,
      });
    });
  };
}

/** Starts it in this process. */
export async function startForcepoint(o: ForcepointOptions = {}): Promise<Listening & { seen: ForcepointSeen[] }> {
  const seen: ForcepointSeen[] = [];
  return { ...(await listen(forcepointHandler(o, seen))), seen };
}

if (import.meta.main) {
  const { port, token } = standInArgs(['token']);
  await serveStandIn(port, () => forcepointHandler(token === undefined ? {} : { token }));
}
