import { parseJsonText } from '#kernel/json.ts';
import { member, members, whole, type Span } from '#kernel/json-span.ts';
import { isParams, type Params, type RpcId } from '../message.ts';

/** The revision without sessions; dates of revisions order as text. */
export const MODERN = '2026-07-28';
/** The newest of the older ones, for servers that we greet. */
export const NEWEST_OLDER = '2025-11-25';
/** Older revisions over streamable HTTP that we speak with clients, newest first. */
export const olderVersions = ['2025-11-25', '2025-06-18', '2025-03-26'] as const;

/** Names in `_meta` by which the stateless revision says with every request what the older ones said once (basic/index, per-request metadata). */
const envelope = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  info: 'io.modelcontextprotocol/clientInfo',
  level: 'io.modelcontextprotocol/logLevel',
} as const;
const ofEnvelope = new Set<unknown>(Object.values(envelope));
export const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
export const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/** What a client of an older revision said in its greeting, and says no more. */
export type Greeting = { version: string; capabilities: Params; info: Params | undefined };

/** What a request of the stateless revision says of its client. */
export function envelopeOf(params: Params): { capabilities: Params; level: string | undefined } {
  const meta = params['_meta'];
  const of = (key: string): unknown => (isParams(meta) ? meta[key] : undefined);
  const capabilities = of(envelope.capabilities);
  const level = of(envelope.level);
  return {
    capabilities: isParams(capabilities) ? capabilities : {},
    level: typeof level === 'string' ? level : undefined,
  };
}

/** Why a request does not say what the stateless revision wants said with each; undefined: it does (basic/index, basic/versioning). */
export function wrongEnvelope(params: Params): { code: number; message: string; data?: object } | undefined {
  const meta = params['_meta'];
  const version = isParams(meta) ? meta[envelope.version] : undefined;
  if (typeof version !== 'string') return { code: -32602, message: `Invalid params: _meta has no ${envelope.version}` };
  if (version !== MODERN)
    return {
      code: -32022,
      message: 'Unsupported protocol version',
      data: { supported: [MODERN], requested: version.slice(0, 40) },
    };
  if (!isParams(meta) || !isParams(meta[envelope.capabilities]))
    return { code: -32602, message: `Invalid params: _meta has no ${envelope.capabilities}` };
  return undefined;
}

/**
 * A request of the stateless revision as the older ones have it: without what only the newer one says, under another id. INVARIANT (one reading):
 * every other byte is as it came, the arguments above all.
 */
export function asOlder(text: string, id: RpcId): string {
  const message = whole(text);
  const kept = members(text, message).filter((m) => m.name !== 'id' && m.name !== 'params');
  const params = member(text, message, 'params');
  const parts = kept.map((m) => text.slice(m.from, m.to));
  parts.push(`"id":${JSON.stringify(id)}`);
  if (params) parts.push(`"params":${olderParams(text, params)}`);
  return `{${parts.join(',')}}`;
}

function olderParams(text: string, at: Span): string {
  const parts = members(text, at).flatMap((m) => {
    if (m.name === 'requestState' || m.name === 'inputResponses') return [];
    if (m.name !== '_meta' || text[m.value.from] !== '{') return [text.slice(m.from, m.to)];
    const own = members(text, m.value).filter((k) => !ofEnvelope.has(k.name));
    return own.length === 0 ? [] : [`"_meta":{${own.map((k) => text.slice(k.from, k.to)).join(',')}}`];
  });
  return `{${parts.join(',')}}`;
}

/** More of a request of the stateless revision: what a client answers to questions, and what the server gave it to carry. */
export type Retry = { inputResponses: Params; requestState: string | undefined };

/** A request of an older revision as the stateless one has it: every byte as it came, and in its `_meta` what the client said in its greeting. */
export function asModern(text: string, greeting: Greeting, level: string | undefined, retry?: Retry): string {
  const message = whole(text);
  const params = member(text, message, 'params');
  const said = {
    [envelope.version]: MODERN,
    [envelope.capabilities]: greeting.capabilities,
    ...(greeting.info ? { [envelope.info]: greeting.info } : {}),
    ...(level === undefined ? {} : { [envelope.level]: level }),
  };
  const inParams = params ? members(text, params) : [];
  const meta = inParams.find((m) => m.name === '_meta')?.value;
  // What a client puts under these names itself is not its greeting.
  const own = meta && text[meta.from] === '{' ? members(text, meta).filter((k) => !ofEnvelope.has(k.name)) : [];
  const parts = inParams
    .filter((m) => m.name !== '_meta' && m.name !== 'requestState' && m.name !== 'inputResponses')
    .map((m) => text.slice(m.from, m.to));
  parts.push(`"_meta":{${[...own.map((k) => text.slice(k.from, k.to)), JSON.stringify(said).slice(1, -1)].join(',')}}`);
  if (retry) {
    parts.push(`"inputResponses":${JSON.stringify(retry.inputResponses)}`);
    if (retry.requestState !== undefined) parts.push(`"requestState":${JSON.stringify(retry.requestState)}`);
  }
  const others = members(text, message)
    .filter((m) => m.name !== 'params')
    .map((m) => text.slice(m.from, m.to));
  return `{${[...others, `"params":{${parts.join(',')}}`].join(',')}}`;
}

/** Methods whose results say how long they may be remembered (server/utilities/caching). */
const cacheable = /^(server\/discover|(tools|prompts|resources|resources\/templates)\/list|resources\/read)$/;

/** An answer of an older server as the stateless revision has it, under the id that the client gave. `text` has been parsed strictly. */
export function modernAnswer(text: string, id: RpcId, method: string): string {
  const message = whole(text);
  const result = member(text, message, 'result');
  const rest = members(text, message)
    .filter((m) => m.name !== 'id' && m.name !== 'result')
    .map((m) => text.slice(m.from, m.to));
  const parts = [...rest, `"id":${JSON.stringify(id)}`];
  if (result) {
    const has = new Set(text[result.from] === '{' ? members(text, result).map((m) => m.name) : []);
    const add = [
      ...(has.has('resultType') ? [] : ['"resultType":"complete"']),
      // An older server says nothing of it, so nobody remembers it.
      ...(cacheable.test(method) && !has.has('ttlMs') ? ['"ttlMs":0'] : []),
      ...(cacheable.test(method) && !has.has('cacheScope') ? ['"cacheScope":"private"'] : []),
    ];
    const inside = text.slice(result.from + 1, result.to - 1).trim();
    parts.push(
      `"result":${text[result.from] === '{' ? `{${[...add, ...(inside === '' ? [] : [inside])].join(',')}}` : text.slice(result.from, result.to)}`,
    );
  }
  return `{${parts.join(',')}}`;
}

/** The same message under another id. */
export function withId(text: string, id: RpcId): string {
  const at = member(text, whole(text), 'id');
  return at ? text.slice(0, at.from) + JSON.stringify(id) + text.slice(at.to) : text;
}

/** Capabilities of an older server in the words of the stateless revision: what the newer one does not know is left out. */
export function modernCapabilities(older: unknown): Params {
  const from = isParams(older) ? older : {};
  const known = ['experimental', 'logging', 'completions', 'prompts', 'resources', 'tools', 'extensions'];
  return Object.fromEntries(known.flatMap((k) => (isParams(from[k]) ? [[k, from[k]]] : [])));
}

/** An answer that we make ourselves. */
export const resultOf = (id: RpcId, result: object): string => JSON.stringify({ jsonrpc: '2.0', id, result });

/** A JSON text as an object; undefined where it is something else. Throws as `parseJsonText` does. */
export function objectOf(text: string): Params | undefined {
  const value = parseJsonText(text);
  return isParams(value) ? value : undefined;
}
