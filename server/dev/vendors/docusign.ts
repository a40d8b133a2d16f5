// Docusign's sign-in and limits as documented (developers.docusign.com/platform/auth: confidential authorization code grant, JWT grant, consent,
// reference/user-info; platform/resource-limits). The API is in docusign-api.ts. One RSA key pair; refresh tokens are replaced and go on for a while.
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { jwtVerify } from 'jose';
import { docusignApi, saidNo } from './docusign-api.ts';
import { docusignWorld, type DocusignWorld } from './docusign-world.ts';
import { basicOf, bearerOf, formOf, redirect, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type DocusignStandIn = VendorStandIn & {
  world: DocusignWorld;
  /** Requests that the account has left in this hour and in these 30 seconds. */
  left: { hour: number; burst: number };
  /** How often one envelope may be asked for before Docusign minds. Not published; ours is generous. */
  polls: number;
  /** Somebody takes back what the user agreed to: no JWT for this app any more. */
  withdraw(account: string): void;
};

const LOGIN = 'account-d.docusign.com';
const ACCESS_SECONDS = 8 * 3600;
const JWT_ACCESS_SECONDS = 3600;
const REFRESH_SECONDS = 30 * 86_400;
const CODE_SECONDS = 120;
const known = new Set(['signature', 'extended', 'impersonation', 'openid', 'email', 'profile', 'cors']);

type Token = { user: string; scopes: readonly string[]; ends: number };

export async function startDocusign(): Promise<DocusignStandIn> {
  const world = docusignWorld();
  const app = { clientId: randomUUID(), clientSecret: randomUUID() };
  const redirects = new Set<string>();
  const codes = new Map<string, Token & { redirect: string; challenge: string | null; used: boolean }>();
  const tokens = new Map<string, Token>();
  const refreshTokens = new Map<string, Token>();
  const polled = new Map<string, number>();
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // In the older form, as Docusign shows it.
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  let ahead = 0;
  const now = (): number => Math.floor(Date.now() / 1000) + ahead;
  const secret = (): string => randomBytes(48).toString('base64url');
  const userBy = (account: string) => world.users.find((u) => u.account === account);

  const page = (text: string): Said => ({ status: 400, text: `<!doctype html><title>Docusign</title><p>${text}` });

  function authorize(r: SeenRequest): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    if (q.get('client_id') !== app.clientId) return page('The client_id is not valid.');
    if (!redirects.has(to)) return page('The redirect_uri is not registered properly with Docusign.');
    if (q.get('response_type') !== 'code') return page('unsupported_response_type');
    const scopes = (q.get('scope') ?? '').split(' ').filter((s) => s !== '');
    const state = q.get('state');
    if (scopes.length === 0 || scopes.some((s) => !known.has(s)))
      return redirect(to, { error: 'invalid_scope', state });
    if (q.has('code_challenge') && q.get('code_challenge_method') !== 'S256')
      return redirect(to, { error: 'invalid_request', state });
    const user = userBy(standIn.visitor.account);
    if (standIn.visitor.answer === 'deny' || !user)
      return redirect(to, {
        error: 'access_denied',
        error_message: 'The user did not consent to connecting the application.',
        state,
      });
    if (scopes.includes('impersonation')) user.consents.add(app.clientId);
    const code = secret();
    codes.set(code, {
      user: user.account,
      scopes,
      redirect: to,
      challenge: q.get('code_challenge'),
      ends: now() + CODE_SECONDS,
      used: false,
    });
    return redirect(to, { code, state });
  }

  function issue(user: string, scopes: readonly string[]): Said {
    const [access, refresh] = [secret(), secret()];
    tokens.set(access, { user, scopes, ends: now() + ACCESS_SECONDS });
    refreshTokens.set(refresh, { user, scopes, ends: now() + REFRESH_SECONDS });
    return {
      json: {
        access_token: access,
        token_type: 'Bearer',
        refresh_token: refresh,
        expires_in: ACCESS_SECONDS,
        scope: scopes.join(' '),
      },
    };
  }

  const no = (error: string, description?: string): Said => ({
    status: 400,
    json: { error, ...(description === undefined ? {} : { error_description: description }) },
  });

  async function token(r: SeenRequest): Promise<Said> {
    const form = formOf(r);
    if (r.method !== 'POST' || !form) return no('invalid_request');
    if (form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return jwt(form.get('assertion') ?? '');
    const client = basicOf(r);
    if (client?.id !== app.clientId || client.secret !== app.clientSecret) return no('invalid_client');
    if (form.get('grant_type') === 'refresh_token') {
      const held = refreshTokens.get(form.get('refresh_token') ?? '');
      if (!held || held.ends <= now()) return no('invalid_grant', 'expired_or_revoked');
      return issue(held.user, held.scopes);
    }
    if (form.get('grant_type') !== 'authorization_code') return no('unsupported_grant_type');
    const held = codes.get(form.get('code') ?? '');
    if (!held || held.used || held.ends <= now() || held.redirect !== form.get('redirect_uri'))
      return no('invalid_grant');
    held.used = true;
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (held.challenge !== null && held.challenge !== proof) return no('invalid_grant', 'PKCE');
    return issue(held.user, held.scopes);
  }

  async function jwt(assertion: string): Promise<Said> {
    let claims: Record<string, unknown>;
    try {
      ({ payload: claims } = await jwtVerify(assertion, publicKey, {
        algorithms: ['RS256'],
        audience: LOGIN,
        currentDate: new Date(now() * 1000),
      }));
    } catch (e) {
      const code = e instanceof Error && 'code' in e ? e.code : '';
      if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return no('invalid_grant', 'no_valid_keys_or_signatures');
      return no('invalid_grant', code === 'ERR_JWT_EXPIRED' ? 'expired' : 'issuer_not_found');
    }
    if (claims['iss'] !== app.clientId) return no('invalid_grant', 'issuer_not_found');
    const user = world.users.find((u) => u.id === claims['sub'] && u.status === 'Active');
    if (!user) return no('invalid_grant', 'user_not_found');
    const scopes = typeof claims['scope'] === 'string' ? claims['scope'].split(' ') : [];
    if (!scopes.includes('impersonation') || scopes.some((s) => !known.has(s))) return no('invalid_scope');
    if (!user.consents.has(app.clientId)) return no('consent_required');
    const access = secret();
    tokens.set(access, { user: user.account, scopes, ends: now() + JWT_ACCESS_SECONDS });
    return {
      json: { access_token: access, token_type: 'Bearer', expires_in: JWT_ACCESS_SECONDS, scope: scopes.join(' ') },
    };
  }

  const holder = (r: SeenRequest): Token | undefined => {
    const t = tokens.get(bearerOf(r) ?? '');
    return t && t.ends > now() ? t : undefined;
  };

  function userInfo(r: SeenRequest): Said {
    const t = holder(r);
    const user = t && userBy(t.user);
    if (!user) return { status: 401, json: { error: 'internal_server_error', reference_id: randomUUID() } };
    const base = { base_uri: standIn.origins['api'], is_default: true };
    return {
      json: {
        sub: user.id,
        name: user.name,
        email: user.email,
        created: '2024-05-05T10:00:00.000',
        accounts: user.company
          ? [{ account_id: world.accountId, account_name: 'Acme', ...base }]
          : [{ account_id: user.id, account_name: `${user.name} (own)`, ...base }],
      },
    };
  }

  function api(r: SeenRequest): Said {
    const t = holder(r);
    if (!t)
      return saidNo(
        401,
        'AUTHORIZATION_INVALID_TOKEN',
        'The access token provided is expired, revoked or malformed. Authentication required.',
      );
    if (!t.scopes.includes('signature')) return saidNo(401, 'AUTHORIZATION_INVALID_SCOPES');
    const user = userBy(t.user);
    if (!user) return saidNo(401, 'AUTHORIZATION_INVALID_TOKEN');
    const reset = (Math.floor(now() / 3600) + 1) * 3600;
    const headers = {
      date: new Date(now() * 1000).toUTCString(),
      'x-ratelimit-limit': '3000',
      'x-ratelimit-remaining': String(Math.max(0, standIn.left.hour - 1)),
      'x-ratelimit-reset': String(reset),
      'x-burstlimit-limit': '500',
      'x-burstlimit-remaining': String(Math.max(0, standIn.left.burst - 1)),
    };
    if (standIn.left.hour <= 0)
      return {
        ...saidNo(
          400,
          'HOURLY_APIINVOCATION_LIMIT_EXCEEDED',
          'The maximum number of hourly API invocations has been exceeded. The hourly limit is 3000.',
        ),
        headers,
      };
    if (standIn.left.burst <= 0)
      return {
        ...saidNo(
          400,
          'BURST_APIINVOCATION_LIMIT_EXCEEDED',
          'The maximum number of burst API invocations has been exceeded.',
        ),
        headers,
      };
    standIn.left.hour--;
    standIn.left.burst--;
    const [, envelope] = /\/envelopes\/([0-9a-f-]{36})/.exec(r.path) ?? [];
    if (envelope !== undefined && r.method === 'GET') {
      const times = (polled.get(envelope) ?? 0) + 1;
      polled.set(envelope, times);
      if (times > standIn.polls) return { ...saidNo(400, 'HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED'), headers };
    }
    const said = docusignApi(world, user, r, new Date(now() * 1000));
    return { ...said, headers: { ...headers, ...said.headers } };
  }

  const server = await serveVendor(['login', 'api', 'mcp'], (r) => {
    if (r.at === 'login')
      switch (r.path) {
        case '/oauth/auth':
          return authorize(r);
        case '/oauth/token':
          return token(r);
        case '/oauth/userinfo':
          return userInfo(r);
      }
    if (r.at === 'api' && r.path.startsWith('/restapi/v2.1/accounts/')) return api(r);
    return { status: 404, text: 'nothing here' };
  });
  // The administrator of the Docusign organization has agreed for all users of its domain.
  for (const u of world.users) if (u.company) u.consents.add(app.clientId);
  const standIn: DocusignStandIn = Object.assign(server, {
    world,
    settings: { account_id: world.accountId, site: 'demo.docusign.net', login: LOGIN },
    app,
    registerRedirect: (uri: string) => void redirects.add(uri),
    accounts: {
      jwt_grant: { integration_key: app.clientId, user_id: userBy('robot')?.id, private_key: pem },
    },
    visitor: { account: 'ada', answer: 'allow' as const },
    left: { hour: 3000, burst: 500 },
    polls: 100,
    advance(seconds: number) {
      ahead += seconds;
      Object.assign(standIn.left, { hour: 3000, burst: 500 });
      polled.clear();
    },
    endGrants(account: string) {
      for (const kept of [tokens, refreshTokens])
        for (const [value, t] of kept) if (t.user === account) kept.delete(value);
    },
    withdraw(account: string) {
      userBy(account)?.consents.delete(app.clientId);
    },
  });
  return standIn;
}
