import { member, whole, type Span } from '#kernel/json-span.ts';
import { Problem } from '#kernel/problem.ts';
import { mirrorHeaders } from '../check-headers.ts';
import type { Exchange } from '../exchange.ts';
import { isParams, type Message, type Params } from '../message.ts';
import type { ConnectorView } from '../org-view.ts';
import type { CallMethod } from '../tool-call.ts';
import { splitName, splitUri, toolNamed } from './names.ts';

type Request = Message & { kind: 'request' };

/**
 * A call where all connectors are one, as a call of its connector. INVARIANT (one reading): the name is cut out of the bytes and the connector's own
 * put in its place, every other byte stays, and from here on the call is judged as if it had come to the connector's own address.
 */
export function routeCall(x: Exchange, m: Request, method: CallMethod): { x: Exchange; message: Request } {
  const { connector, path, own } = target(x, m.params, method);
  if (connector.state !== 'on') throw switchedOff(connector);
  const text = (x.body ?? Buffer.alloc(0)).toString('utf8');
  const at = spanOf(text, ['params', ...path]);
  if (!at) throw new Problem('bug', 'gateway/no-name', { says: 'the name of the call is not where it was read' });
  const body = Buffer.from(text.slice(0, at.from) + JSON.stringify(own) + text.slice(at.to));
  const params = withAt(m.params, path, own);
  const message = { ...m, params };
  const known = method === 'tools/call' ? connector.tools.get(own) : undefined;
  const named = x.headers['mcp-name'] !== undefined;
  const headers = {
    ...x.headers,
    ...(named ? { 'mcp-name': mirrorHeaders(m.method, params, x.headers, known)['mcp-name'] } : {}),
  };
  return { x: { ...x, connector, body, message, headers }, message };
}

function target(
  x: Exchange,
  params: Params,
  method: CallMethod,
): { connector: ConnectorView; path: string[]; own: string } {
  const ref = params['ref'];
  const [path, value] =
    method === 'resources/read'
      ? [['uri'], params['uri']]
      : method === 'completion/complete'
        ? isParams(ref) && ref['type'] === 'ref/resource'
          ? [['ref', 'uri'], ref['uri']]
          : [['ref', 'name'], isParams(ref) ? ref['name'] : undefined]
        : [['name'], params['name']];
  if (typeof value !== 'string')
    throw new Problem('invalid', 'gateway/params', {
      says: `params.${path.join('.')} is missing`,
      fix: 'send it as a string',
    });
  const found = path.at(-1) === 'uri' ? splitUri(x.view, value) : splitName(x.view, value);
  if (!found) throw nothingNamed(method, value);
  const own = method === 'tools/call' ? toolNamed(found.connector, found.own, value) : found.own;
  return { connector: found.connector, path, own };
}

const nothingNamed = (method: CallMethod, value: string): Problem =>
  new Problem('invalid', 'gateway/unknown-tool', {
    says: `${JSON.stringify(value.slice(0, 100))} begins with no connector of this organization`,
    fix:
      method === 'resources/read'
        ? 'use the address as resources/list gives it here: gatehouse+{connector}:{address}'
        : 'use the name as the list gives it here: {connector}__{name}',
  });

const switchedOff = (c: ConnectorView): Problem =>
  new Problem('missing', 'gateway/no-connector', {
    says: `the connector ${c.slug} is switched off`,
    fix: 'ask an administrator which connectors there are',
  });

function spanOf(text: string, path: readonly string[]): Span | undefined {
  let at: Span | undefined = whole(text);
  for (const key of path) at = at && text[at.from] === '{' ? member(text, at, key) : undefined;
  return at;
}

function withAt(params: Params, [key = '', ...rest]: readonly string[], value: string): Params {
  const inner = params[key];
  return { ...params, [key]: rest.length === 0 ? value : withAt(isParams(inner) ? inner : {}, rest, value) };
}
