import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import type { ClientAuthMethod, OAuthFacts } from '#vault/oauth-facts.ts';
import { listen } from '../listening-server.ts';
import type { Fault, SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

/** What a test chooses of a vendor that has nothing particular but what the standards leave open. */
export type PlainOptions = {
  rotation?: OAuthFacts['lifetimes']['rotation'];
  /** Seconds; `null`: the answer does not say, and tokens end after two hours. */
  expiresIn?: number | null;
  refreshExpiresIn?: number;
  clientAuth?: ClientAuthMethod;
  json?: true;
  /** Names itself in `iss` (RFC 9207). */
  iss?: true;
};

/** Who has an account there: one of the organization's, one of another tenant's, a personal one. */
export const plainPeople: Readonly<Record<string, { email: string; tenant: string }>> = {
  ada: { email: 'ada@acme.example', tenant: 'acme' },
  bob: { email: 'bob@acme.example', tenant: 'acme' },
  mallory: { email: 'mallory@other.example', tenant: 'other' },
  pat: { email: 'pat@mail.example', tenant: '' },
};
const knownScopes = new Set(['read', 'write', 'offline', 'me']);

export type PlainVendor = VendorStandIn & {
  /** What the app's certificate or key set proves, for `private_key_jwt`. */
  trustKeys(keys: JSONWebKeySet): void;
  /** Refresh tokens that are still good. */
  live(): number;
  /** The app's secret is this now: what was there before has ended. */
  replaceSecret(secret: string): void;
};

type Grant = {
  account: string;
  scopes: string[];
  access: Map<string, number>;
  refresh: string;
  spent: Set<string>;
  refreshEnds: number;
  ended: boolean;
};

/** RFC 6749, 7009, 7636, 7523, 9207 by the letter, with the choices that vendors make. */
export async function plainVendor(o: PlainOptions = {}): Promise<PlainVendor> {
  const rotation = o.rotation ?? 'same';
  const clientAuth = o.clientAuth ?? 'client_secret_post';
  const redirects = new Set<string>();
  const codes = new Map<string, { grant: Grant; challenge: string; redirect: string; used: boolean }>();
  const grants: Grant[] = [];
  const minted = new Map<string, { ends: number; subject: string }>();
  const seen: SeenRequest[] = [];
  let keys: JSONWebKeySet = { keys: [] };
  let later = 0;
  let secret = 'plain-secret-0001';
  const now = (): number => Date.now() + later * 1000;
  const token = (kind: string): string => `${kind}_${randomBytes(24).toString('base64url')}`;

  const server = await listen((req, res) => void handle(req, res).catch(() => res.destroy()));
  const at = (path: string): string => (path.startsWith('/login') ? 'login' : 'api');

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', server.url);
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const r: SeenRequest = {
      method: req.method ?? '',
      at: at(url.pathname),
      path: url.pathname,
      query: url.searchParams,
      headers: req.headers,
      body: Buffer.concat(parts),
    };
    seen.push(r);
    const fault: Fault | undefined = standIn.fault?.(r);
    if (fault && 'drop' in fault) return void req.socket.destroy();
    if (fault && 'hang' in fault) return;
    if (fault) {
      if (fault.delayMs) await new Promise((done) => setTimeout(done, fault.delayMs));
      // A status of 0 is no fault but a delay.
      if (fault.status !== 0) return answer(res, fault.status, fault.body ?? {}, fault.headers);
    }
    if (url.pathname === '/login/authorize') return authorize(r, res);
    if (url.pathname === '/login/token') return tokens(r, res);
    if (url.pathname === '/login/revoke') return revoke(r, res);
    if (url.pathname === '/api/me') return me(r, res);
    answer(res, 404, { error: 'not_found' });
  }

  function authorize({ query: q }: SeenRequest, res: ServerResponse): void {
    const redirect = q.get('redirect_uri') ?? '';
    if (!redirects.has(redirect) || q.get('client_id') !== standIn.app.clientId)
      return answer(res, 400, { error: 'invalid_request' });
    const back = new URL(redirect);
    back.searchParams.set('state', q.get('state') ?? '');
    if (o.iss) back.searchParams.set('iss', `${server.url}/login`);
    const scopes = (q.get('scope') ?? '').split(' ').filter((s) => s !== '');
    const person = plainPeople[standIn.visitor.account];
    const challenge = q.get('code_challenge') ?? '';
    if (scopes.length === 0 || scopes.some((s) => !knownScopes.has(s))) back.searchParams.set('error', 'invalid_scope');
    else if (q.get('code_challenge_method') !== 'S256' || challenge === '' || q.get('response_type') !== 'code')
      back.searchParams.set('error', 'invalid_request');
    else if (standIn.visitor.answer === 'deny' || !person) back.searchParams.set('error', 'access_denied');
    else {
      const code = token('code');
      codes.set(code, {
        challenge,
        redirect,
        used: false,
        grant: {
          account: standIn.visitor.account,
          scopes: scopes.filter((s) => !standIn.visitor.without?.includes(s)),
          access: new Map(),
          refresh: '',
          spent: new Set(),
          refreshEnds: Infinity,
          ended: false,
        },
      });
      back.searchParams.set('code', code);
    }
    res.writeHead(302, { location: back.href }).end();
  }

  async function tokens(r: SeenRequest, res: ServerResponse): Promise<void> {
    const form = formOf(r);
    if (!form) return answer(res, 400, { error: 'invalid_request' });
    if (!(await proved(r, form))) return answer(res, 401, { error: 'invalid_client' });
    switch (form['grant_type'] ?? '') {
      case 'authorization_code': {
        const found = codes.get(form['code'] ?? '');
        if (found?.used) found.grant.ended = true;
        const verified =
          createHash('sha256')
            .update(form['code_verifier'] ?? '')
            .digest('base64url') === found?.challenge;
        if (!found || found.used || !verified || found.redirect !== form['redirect_uri'])
          return answer(res, 400, { error: 'invalid_grant', error_description: `no such code ${form['code'] ?? ''}` });
        found.used = true;
        grants.push(found.grant);
        return give(res, found.grant, true);
      }
      case 'refresh_token': {
        const given = form['refresh_token'] ?? '';
        const grant = grants.find((g) => g.refresh === given || g.spent.has(given));
        // One that was used already may have been stolen: the whole grant ends.
        if (grant && rotation === 'single_use' && grant.refresh !== given) grant.ended = true;
        if (!grant || grant.ended || grant.refreshEnds <= now())
          return answer(res, 400, { error: 'invalid_grant', error_description: `the token ${given} is not good` });
        return give(res, grant, rotation !== 'same');
      }
      case 'client_credentials': {
        const t = token('org');
        minted.set(t, { ends: now() + 3_600_000, subject: form['subject'] ?? '' });
        return answer(res, 200, { access_token: t, token_type: 'Bearer', expires_in: 3600 });
      }
      default:
        return answer(res, 400, { error: 'unsupported_grant_type' });
    }
  }

  function give(res: ServerResponse, g: Grant, rotate: boolean): void {
    const access = token('at');
    g.access.set(access, now() + (o.expiresIn ?? 7200) * 1000);
    if (rotate) {
      if (g.refresh !== '') g.spent.add(g.refresh);
      g.refresh = token('rt');
      if (o.refreshExpiresIn !== undefined) g.refreshEnds = now() + o.refreshExpiresIn * 1000;
    }
    answer(res, 200, {
      access_token: access,
      token_type: 'bearer',
      ...(o.expiresIn === null ? {} : { expires_in: o.expiresIn ?? 7200 }),
      ...(rotate ? { refresh_token: g.refresh } : {}),
      ...(rotate && o.refreshExpiresIn !== undefined ? { refresh_token_expires_in: o.refreshExpiresIn } : {}),
      scope: g.scopes.join(' '),
    });
  }

  async function revoke(r: SeenRequest, res: ServerResponse): Promise<void> {
    const form = formOf(r);
    if (!form || !(await proved(r, form))) return answer(res, 401, { error: 'invalid_client' });
    const t = form['token'] ?? '';
    // One that was used and is of no more use is unknown, which is no error (RFC 7009 §2.2).
    const good = (g: Grant): boolean =>
      g.refresh === t || g.access.has(t) || (rotation !== 'single_use' && g.spent.has(t));
    // The end of one grant is the end of all that this person gave this app, as at most vendors.
    const whose = new Set(grants.filter(good).map((g) => g.account));
    for (const g of grants) if (whose.has(g.account)) g.ended = true;
    answer(res, 200, {});
  }

  function me(r: SeenRequest, res: ServerResponse): void {
    const t = /^Bearer (.+)$/.exec(String(r.headers['authorization'] ?? ''))?.[1] ?? '';
    const grant = grants.find((g) => !g.ended && (g.access.get(t) ?? 0) > now());
    const own = minted.get(t);
    const account = grant?.account ?? (own && own.ends > now() ? own.subject || 'service' : undefined);
    if (account === undefined) return answer(res, 401, { error: 'invalid_token' });
    const person = plainPeople[account];
    answer(res, 200, { id: `id-${account}`, email: person?.email, tenant: person?.tenant ?? 'acme' });
  }

  const formOf = (r: SeenRequest): Record<string, string> | undefined => {
    const type = String(r.headers['content-type'] ?? '').split(';')[0];
    const json = o.json && r.path === '/login/token';
    if (type !== (json ? 'application/json' : 'application/x-www-form-urlencoded') || r.method !== 'POST')
      return undefined;
    return json
      ? (JSON.parse(r.body.toString()) as Record<string, string>)
      : Object.fromEntries(new URLSearchParams(r.body.toString()));
  };

  async function proved(r: SeenRequest, form: Record<string, string>): Promise<boolean> {
    const { clientId } = standIn.app;
    const authorization = String(r.headers['authorization'] ?? '');
    // An account of the organization comes with its own secret.
    if (form['grant_type'] === 'client_credentials')
      return form['client_id'] === 'service' && form['client_secret'] === 'service-secret-0001';
    switch (clientAuth) {
      case 'none':
        return form['client_id'] === clientId && form['client_secret'] === undefined && authorization === '';
      case 'client_secret_post':
        return form['client_id'] === clientId && form['client_secret'] === secret && authorization === '';
      case 'client_secret_basic':
        return (
          authorization === `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` &&
          form['client_secret'] === undefined
        );
      case 'private_key_jwt': {
        const assertion = form['client_assertion'] ?? '';
        try {
          const header = decodeProtectedHeader(assertion);
          await jwtVerify(assertion, createLocalJWKSet(keys), {
            audience: `${server.url}/login/token`,
            issuer: clientId,
            subject: clientId,
            algorithms: ['PS256', 'RS256'],
          });
          return header['x5t#S256'] === keys.keys.find((k) => k.kid === header.kid)?.['x5t#S256'];
        } catch {
          return false;
        }
      }
    }
  }

  const standIn: PlainVendor = {
    origins: { login: `${server.url}/login`, api: `${server.url}/api` },
    settings: { tenant: 'acme' },
    app: { clientId: 'plain-client', clientSecret: secret },
    registerRedirect: (uri) => void redirects.add(uri),
    accounts: { service_account: { client_id: 'service', client_secret: 'service-secret-0001' } },
    visitor: { account: 'ada', answer: 'allow' },
    advance(seconds) {
      later += seconds;
    },
    endGrants(account) {
      for (const g of grants) if (g.account === account) g.ended = true;
    },
    fault: undefined,
    seen,
    close: () => server.close(),
    trustKeys(set) {
      keys = set;
    },
    live: () => grants.filter((g) => !g.ended).length,
    replaceSecret(next) {
      secret = next;
    },
  };
  return standIn;
}

function answer(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }).end(text);
}
