// What all parts of Graph v1.0 have in common, as documented (learn.microsoft.com/graph: errors, query-parameters, paging, permissions-reference).
import { randomUUID } from 'node:crypto';
import type { MsToken } from './microsoft-login.ts';
import { TENANT, type MsUser, type MsWorld } from './microsoft-world.ts';
import { header, type Said } from './vendor-server.ts';
import type { SeenRequest } from './vendor-stand-in.ts';

/** Thrown by a part of the stand-in: an answer in Graph's shape. */
export class GraphSays extends Error {
  readonly said: Said;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    const id = randomUUID();
    this.said = {
      status,
      headers: { 'request-id': id, 'client-request-id': id, ...headers },
      json: {
        error: {
          code,
          message,
          innerError: { date: new Date().toISOString(), 'request-id': id, 'client-request-id': id },
        },
      },
    };
  }
}

export type GraphCall = {
  r: SeenRequest;
  /** Path after `/v1.0`, as it was sent. */
  path: string;
  token: MsToken;
  world: MsWorld;
  api: string;
  now: () => number;
};

/** Refuses unless the token has one of these. */
export function need(c: GraphCall, delegated: readonly string[], app: readonly string[], code = 'accessDenied'): void {
  const has =
    c.token.kind === 'person'
      ? delegated.some((s) => c.token.kind === 'person' && c.token.scopes.has(s))
      : app.some((s) => c.token.kind === 'app' && c.token.app.roles.has(s));
  if (!has) throw new GraphSays(403, code, 'Access denied. Check credentials and try again.');
}

/** `/me` or `/users/{id or address}`. For a person other mailboxes and drives are closed. */
export function userOf(c: GraphCall, who: string, code = 'accessDenied'): MsUser {
  const { token } = c;
  if (who === 'me') {
    if (token.kind === 'app')
      throw new GraphSays(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
    return token.user;
  }
  const name = decodeURIComponent(who).toLowerCase();
  const user = c.world.users.find((u) => u.tenant === TENANT && (u.upn.toLowerCase() === name || u.oid === name));
  if (!user)
    throw new GraphSays(
      404,
      'Request_ResourceNotFound',
      `Resource '${name}' does not exist or one of its queried reference-property objects are not present.`,
    );
  if (token.kind === 'person' && token.user.oid !== user.oid)
    throw new GraphSays(403, code, 'Access is denied. Check credentials and try again.');
  return user;
}

/** `$select`: what was asked for and no more; a name that there is not is refused. */
export function picked(
  c: GraphCall,
  whole: Record<string, unknown>,
  fields: readonly string[],
): Record<string, unknown> {
  const select = c.r.query
    .get('$select')
    ?.split(',')
    .map((s) => s.trim());
  const wrong = select?.find((s) => !fields.includes(s));
  if (wrong !== undefined)
    throw new GraphSays(400, 'BadRequest', `Could not find a property named '${wrong}' on type 'microsoft.graph'.`);
  return Object.fromEntries(
    Object.entries(whole).filter(([k, v]) => v !== undefined && (k.startsWith('@') || !select || select.includes(k))),
  );
}

/** A page of a list and where it goes on, by an opaque mark or by `$skip`. */
export function paged<T>(
  c: GraphCall,
  all: readonly T[],
  o: { by: 'token' | 'skip'; top: number; max: number },
): { page: T[]; next?: string } {
  const top = Number(c.r.query.get('$top') ?? o.top);
  if (!Number.isInteger(top) || top < 1 || top > 999) throw new GraphSays(400, 'invalidRequest', 'Invalid $top.');
  const mark = c.r.query.get('$skiptoken');
  let from = 0;
  if (mark !== null) {
    const [, n] = /^s!(\d+)$/.exec(Buffer.from(mark, 'base64').toString()) ?? [];
    if (o.by !== 'token' || n === undefined) throw new GraphSays(400, 'invalidRequest', 'The skiptoken is not valid.');
    from = Number(n);
  } else if (c.r.query.get('$skip') !== null) {
    if (o.by !== 'skip')
      throw new GraphSays(
        400,
        'invalidRequest',
        '$skip is not supported on this API. Only URLs returned by the API can be used to page.',
      );
    from = Number(c.r.query.get('$skip'));
  }
  const size = Math.min(top, o.max, c.world.pageSize);
  const page = all.slice(from, from + size);
  if (from + size >= all.length) return { page };
  const url = new URL(`${c.api}/v1.0${c.path}`);
  for (const [k, v] of c.r.query) if (k !== '$skiptoken' && k !== '$skip') url.searchParams.set(k, v);
  if (o.by === 'skip') url.searchParams.set('$skip', String(from + size));
  else url.searchParams.set('$skiptoken', Buffer.from(`s!${from + size}`).toString('base64'));
  return { page, next: url.href };
}

export const list = (value: readonly unknown[], next?: string): Said => ({
  json: {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata',
    ...(next === undefined ? {} : { '@odata.nextLink': next }),
    value,
  },
});

/** A body of JSON, as Graph insists on it. */
export function jsonOf(c: GraphCall): Record<string, unknown> {
  if (!/^application\/json/i.test(header(c.r, 'content-type') ?? ''))
    throw new GraphSays(415, 'UnsupportedMediaType', 'Content-Type must be application/json.');
  try {
    const v: unknown = JSON.parse(c.r.body.toString('utf8'));
    if (typeof v === 'object' && v !== null && !Array.isArray(v)) return { ...v };
  } catch {
    // Said below.
  }
  throw new GraphSays(400, 'BadRequest', 'Unable to read JSON request payload.');
}
