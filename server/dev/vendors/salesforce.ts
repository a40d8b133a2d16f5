// Salesforce's sign-in as documented (Salesforce Help: OAuth 2.0 Web Server Flow, Refresh Token Flow, JWT Bearer Flow, Client Credentials Flow,
// Revoke OAuth Tokens, OAuth 2.0 Authorization Errors): no `expires_in`, sessions of two hours, refresh tokens that rotate only where the app
// says so. All of it is below My Domain.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { decodeJwt, jwtVerify } from 'jose';
import { answerApi, type Pages } from './salesforce-api.ts';
import { salesforceWorld, type SalesforceUser, type SalesforceWorld } from './salesforce-world.ts';
import { basicOf, bearerOf, formOf, redirect, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type SalesforceStandIn = VendorStandIn & {
  world: SalesforceWorld;
  /** Whether the app rotates refresh tokens. */
  rotation: boolean;
  /** Users whom an administrator has approved for the app; for assertions. */
  approved: Set<string>;
};

const SESSION_SECONDS = 2 * 3600;
const CODE_SECONDS = 900;
const known = new Set(['api', 'refresh_token', 'offline_access', 'id', 'openid', 'mcp_api']);
const myDomain = 'acme.my.salesforce.com';

export async function startSalesforce(): Promise<SalesforceStandIn> {
  const world = salesforceWorld();
  const app = {
    clientId: `3MVG9${randomBytes(20).toString('hex')}`,
    clientSecret: randomBytes(32).toString('hex').toUpperCase(),
  };
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const redirects = new Set<string>();
  const codes = new Map<
    string,
    { user: SalesforceUser; scopes: string; redirect: string; challenge: string; ends: number; used: boolean }
  >();
  const sessions = new Map<string, { user: SalesforceUser; ends: number; refresh?: string }>();
  const refreshTokens = new Map<string, { user: SalesforceUser; scopes: string }>();
  const pages: Pages = new Map();
  let ahead = 0;
  const now = (): number => Math.floor(Date.now() / 1000) + ahead;
  const no = (error: string, error_description: string, status = 400): Said => ({
    status,
    json: { error, error_description },
  });

  function session(user: SalesforceUser, scopes: string, refresh?: string): Record<string, string> {
    const token = `${user.organization.slice(0, 15)}!${randomBytes(30).toString('base64url')}`;
    sessions.set(token, { user, ends: now() + SESSION_SECONDS, ...(refresh === undefined ? {} : { refresh }) });
    return {
      access_token: token,
      signature: randomBytes(32).toString('base64'),
      scope: scopes,
      instance_url: server.origins['api'] ?? '',
      id: `https://login.salesforce.com/id/${user.organization}/${user.id}`,
      token_type: 'Bearer',
      issued_at: String(now() * 1000),
    };
  }

  function authorize(r: SeenRequest): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    const state = q.get('state');
    if (q.get('client_id') !== app.clientId)
      return { status: 400, text: 'error=invalid_client_id&error_description=client%20identifier%20invalid' };
    if (!redirects.has(to))
      return {
        status: 400,
        text: 'error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration',
      };
    if (q.get('response_type') !== 'code') return redirect(to, { error: 'unsupported_response_type', state });
    if (q.get('code_challenge_method') !== 'S256' || !q.get('code_challenge'))
      return redirect(to, { error: 'invalid_request', error_description: 'missing required code challenge', state });
    const scopes = (q.get('scope') ?? '').split(' ').filter((s) => s !== '');
    if (scopes.some((s) => !known.has(s)))
      return redirect(to, { error: 'invalid_scope', error_description: 'the requested scope is not allowed', state });
    if (standIn.visitor.answer === 'deny')
      return redirect(to, { error: 'access_denied', error_description: 'end-user denied authorization', state });
    const user = world.users.find((u) => u.account === standIn.visitor.account && u.active);
    if (!user) return { status: 200, text: 'Please check your username and password.' };
    const code = `aPrx${randomBytes(20).toString('base64url')}`;
    codes.set(code, {
      user,
      scopes: scopes.join(' '),
      redirect: to,
      challenge: q.get('code_challenge') ?? '',
      ends: now() + CODE_SECONDS,
      used: false,
    });
    return redirect(to, { code, state });
  }

  async function token(r: SeenRequest): Promise<Said> {
    const form = formOf(r);
    if (r.method !== 'POST' || !form) return no('unsupported_grant_type', 'grant type not supported');
    const grant = form.get('grant_type');
    if (grant === 'urn:ietf:params:oauth:grant-type:jwt-bearer') return assertion(form.get('assertion') ?? '');
    const client = basicOf(r) ?? { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
    if (client.id !== app.clientId) return no('invalid_client_id', 'client identifier invalid');
    if (client.secret !== app.clientSecret) return no('invalid_client', 'invalid client credentials');
    if (grant === 'client_credentials') {
      const user = world.users.find((u) => u.account === 'gatehouse');
      return user ? { json: session(user, 'api') } : no('invalid_grant', 'no client credentials user enabled');
    }
    if (grant === 'refresh_token') {
      const given = form.get('refresh_token') ?? '';
      const held = refreshTokens.get(given);
      if (!held) return no('invalid_grant', 'expired access/refresh token');
      if (!held.user.active) return no('inactive_user', 'user is inactive');
      if (!standIn.rotation) return { json: session(held.user, held.scopes, given) };
      refreshTokens.delete(given);
      const next = `5Aep8${randomBytes(40).toString('base64url')}`;
      refreshTokens.set(next, held);
      return { json: { ...session(held.user, held.scopes, next), refresh_token: next } };
    }
    if (grant !== 'authorization_code') return no('unsupported_grant_type', 'grant type not supported');
    const code = codes.get(form.get('code') ?? '');
    if (!code || code.used || code.ends < now())
      return no('invalid_grant', code ? 'expired authorization code' : 'invalid authorization code');
    if (form.get('redirect_uri') !== code.redirect)
      return no('redirect_uri_mismatch', 'redirect_uri must match configuration');
    if (
      createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url') !== code.challenge
    )
      return no('invalid_grant', 'invalid code verifier');
    code.used = true;
    if (!code.scopes.split(' ').includes('refresh_token')) return { json: session(code.user, code.scopes) };
    const refresh = `5Aep8${randomBytes(40).toString('base64url')}`;
    refreshTokens.set(refresh, { user: code.user, scopes: code.scopes });
    return { json: { ...session(code.user, code.scopes, refresh), refresh_token: refresh } };
  }

  async function assertion(jwt: string): Promise<Said> {
    const machine = Math.floor(Date.now() / 1000);
    // Whoever made it may or may not have gone on in time as we have: 3 minutes of one of the two clocks, and a minute for their difference.
    const clock = [machine, now()].find((at) => {
      const exp = decodedExpiry(jwt);
      return exp > at && exp <= at + 240;
    });
    if (clock === undefined) return no('invalid_grant', 'token validity expired');
    const read = await jwtVerify(jwt, key.publicKey, {
      algorithms: ['RS256'],
      currentDate: new Date(clock * 1000),
    }).catch(() => undefined);
    if (!read) return no('invalid_grant', 'invalid assertion');
    const { iss, sub, aud } = read.payload;
    if (iss !== app.clientId) return no('invalid_client_id', 'client identifier invalid');
    if (aud !== `https://${myDomain}` && aud !== 'https://login.salesforce.com')
      return no('invalid_grant', 'audience is invalid');
    const user = world.users.find((u) => u.username === sub);
    if (!user || user.organization !== world.organization)
      return no('invalid_grant', "user hasn't approved this consumer");
    if (!user.active) return no('inactive_user', 'user is inactive');
    if (!standIn.approved.has(user.account)) return no('invalid_grant', "user hasn't approved this consumer");
    return { json: session(user, 'api') };
  }

  function revoke(r: SeenRequest): Said {
    const given = formOf(r)?.get('token') ?? r.query.get('token') ?? '';
    const held = sessions.get(given);
    const refresh = refreshTokens.has(given) ? given : held?.refresh;
    if (!held && refresh === undefined) return no('invalid_token', 'invalid token');
    sessions.delete(given);
    // Ending a refresh token ends the sessions that came from it.
    if (refresh === given) {
      refreshTokens.delete(given);
      for (const [t, s] of sessions) if (s.refresh === given) sessions.delete(t);
    }
    return { status: 200 };
  }

  const server = await serveVendor(['api', 'mcp'], (r) => {
    if (r.at === 'mcp') return { status: 404, json: [{ errorCode: 'NOT_FOUND', message: 'nothing here' }] };
    if (r.path === '/services/oauth2/authorize') return authorize(r);
    if (r.path === '/services/oauth2/token') return token(r);
    if (r.path === '/services/oauth2/revoke') return revoke(r);
    const held = sessions.get(bearerOf(r) ?? '');
    if (!held || held.ends <= now() || !held.user.active)
      return { status: 401, json: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }] };
    return answerApi(world, pages, held.user, r);
  });

  const standIn: SalesforceStandIn = Object.assign(server, {
    world,
    rotation: false,
    approved: new Set(['ada', 'grace', 'gatehouse', 'twin']),
    app,
    settings: {
      my_domain: myDomain,
      organization_id: world.organization,
      objects: ['Account', 'Contact', 'Opportunity'],
      writable: ['Account', 'Opportunity'],
      deletable: ['Account'],
      reports: ['00O000000000001'],
    },
    registerRedirect: (uri: string) => void redirects.add(uri),
    accounts: {
      jwt_bearer: {
        consumer_key: app.clientId,
        username: 'gatehouse@acme.example',
        private_key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
      client_credentials: { consumer_key: app.clientId, consumer_secret: app.clientSecret },
    },
    visitor: { account: 'ada', answer: 'allow' as const },
    advance(by: number) {
      ahead += by;
    },
    endGrants(account: string) {
      for (const [t, s] of sessions) if (s.user.account === account) sessions.delete(t);
      for (const [t, s] of refreshTokens) if (s.user.account === account) refreshTokens.delete(t);
    },
  });
  return standIn;
}

function decodedExpiry(jwt: string): number {
  try {
    return decodeJwt(jwt).exp ?? 0;
  } catch {
    return 0;
  }
}
