import { Problem } from '#kernel/problem.ts';
import type { IncomingHttpHeaders } from 'node:http';
import type { CalledTool } from './org-view.ts';
import { isParams, VERSION_META, type Message, type Params } from './message.ts';

/**
 * Headers that repeat the body, for whoever routes by them (MCP 2026-07-28, streamable HTTP). We decide by the body alone; a header that
 * says something else is refused, because whoever stands behind us might believe it.
 */
export function checkHeaders(m: Message, headers: IncomingHttpHeaders): void {
  if (m.kind === 'response' || !m.modern) return;
  const version = headers['mcp-protocol-version'];
  const method = headers['mcp-method'];
  const meta = m.params['_meta'];
  const claimed = isParams(meta) ? meta[VERSION_META] : undefined;
  if (typeof claimed === 'string' && version !== undefined && version !== claimed)
    throw mismatch('MCP-Protocol-Version', String(version), claimed);
  if (method !== undefined && method !== m.method) throw mismatch('Mcp-Method', String(method), m.method);
  if (m.kind !== 'request') return;
  if (version === undefined) throw absent('MCP-Protocol-Version');
  if (method === undefined) throw absent('Mcp-Method');
  const source = nameSource[m.method];
  const name = source === undefined ? undefined : m.params[source];
  const given = headers['mcp-name'];
  if (given === undefined) {
    if (typeof name === 'string') throw absent('Mcp-Name');
    return;
  }
  if (source === undefined) return;
  const decoded = decoded64(String(given).trim());
  if (decoded === undefined) throw notBase64('Mcp-Name');
  if (decoded !== name) throw mismatch('Mcp-Name', decoded, String(name));
}

/** The same for arguments that a tool's reviewed schema wants repeated (`x-mcp-header`). */
export function checkParamHeaders(
  m: Message & { kind: 'request' },
  headers: IncomingHttpHeaders,
  tool: CalledTool,
): void {
  if (!m.modern) return;
  const args = m.params['arguments'];
  for (const [header, path] of tool.paramHeaders) {
    let value: unknown = args;
    for (const key of path) value = isParams(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    const name = `Mcp-Param-${header}`;
    const given = headers[name.toLowerCase()];
    if (given === undefined) throw absent(name);
    const decoded = decoded64(String(given).trim());
    if (decoded === undefined) throw notBase64(name);
    const same =
      typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded)
        ? Number(decoded) === value
        : decoded === String(value);
    if (!same) throw mismatch(name, decoded, String(value));
  }
}

/**
 * The headers for a message from which something was taken out: those that say a part of the body again say what the body says now, and
 * headers of parameters that nobody declared are left out.
 */
export function mirrorHeaders(
  method: string,
  params: Params,
  headers: IncomingHttpHeaders,
  tool: Pick<CalledTool, 'paramHeaders'> | undefined,
): IncomingHttpHeaders {
  const to: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith('mcp-param-')) to[name] = value;
  for (const [header, path] of tool?.paramHeaders ?? []) {
    let value: unknown = params['arguments'];
    for (const key of path) value = isParams(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    const name = `mcp-param-${header.toLowerCase()}`;
    if (
      headers[name] !== undefined &&
      (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    )
      to[name] = encoded64(String(value));
  }
  const source = nameSource[method];
  const named = source === undefined ? undefined : params[source];
  if (headers['mcp-name'] !== undefined && typeof named === 'string') to['mcp-name'] = encoded64(named);
  return to;
}

/** A header's value: as it is where a header can have it, else packed. */
const encoded64 = (value: string): string =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
    ? value
    : `=?base64?${Buffer.from(value).toString('base64')}?=`;

/** Which arguments of a tool are to be repeated in which header; only properties reached by names alone may be. */
export function paramHeadersOf(schema: unknown, path: readonly string[] = []): [string, string[]][] {
  const properties = isParams(schema) ? schema['properties'] : undefined;
  if (!isParams(properties) || path.length > 16) return [];
  return Object.entries(properties).flatMap(([key, p]): [string, string[]][] => {
    const header = isParams(p) ? p['x-mcp-header'] : undefined;
    if (typeof header === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(header))
      return [[header, [...path, key]]];
    return paramHeadersOf(p, [...path, key]);
  });
}

const nameSource: Record<string, string> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** A header's value, unpacked where it is `=?base64?…?=`; undefined where that is not canonical base64 of UTF-8. */
function decoded64(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const packed = value.slice(9, -2);
  const bytes = Buffer.from(packed, 'base64');
  if (bytes.toString('base64') !== packed) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const shown = (s: string): string => JSON.stringify(s.slice(0, 100));
const mismatch = (header: string, found: string, body: string): Problem =>
  new Problem('invalid', 'gateway/header-mismatch', {
    says: `the header ${header} says ${shown(found)} and the body says ${shown(body)}`,
    fix: 'send the same in both; the body is what counts',
  });
const absent = (header: string): Problem =>
  new Problem('invalid', 'gateway/header-mismatch', {
    says: `the header ${header} is missing, which MCP 2026-07-28 requires for this request`,
    fix: 'send it with the value that the body has',
  });
const notBase64 = (header: string): Problem =>
  new Problem('invalid', 'gateway/header-mismatch', {
    says: `the header ${header} begins as base64 and is not canonical base64 of UTF-8`,
    fix: 'encode it again (RFC 4648 §4, with padding)',
  });
