import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type Provider from 'oidc-provider';
import { clientAddress } from '#kernel/client-address.ts';
import type { World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import { heading, html, mark, render, sentence } from '#kernel/html.ts';
import { newId } from '#kernel/id.ts';
import { asProblem, Problem, status } from '#kernel/problem.ts';
import { makeUnits } from './adapter-transaction.ts';
import { clientDocuments } from './client-document.ts';
import { answerConsent, CONSENT_PATH, showConsent, type CurrentUser } from './consent.ts';
import { showPage } from './device-pages.ts';
import { openSigningKeys } from './keys.ts';
import { makeProvider } from './provider.ts';
import { refusalPage } from './refusal-page.ts';
import { PRM_PATH, protectedResourceMetadata } from './resource.ts';
import { tellWhatHappened } from './tell.ts';

export type AuthorizationDeps = {
  /** Connected with the role `gatehouse_oauth`. */
  oauth: Db;
  currentUser: CurrentUser;
  /** RFC 7591 dynamic client registration. */
  dcr: boolean;
  /** Hosts on private addresses that may publish client metadata documents; for development and tests. */
  allowPrivate?: readonly string[];
};

export type AuthorizationHandler = {
  /** Whether a path is this handler's. */
  handles(path: string): boolean;
  /** Answers on the raw request, before anything has read its body. */
  handle(req: IncomingMessage, res: ServerResponse): void;
};

const METADATA = new Set(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);
/** Registrations per node and minute; each is a row that strangers make. */
export const REGISTRATIONS_PER_MINUTE = 60;
/** How often a node looks whether the signing keys have moved on. Far less than the time for which a key is known before it signs. */
const KEYS_LOOK_MS = 60_000;

/** Our OAuth 2.1 authorization server on node's own request and response: `/oauth/*`, `/consent/*` and the well-known documents. */
export async function authorizationHandler(world: World, deps: AuthorizationDeps): Promise<AuthorizationHandler> {
  const units = makeUnits(deps.oauth, () => world.now());
  const documents = clientDocuments({
    egress: world.egress,
    oauth: deps.oauth,
    log: world.log,
    now: () => world.now(),
    allowPrivate: deps.allowPrivate,
  });
  const { host, protocol } = new URL(world.origin);

  const build = async (known?: {
    version: string;
  }): Promise<
    | { provider: Provider; callback: (req: IncomingMessage, res: ServerResponse) => unknown; version: string }
    | undefined
  > => {
    const keys = await openSigningKeys(world, deps.oauth);
    if (keys.version === known?.version) return undefined;
    const provider = makeProvider({ world, units, keys, documents, dcr: deps.dcr });
    // The library adds `oidc` to every context before its own middleware; outside its routes it is not read.
    const ours = async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
      if (forgetsSession(ctx.method, ctx.path)) dropCookie(ctx.req, provider.cookieName('session'));
      ctx.set('x-content-type-options', 'nosniff');
      ctx.set('x-frame-options', 'DENY');
      ctx.set('referrer-policy', 'no-referrer');
      try {
        await units.within(
          async (unit) => {
            await next();
            await tellWhatHappened(ctx, unit);
            if (unit.failed !== undefined) throw unit.failed;
          },
          () => ctx.status < 500,
          newId('req'),
        );
      } catch (e) {
        // Whatever the library has put into the answer was undone: no token, code or cookie of it may leave.
        for (const name of ctx.res.getHeaderNames()) if (!keptHeaders.has(name)) ctx.remove(name);
        const p = asProblem(e);
        world.log.error({ err: e, path: ctx.path }, 'a request to the authorization server was undone');
        const out = {
          error: p.kind === 'unavailable' ? 'temporarily_unavailable' : 'server_error',
          error_description: `${p.says}${p.fix === undefined ? '' : `; ${p.fix}`}`,
        };
        ctx.status = p.kind === 'unavailable' ? 503 : 500;
        ctx.set('cache-control', 'no-store');
        if (ctx.accepts('json', 'html') === 'html') await showPage(ctx, refusalPage(out));
        else ctx.body = out;
      }
      if (ctx.status === 200 && METADATA.has(ctx.path)) ctx.set('cache-control', 'public, max-age=300');
      if (ctx.status === 200 && ctx.path === '/oauth/jwks') ctx.set('cache-control', 'public, max-age=900');
    };
    provider.use(ours as Parameters<typeof provider.use>[0]);
    return { provider, callback: provider.callback(), version: keys.version };
  };

  const first = await build();
  if (!first)
    throw new Problem('bug', 'authorization/no-provider', { says: 'the authorization server could not be set up' });
  let current = first;
  let looked = world.now().getTime();
  const fresh = async (): Promise<typeof current> => {
    const at = world.now().getTime();
    if (at - looked >= KEYS_LOOK_MS) {
      looked = at;
      // A database that is away is no reason to refuse what needs none; the next look is in a minute.
      current =
        (await build(current).catch((err: unknown) => {
          world.log.warn({ err }, 'signing keys could not be looked at');
          return undefined;
        })) ?? current;
    }
    return current;
  };

  let minute = 0;
  let registered = 0;
  const mayRegister = (): boolean => {
    const now = Math.floor(world.now().getTime() / 60_000);
    if (now !== minute) registered = 0;
    minute = now;
    return ++registered <= REGISTRATIONS_PER_MINUTE;
  };

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const path = pathOf(req);
    // INVARIANT (one origin): what the library makes of our own address comes from configuration, never from the request.
    req.headers.host = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    const said = [req.headers['x-forwarded-for'] ?? []].flat().join(',');
    req.headers['x-forwarded-for'] =
      clientAddress(req.socket.remoteAddress, said, world.trustedProxies ?? []) ?? req.socket.remoteAddress ?? '';
    delete req.headers.forwarded;
    if (path.startsWith(PRM_PATH)) return send(res, metadataAnswer(world.origin, req.method ?? 'GET', path));
    const consent = CONSENT_PATH.exec(path)?.[1];
    const { provider, callback } = await fresh();
    if (consent !== undefined) {
      const kit = { world, provider, units, documents, currentUser: deps.currentUser };
      if (req.method === 'GET' || req.method === 'HEAD') return send(res, await showConsent(kit, consent, req, res));
      if (req.method === 'POST') return send(res, await answerConsent(kit, consent, req, res));
      throw new Problem('method', 'authorization/method', { says: 'only GET and POST are possible here' });
    }
    if (path === '/oauth/register' && deps.dcr) {
      // The library has no CORS here, and browser clients register too. Nobody's cookie counts at this endpoint.
      res.setHeader('access-control-allow-origin', '*');
      if (req.method === 'OPTIONS') return send(res, preflight('POST'));
      if (req.method === 'POST' && !mayRegister()) return send(res, tooManyRegistrations());
    }
    if (path.startsWith('/oauth/') || METADATA.has(path)) {
      await callback(req, res);
      return;
    }
    send(res, Response.json({ error: 'not_found' }, { status: 404, headers: { 'access-control-allow-origin': '*' } }));
  };

  return {
    handles: (path) =>
      path.startsWith('/oauth/') ||
      path.startsWith('/consent/') ||
      path.startsWith(PRM_PATH) ||
      [...METADATA].some((m) => path === m || path.startsWith(`${m}/`)),
    handle(req, res) {
      answer(req, res).catch((e: unknown) => {
        const p = asProblem(e);
        if (p.kind === 'bug') world.log.error({ err: e }, 'a request to the authorization server failed');
        else world.log.info({ code: p.code, err: p.cause }, 'a request to the authorization server was refused');
        if (res.headersSent) res.destroy();
        else send(res, problemPage(p));
      });
    },
  };
}

const keptHeaders = new Set([
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'access-control-allow-origin',
  'vary',
]);

const pathOf = (req: IncomingMessage): string => (req.url ?? '/').split('?', 1)[0] ?? '/';

/**
 * Where the library's own session must not count: it would decide who somebody is, and our session does. Without this a second person in
 * one browser ends on a form that signs the first one out.
 */
const forgetsSession = (method: string, path: string): boolean => {
  const p = path.toLowerCase();
  return (
    p === '/oauth/authorize' ||
    p.startsWith('/oauth/authorize/') ||
    (method === 'GET' && /^\/oauth\/device(\/|$)/.test(p))
  );
};

function dropCookie(req: IncomingMessage, name: string): void {
  const kept = (req.headers.cookie ?? '')
    .split(';')
    .map((c) => c.trim())
    .filter((c) => !c.startsWith(`${name}=`) && !c.startsWith(`${name}.sig=`));
  req.headers.cookie = kept.join('; ');
}

const preflight = (methods: string): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version',
      'access-control-max-age': '3600',
    },
  });

/** The protected-resource metadata of RFC 9728 as an answer: 404 as JSON where there is none, so that nobody takes a page for a document. */
export function metadataAnswer(origin: string, method: string, path: string): Response {
  if (method === 'OPTIONS') return preflight('GET');
  const headers = { 'access-control-allow-origin': '*' };
  if (method !== 'GET' && method !== 'HEAD')
    return Response.json(
      { error: 'method_not_allowed' },
      { status: 405, headers: { ...headers, allow: 'GET, HEAD, OPTIONS' } },
    );
  const document = protectedResourceMetadata(origin, path);
  if (!document) return Response.json({ error: 'not_found' }, { status: 404, headers });
  return Response.json(document, { headers: { ...headers, 'cache-control': 'public, max-age=300' } });
}

const tooManyRegistrations = (): Response =>
  Response.json(
    {
      error: 'temporarily_unavailable',
      error_description: 'too many clients register just now; try again in a minute',
    },
    { status: 429, headers: { 'retry-after': '60', 'access-control-allow-origin': '*' } },
  );

const problemPage = (p: Problem): Response =>
  render({
    title: 'Refused',
    status: status[p.kind],
    body: html`${mark.refused}
      <h1>${heading(p.says)}</h1>
      ${p.fix && html`<p>${sentence(p.fix)}</p>`}
      <p class="note"><code>${p.code}</code></p>`,
  });

function send(res: ServerResponse, r: Response): void {
  const set = async (): Promise<void> => {
    const body = Buffer.from(await r.arrayBuffer());
    res.statusCode = r.status;
    for (const [name, value] of r.headers) res.setHeader(name, value);
    if (r.status !== 204) res.setHeader('content-length', body.length);
    res.end(res.req.method === 'HEAD' ? undefined : body);
  };
  set().catch(() => res.destroy());
}
