import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { Ctx } from './ctx.ts';
import { newId, parseId } from './id.ts';
import { parseJson } from './json.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import type { Log } from './log.ts';
import type { Permission } from './permission.ts';
import { asProblem, Problem } from './problem.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Input<P, Q, B> = { params: P; query: Q; body: B; headers: Headers };

type Common<P, Q, B> = {
  /** `room.verb_noun`; becomes the OpenAPI operationId and the client's function name. */
  id: string;
  /** Method and path below the door's prefix; `:name` marks a parameter. */
  at: `${Method} /${string}`;
  can: Permission;
  /** One sentence for the reference. */
  says: string;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  body?: z.ZodType<B>;
  /** A GET that shows content, exports or the log: it leaves an event too (walls/audited.test.ts). */
  discloses?: true;
  /** Extra media types that a body may come as; JSON always may. */
  accepts?: readonly string[];
  /** Largest body in bytes, where it is not MAX_BODY_BYTES. */
  maxBody?: number;
  /** The answer lasts, and asks the gate again while it does. To be asked so is no use of a session: a page left open must not keep it alive. */
  lasts?: true;
};

/** Asks the gate once more whether this request may still be served. Throws the Problem that says why not. */
export type Again = () => Promise<Ctx>;

/** One declaration gives route, parsing, permission, OpenAPI and the walls' coverage. */
export type Operation = Omit<Common<unknown, unknown, unknown>, 'params' | 'query' | 'body'> & {
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | undefined;
  reply: z.ZodType | undefined;
  /** HTTP status of success. */
  status: 200 | 201 | 202 | 204;
  respond(ctx: Ctx, c: Context, input: Input<unknown, unknown, unknown>, again: Again): Promise<Response>;
};

const none = z.strictObject({});
const anyQuery = z.looseObject({});

/** An operation that answers with JSON of the declared shape. */
export function operation<R, P = Record<string, never>, Q = Record<string, unknown>, B = undefined>(
  spec: Common<P, Q, B> & {
    reply: z.ZodType<R>;
    status?: 200 | 201 | 202 | 204;
    handle(ctx: Ctx, input: Input<P, Q, B>): Promise<R>;
    /** Headers of a successful answer, e.g. Location. */
    headers?(value: R, ctx: Ctx): Record<string, string>;
    /** Media type of the answer; application/json by default. */
    type?: string;
  },
): Operation {
  const { handle, headers, type = 'application/json', status = 200, ...common } = spec;
  return {
    ...common,
    params: spec.params ?? none,
    query: spec.query ?? anyQuery,
    body: spec.body,
    status,
    async respond(ctx, c, input) {
      const value = await handle(ctx, input as Input<P, Q, B>);
      const extra = headers?.(value, ctx) ?? {};
      if (status === 204) return c.body(null, 204, extra);
      // The reply is parsed against its own declaration, so nothing undeclared leaves the house.
      return c.body(JSON.stringify(spec.reply.parse(value)), status, {
        'content-type': type,
        'cache-control': 'no-store',
        ...extra,
      });
    },
  };
}

/** An operation that answers with a page, a redirect or a stream. */
export function page<P = Record<string, never>, Q = Record<string, unknown>, B = undefined>(
  spec: Common<P, Q, B> & { handle(ctx: Ctx, input: Input<P, Q, B>, c: Context, again: Again): Promise<Response> },
): Operation {
  const { handle, ...common } = spec;
  return {
    ...common,
    params: spec.params ?? none,
    query: spec.query ?? anyQuery,
    body: spec.body,
    reply: undefined,
    status: 200,
    respond: (ctx, c, input, again) => handle(ctx, input as Input<P, Q, B>, c, again),
  };
}

/** Who are you, and may you? Runs before anything of the request is parsed. Throws a Problem to refuse. */
export type Gate = (c: Context, op: Operation, request: string) => Promise<Ctx>;
/** How a door says no. */
export type Dialect = (c: Context, p: Problem, request: string) => Response;

/** A front door: what stands in `server/doors.ts`. */
export type Door = { prefix: string; gate: Gate; dialect: Dialect; operations: readonly Operation[] };

/** A union says of itself only that nothing fits. What helps is what its closest member says: the one with which least is wrong. */
const nearest = (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  issues.flatMap((i) => {
    const [first, ...more] = i.code === 'invalid_union' ? i.errors : [];
    if (!first) return [i];
    const closest = more.reduce((best, e) => (wrongs(e) < wrongs(best) ? e : best), first);
    return nearest(closest.map((inner) => ({ ...inner, path: [...i.path, ...inner.path] })));
  });

/** Each key that is not known is one thing that is wrong. */
const wrongs = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((n, i) => n + (i.code === 'unrecognized_keys' ? i.keys.length : 1), 0);

function parsed<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  const r = schema.safeParse(value);
  if (r.success) return r.data;
  const issues = nearest(r.error.issues)
    .slice(0, 8)
    .map((i) => ({ at: [where, ...i.path.map(String)].join('.'), says: i.message }));
  throw new Problem('invalid', 'http/invalid', {
    says: issues.map((i) => `${i.at}: ${i.says}`).join('; '),
    fix: 'compare the request with /api/openapi.json',
    more: { issues },
  });
}

async function bodyOf(c: Context, op: Operation): Promise<unknown> {
  if (!op.body) return undefined;
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const form = type === 'application/x-www-form-urlencoded' && op.accepts?.includes(type);
  if (!form && type !== 'application/json' && !op.accepts?.includes(type))
    throw new Problem('unsupported', 'http/media-type', {
      says: type
        ? `the body is ${type}; ${['application/json', ...(op.accepts ?? [])].join(' or ')} was expected`
        : 'the body has no Content-Type; application/json was expected',
      fix: 'set Content-Type',
    });
  const bytes = await readBody(c.req.raw, op.maxBody ?? MAX_BODY_BYTES);
  if (!form) return parseJson(bytes);
  const fields: Record<string, string> = {};
  for (const [k, v] of new URLSearchParams(new TextDecoder().decode(bytes))) {
    if (Object.hasOwn(fields, k))
      throw new Problem('invalid', 'http/form-duplicate', { says: `the field ${k} is there twice` });
    fields[k] = v;
  }
  return fields;
}

/** Reads a body up to a limit; the rest is never kept in memory. */
export async function readBody(req: Request, limit: number): Promise<Uint8Array> {
  const refuse = (): Problem =>
    new Problem('too_large', 'http/too-large', {
      says: `the body is larger than ${limit} bytes`,
      fix: 'send less at once',
    });
  if (Number(req.headers.get('content-length') ?? 0) > limit) throw refuse();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of req.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw refuse();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The path as the log may have it: a token in it opens something (`:token` of a link); an id does not. */
function loggedPath(c: Context): string {
  const token = c.req.param('token');
  if (token === undefined || parseId(token.slice(0, 3), token)) return c.req.path;
  const plain = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return token;
    }
  };
  return c.req.path
    .split('/')
    .map((part) => (plain(part) === token ? ':token' : part))
    .join('/');
}

/** Mounts a door: gate, parse, handle, reply; one loop for every front door of the server. */
export function mount(app: Hono, door: Door, log: Log): void {
  const byPath = new Map<string, Operation[]>();
  for (const op of door.operations) {
    const [method = 'GET', path = '/'] = op.at.split(' ');
    const full = door.prefix + (path === '/' ? '' : path) || '/';
    byPath.set(full, [...(byPath.get(full) ?? []), op]);
    app.on(method, full, async (c) => {
      const request = newId('req');
      try {
        const ctx = await door.gate(c, op, request);
        const query: Record<string, string> = {};
        for (const [k, v] of new URL(c.req.url).searchParams) {
          if (Object.hasOwn(query, k))
            throw new Problem('invalid', 'http/query-duplicate', { says: `the query parameter ${k} is there twice` });
          query[k] = v;
        }
        const input = {
          params: parsed('path', op.params, c.req.param()),
          query: parsed('query', op.query, query),
          body: op.body ? parsed('body', op.body, await bodyOf(c, op)) : undefined,
          headers: c.req.raw.headers,
        };
        const response = await op.respond(ctx, c, input, () => door.gate(c, op, request));
        response.headers.set('request-id', request);
        return response;
      } catch (e) {
        return answer(c, e, request);
      }
    });
  }
  // A known path with another method says which methods it knows (RFC 9110 §15.5.6).
  for (const [path, ops] of byPath) {
    const methods = ops.map((o) => o.at.split(' ')[0]).join(', ');
    app.all(path, (c) => {
      const says = `${c.req.method} is not possible here; ${methods} ${ops.length > 1 ? 'are' : 'is'}`;
      const response = answer(c, new Problem('method', 'http/method', { says }), newId('req'));
      response.headers.set('allow', methods);
      return response;
    });
  }
  const nothing = (c: Context): Response =>
    answer(
      c,
      new Problem('missing', 'http/no-such-path', {
        says: `there is nothing at ${c.req.path}`,
        fix: 'see /api/openapi.json for what there is',
      }),
      newId('req'),
    );
  if (door.prefix !== '') app.all(`${door.prefix}/*`, nothing);

  function answer(c: Context, e: unknown, request: string): Response {
    const p = asProblem(e);
    const fields = {
      request,
      problem: p.code,
      path: loggedPath(c),
      err: p.kind === 'bug' || p.kind === 'unavailable' ? p.cause : undefined,
    };
    if (p.kind === 'bug') log.error(fields, 'a request failed on our side');
    else log.info(fields, 'a request was refused');
    const response = door.dialect(c, p, request);
    response.headers.set('request-id', request);
    return response;
  }
}
