import type { Egress } from '#kernel/egress.ts';
import { eventCutter } from '#kernel/event-stream.ts';
import { parseJson, parseJsonText } from '#kernel/json.ts';
import { asProblem } from '#kernel/problem.ts';
import {
  broken,
  checkStatus,
  MAX_CATALOGUE_BYTES,
  reached,
  send,
  type Message,
  type Upstream,
} from './ask-upstream.ts';
import { egressRules } from './connector.ts';
import { openSse, type SseLine } from './sse-catalogue.ts';
import { isRecord, MAX_TOOLS } from './tool.ts';

/** How messages get there: over streamable HTTP, or over the HTTP+SSE transport of 2024-11-05. */
export type Transport = 'streamable-http' | 'http+sse';
export type Catalogue = {
  era: '2026-07-28' | '2025-11-25';
  transport: Transport;
  server: { name: string; version: string };
  /** What it tells clients of itself, as it came. */
  instructions: unknown;
  tools: Record<string, unknown>[];
};

const client = { name: 'gatehouse', version: '0.1.0' };

/** Asks an MCP server what it is and which tools it has: by the stateless revision first, else by a session of an older one, over either transport. */
export async function fetchCatalogue(egress: Egress, upstream: Upstream): Promise<Catalogue> {
  const modern = await discover(egress, upstream);
  if (modern)
    return {
      era: '2026-07-28',
      transport: 'streamable-http',
      ...modern,
      tools: await allTools((cursor) => ask(egress, upstream, list(cursor), modernHeaders('tools/list'))),
    };

  const hello = await send(egress, upstream, greeting);
  if (takesNoPost.has(hello.status)) {
    const line = await openSse(egress, upstream);
    if (line) return overSse(line);
  }
  const answer = await resultOf(hello, 1, upstream);
  const version = typeof answer['protocolVersion'] === 'string' ? answer['protocolVersion'] : '2025-11-25';
  const session = hello.headers.get('mcp-session-id');
  const headers = { 'mcp-protocol-version': version, ...(session ? { 'mcp-session-id': session } : {}) };
  try {
    await (await send(egress, upstream, { method: 'notifications/initialized' }, headers)).body?.cancel();
    const tools = await allTools((cursor) =>
      ask(egress, upstream, { id: 2, method: 'tools/list', params: cursor === undefined ? {} : { cursor } }, headers),
    );
    return {
      era: '2025-11-25',
      transport: 'streamable-http',
      server: serverOf(answer['serverInfo']),
      instructions: answer['instructions'],
      tools,
    };
  } finally {
    // A server that keeps sessions must not keep ours (some keep them in memory for ever).
    if (session) await end(egress, upstream, headers);
  }
}

const greeting: Message = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client },
};
/** How a server of the HTTP+SSE transport answers a post where its stream is (2025-11-25, basic/transports, on backwards compatibility). */
const takesNoPost = new Set([400, 404, 405]);

async function overSse(line: SseLine): Promise<Catalogue> {
  try {
    let id = 1;
    const asked = async (m: Message): Promise<Record<string, unknown>> => resultIn(await line.ask({ ...m, id: id++ }));
    const answer = await asked(greeting);
    await line.tell({ method: 'notifications/initialized' });
    const tools = await allTools((cursor) =>
      asked({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }),
    );
    return {
      era: '2025-11-25',
      transport: 'http+sse',
      server: serverOf(answer['serverInfo']),
      instructions: answer['instructions'],
      tools,
    };
  } finally {
    line.close();
  }
}

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': client,
};
const modernHeaders = (method: string): Record<string, string> => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
});
const list = (cursor: string | undefined): Message => ({
  id: 2,
  method: 'tools/list',
  params: { ...(cursor === undefined ? {} : { cursor }), _meta: meta },
});

async function discover(
  egress: Egress,
  upstream: Upstream,
): Promise<Pick<Catalogue, 'server' | 'instructions'> | undefined> {
  const response = await send(
    egress,
    upstream,
    { id: 1, method: 'server/discover', params: { _meta: meta } },
    modernHeaders('server/discover'),
  );
  // What an older server says to a method it does not know is not fixed: 400, 404, 405, or 200 with an error.
  if (!response.ok && response.status !== 401 && response.status !== 403 && response.status < 500) {
    await response.body?.cancel();
    return undefined;
  }
  const message = await messageOf(response, 1, upstream);
  const result = message['result'];
  if (!isRecord(result)) return undefined;
  const versions = result['supportedVersions'];
  if (Array.isArray(versions) && !versions.includes('2026-07-28')) return undefined;
  const inMeta = isRecord(result['_meta']) ? result['_meta']['io.modelcontextprotocol/serverInfo'] : undefined;
  return { server: serverOf(result['serverInfo'] ?? inMeta), instructions: result['instructions'] };
}

/** What a server says to somebody without a credential: its `WWW-Authenticate`, empty where it has none; undefined: it lets them in. */
export async function turnedAway(egress: Egress, upstream: Upstream): Promise<string | undefined> {
  const ask: [Message, Record<string, string>][] = [
    [{ id: 1, method: 'server/discover', params: { _meta: meta } }, modernHeaders('server/discover')],
    // Some let everybody say hello.
    [list(undefined), modernHeaders('tools/list')],
    [{ id: 2, method: 'tools/list', params: {} }, { 'mcp-protocol-version': '2025-11-25' }],
  ];
  for (const [message, headers] of ask) {
    const response = await send(egress, { ...upstream, bearer: undefined }, message, headers);
    await response.body?.cancel();
    if (response.status === 401) return response.headers.get('www-authenticate') ?? '';
  }
  return undefined;
}

const serverOf = (info: unknown): Catalogue['server'] => {
  const of = (key: string): string => {
    const v = isRecord(info) ? info[key] : undefined;
    return typeof v === 'string' ? v.slice(0, 100) : 'unknown';
  };
  return { name: of('name'), version: of('version') };
};

async function allTools(
  page: (cursor: string | undefined) => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>[]> {
  const tools: Record<string, unknown>[] = [];
  const names = new Set<unknown>();
  let cursor: string | undefined;
  for (let pages = 0; ; pages++) {
    const result = await page(cursor);
    if (!Array.isArray(result['tools'])) throw broken('its answer to tools/list has no list of tools');
    for (const t of result['tools']) {
      if (!isRecord(t)) throw broken('one of its tools is not an object');
      if (names.has(t['name'])) throw broken(`it lists the tool ${JSON.stringify(t['name']).slice(0, 60)} twice`);
      names.add(t['name']);
      tools.push(t);
    }
    if (tools.length > MAX_TOOLS || pages > 100) throw broken(`it lists more than ${MAX_TOOLS} tools`);
    if (typeof result['nextCursor'] !== 'string') return tools;
    cursor = result['nextCursor'];
  }
}

async function end(egress: Egress, upstream: Upstream, headers: Record<string, string>): Promise<void> {
  const auth = upstream.bearer ? { authorization: `Bearer ${upstream.bearer.reveal()}` } : {};
  try {
    const r = await egress.fetch(
      upstream.url,
      { method: 'DELETE', headers: { ...headers, ...auth } },
      { ...egressRules(upstream), timeoutMs: 2000 },
    );
    await r.body?.cancel();
  } catch {
    // The session is the upstream's to forget; we have what we came for.
  }
}

const ask = async (
  egress: Egress,
  upstream: Upstream,
  message: Message,
  headers: Record<string, string>,
): Promise<Record<string, unknown>> =>
  resultOf(await send(egress, upstream, message, headers), message.id ?? 0, upstream);

async function resultOf(response: Response, id: number, upstream: Upstream): Promise<Record<string, unknown>> {
  return resultIn(await messageOf(response, id, upstream));
}

function resultIn(message: Record<string, unknown>): Record<string, unknown> {
  if (isRecord(message['result'])) return message['result'];
  const error = isRecord(message['error']) ? message['error'] : {};
  throw broken(`it answers with the error ${JSON.stringify(error['code'] ?? 'without a code')}`);
}

/** The answer to our request, whether it comes as JSON or as the event of a stream. */
async function messageOf(response: Response, id: number, upstream: Upstream): Promise<Record<string, unknown>> {
  await checkStatus(response, upstream);
  const bytes = await reached(upstream, () => response.bytes());
  const stream = (response.headers.get('content-type') ?? '').startsWith('text/event-stream');
  const mine = messagesIn(bytes, stream).find((m) => isRecord(m) && m['id'] === id && ('result' in m || 'error' in m));
  if (!isRecord(mine)) throw broken('it sends no answer to what it was asked');
  return mine;
}

/** What the parser says of a body is meant for who sent us one; the administrator, who sent none, reads that the upstream did. */
function messagesIn(bytes: Uint8Array, stream: boolean): unknown[] {
  try {
    return stream ? eventData(bytes).map(parseJsonText) : [parseJson(bytes)];
  } catch (e) {
    throw broken(`its answer is not JSON that means one thing (${asProblem(e).says})`, e);
  }
}

/** The data of each event of a stream that has ended. */
const eventData = (bytes: Uint8Array): string[] => {
  const cutter = eventCutter(MAX_CATALOGUE_BYTES);
  // A last event whose blank line was left out is read all the same.
  return cutter.push(Buffer.concat([bytes, Buffer.from('\n\n')])).flatMap((e) => (e.data === '' ? [] : [e.data]));
};
