import { isObject, type Json } from './wire.ts';

/** Where a message of the era without sessions names its revision. */
export const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** Headers that a tool wants some of its arguments repeated in (`x-mcp-header`): the header, and the way to the argument. */
export type ParamHeaders = readonly (readonly [header: string, path: readonly string[]])[];

const nameAt = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** What a header cannot carry as it is goes as base64 (MCP 2026-07-28, streamable HTTP). */
const encoded = (value: string): string =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
    ? value
    : `=?base64?${Buffer.from(value).toString('base64')}?=`;

/** The headers that say a part of the message again, for whoever routes by them. */
export function headersOf(m: Json, version: string, params: ReadonlyMap<string, ParamHeaders>): Record<string, string> {
  const { method } = m;
  if (typeof method !== 'string') return { 'mcp-protocol-version': version };
  const said = isObject(m['params']) ? m['params'] : {};
  const at = nameAt.get(method);
  const name = at === undefined ? undefined : said[at];
  const headers: Record<string, string> = { 'mcp-protocol-version': version, 'mcp-method': method };
  if (typeof name !== 'string') return headers;
  headers['mcp-name'] = encoded(name);
  for (const [header, path] of (method === 'tools/call' && params.get(name)) || []) {
    let value: unknown = said['arguments'];
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      headers[`mcp-param-${header.toLowerCase()}`] = encoded(String(value));
  }
  return headers;
}

/** Of each tool in a list: which of its arguments are repeated. */
export function paramHeadersOf(result: Json): [tool: string, ParamHeaders][] {
  const tools = Array.isArray(result['tools']) ? result['tools'] : [];
  return tools
    .flatMap((t: unknown) =>
      isObject(t) && typeof t['name'] === 'string' ? [[t['name'], within(t['inputSchema'], [])] as const] : [],
    )
    .map(([name, headers]) => [name, headers]);
}

function within(schema: unknown, path: readonly string[]): [string, readonly string[]][] {
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {};
  return Object.entries(properties).flatMap(([key, p]) => {
    const header = isObject(p) ? p['x-mcp-header'] : undefined;
    const here = [...path, key];
    return typeof header === 'string' ? [[header, here] as [string, readonly string[]]] : within(p, here);
  });
}
