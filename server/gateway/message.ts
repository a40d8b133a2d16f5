import { parseJson } from '#kernel/json.ts';
import { Problem } from '#kernel/problem.ts';
import { endOfValue, skipSpace } from '#kernel/json-span.ts';

export type RpcId = string | number;
export type Params = Record<string, unknown>;

/** One message of a client, as parsed once. What is forwarded are the bytes that it was parsed from. */
export type Message =
  | { kind: 'request'; id: RpcId; method: string; params: Params; modern: boolean }
  | { kind: 'notification'; method: string; params: Params; modern: boolean }
  /** The answer to something that the upstream asked the client. */
  | { kind: 'response'; answer: unknown; modern: false };

const invalid = (code: string, says: string, fix?: string): Problem => new Problem('invalid', code, { says, fix });

/** Reads a body as exactly one JSON-RPC message (2.0, §4), or refuses it by name. */
export function readMessage(body: Buffer, versionHeader: string | undefined): Message {
  const m = oneValue(body);
  if (Array.isArray(m))
    throw invalid('gateway/batch', 'the body is a list of messages', 'send each message in a request of its own');
  if (!isParams(m) || m['jsonrpc'] !== '2.0')
    throw invalid(
      'gateway/not-json-rpc',
      'the body is not a JSON-RPC 2.0 message',
      'send an object with "jsonrpc": "2.0"',
    );
  const { id, method } = m;
  if (typeof method !== 'string') {
    if (!isId(id) || 'result' in m === 'error' in m)
      throw invalid(
        'gateway/not-json-rpc',
        'the message has neither a method nor an id with either a result or an error',
      );
    return { kind: 'response', answer: m['result'] ?? m['error'], modern: false };
  }
  if (method.length > 200) throw invalid('gateway/not-json-rpc', 'the method is longer than 200 characters');
  const params = m['params'] ?? {};
  if (!isParams(params)) throw invalid('gateway/params', 'params is not an object', 'MCP has params by name only');
  const modern = isModern(params, versionHeader, method);
  if (!('id' in m)) return { kind: 'notification', method, params, modern };
  // 2^53 and beyond: another reader may see another number and match the answer to another request.
  if (!isId(id))
    throw invalid(
      'gateway/id',
      'the id is neither a string nor a whole number that every JSON reader understands alike',
    );
  return { kind: 'request', id, method, params, modern };
}

function oneValue(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (e) {
    if (!(e instanceof Problem) || e.code !== 'http/not-json') throw e;
    const text = body.toString('utf8');
    const first = skipSpace(text, 0);
    const next = '{['.includes(text.charAt(first)) ? skipSpace(text, endOfValue(text, first)) : text.length;
    if (next < text.length && '{['.includes(text.charAt(next)))
      throw new Problem('invalid', 'gateway/two-messages', {
        says: 'the body has more than one message',
        fix: 'send each message in a request of its own',
        because: e,
      });
    throw e;
  }
}

export const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
const MODERN = '2026-07-28';

/** The stateless revision says its version in every request; dates order as text. */
function isModern(params: Params, header: string | undefined, method: string): boolean {
  const meta = params['_meta'];
  const claimed = isParams(meta) ? meta[VERSION_META] : undefined;
  if (typeof claimed === 'string') return claimed >= MODERN;
  return method !== 'initialize' && header !== undefined && /^\d{4}-\d\d-\d\d$/.test(header) && header >= MODERN;
}

export const isParams = (v: unknown): v is Params => typeof v === 'object' && v !== null && !Array.isArray(v);

const isId = (v: unknown): v is RpcId => (typeof v === 'string' && v.length <= 1000) || Number.isSafeInteger(v);
