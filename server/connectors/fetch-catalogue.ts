import type { Egress } from '#kernel/egress.ts';
import { parseJson, parseJsonText } from '#kernel/json.ts';
import { MiB } from '#kernel/limits.ts';
import { asProblem, Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { egressRules } from './connector.ts';
import { isRecord, MAX_TOOLS } from './tool.ts';

/** Where and as whom to ask. */
export type Upstream = { url: string; privateHost: string | undefined; bearer: Secret | undefined };
export type Catalogue = {
  era: '2026-07-28' | '2025-11-25';
  server: { name: string; version: string };
  /** What it tells clients of itself, as it came. */
  instructions: unknown;
  tools: Record<string, unknown>[];
};

/** A catalogue of a thousand reviewed tools fits; more is not for people to review. */
const MAX_CATALOGUE_BYTES = 8 * MiB;
/** An administrator waits for this at the screen. */
const CATALOGUE_TIMEOUT_MS = 10_000;
const client = { name: 'gatehouse', version: '0.1.0' };

/** Asks an MCP server what it is and which tools it has: by the stateless revision first, else by a session of the older one. */
export async function fetchCatalogue(egress: Egress, upstream: Upstream): Promise<Catalogue> {
  const modern = await discover(egress, upstream);
  if (modern)
    return {
      era: '2026-07-28',
      ...modern,
      tools: await allTools((cursor) => ask(egress, upstream, list(cursor), modernHeaders('tools/list'))),
    };

  const hello = await send(egress, upstream, {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client },
  });
  const answer = await resultOf(hello, 1, upstream);
  const version = typeof answer['protocolVersion'] === 'string' ? answer['protocolVersion'] : '2025-11-25';
  const session = hello.headers.get('mcp-session-id');
  const headers = { 'mcp-protocol-version': version, ...(session ? { 'mcp-session-id': session } : {}) };
  try {
    await (await send(egress, upstream, { method: 'notifications/initialized' }, headers)).body?.cancel();
    const tools = await allTools((cursor) =>
      ask(egress, upstream, { id: 2, method: 'tools/list', params: cursor === undefined ? {} : { cursor } }, headers),
    );
    return { era: '2025-11-25', server: serverOf(answer['serverInfo']), instructions: answer['instructions'], tools };
  } finally {
    // A server that keeps sessions must not keep ours (some keep them in memory for ever).
    if (session) await end(egress, upstream, headers);
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

type Message = { id?: number; method: string; params?: object };

async function send(
  egress: Egress,
  upstream: Upstream,
  message: Message,
  headers: Record<string, string> = {},
): Promise<Response> {
  return reached(upstream, () =>
    egress.fetch(
      upstream.url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(upstream.bearer ? { authorization: `Bearer ${upstream.bearer.reveal()}` } : {}),
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      },
      { ...egressRules(upstream), maxBytes: MAX_CATALOGUE_BYTES, timeoutMs: CATALOGUE_TIMEOUT_MS },
    ),
  );
}

async function reached<T>(upstream: Upstream, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    const p = asProblem(e);
    // What egress refuses, the administrator must read: it is about the address that he typed.
    if (p.kind === 'invalid') throw p;
    throw new Problem('upstream', 'connectors/unreachable', {
      says: `the server at ${new URL(upstream.url).host} could not be reached${p.kind === 'upstream' ? `: ${p.says}` : ''}`,
      fix: 'check the address and that it answers from where this server runs',
      because: e,
    });
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
  const message = await messageOf(response, id, upstream);
  if (isRecord(message['result'])) return message['result'];
  const error = isRecord(message['error']) ? message['error'] : {};
  throw broken(`it answers with the error ${JSON.stringify(error['code'] ?? 'without a code')}`);
}

/** The answer to our request, whether it comes as JSON or as the event of a stream. */
async function messageOf(response: Response, id: number, upstream: Upstream): Promise<Record<string, unknown>> {
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    throw new Problem('upstream', 'connectors/not-let-in', {
      says: `the server at ${new URL(upstream.url).host} answers ${response.status} to ${upstream.bearer ? 'the bearer token that was given' : 'a request without a credential'}`,
      fix: 'give a bearer token that it accepts',
    });
  }
  if (response.status >= 300 && response.status < 400)
    throw broken('it answers with a redirect; give the address that it redirects to, if you trust it');
  if (!response.ok) throw broken(`it answers with status ${response.status}`);
  const bytes = await reached(upstream, () => response.bytes());
  const stream = (response.headers.get('content-type') ?? '').startsWith('text/event-stream');
  const mine = messagesIn(bytes, stream).find((m) => isRecord(m) && m['id'] === id && ('result' in m || 'error' in m));
  if (!isRecord(mine)) throw broken('it sends no answer to what it was asked');
  return mine;
}

/** What the parser says of a body is meant for who sent us one; the administrator, who sent none, reads that the upstream did. */
function messagesIn(bytes: Uint8Array, stream: boolean): unknown[] {
  try {
    return stream ? eventData(new TextDecoder().decode(bytes)).map(parseJsonText) : [parseJson(bytes)];
  } catch (e) {
    throw broken(`its answer is not JSON that means one thing (${asProblem(e).says})`, e);
  }
}

/** The data of each event of a stream that has ended (HTML Standard §9.2). */
const eventData = (text: string): string[] =>
  text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((block) => [...block.matchAll(/^data:[ ]?(.*)$/gm)].map((m) => m[1] ?? '').join('\n'))
    .filter((d) => d !== '');

const broken = (what: string, because?: unknown): Problem =>
  new Problem('upstream', 'connectors/not-mcp', {
    says: `this is not an MCP server that we understand: ${what}`,
    fix: 'check the address; MCP 2026-07-28 and 2025-11-25 over streamable HTTP are understood',
    because,
  });
