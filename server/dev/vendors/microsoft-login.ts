// The Microsoft identity platform v2.0 as documented (learn.microsoft.com/entra/identity-platform: v2-oauth2-auth-code-flow,
// v2-oauth2-client-creds-grant-flow, certificate-credentials, reference-error-codes): authorize and token for one tenant. Consent is for a person
// and an app, so a token has every scope that the person ever consented to. One file, because authorize and token share codes and consents.
import { createHash, generateKeyPairSync, randomBytes, randomInt, randomUUID, X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { DOMAIN, TENANT, type MsApp, type MsUser, type MsWorld } from './microsoft-world.ts';
import { basicOf, formOf, redirect, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type MsToken = { ends: number; revoked: boolean } & (
  | { kind: 'person'; user: MsUser; scopes: ReadonlySet<string> }
  | { kind: 'app'; app: MsApp }
);

/** Delegated permissions of Graph that exist here. */
const known = new Set(
  [
    'User.Read Files.Read Files.Read.All Files.ReadWrite Files.ReadWrite.All Sites.Read.All',
    'Sites.ReadWrite.All Mail.Read Mail.ReadBasic Mail.ReadWrite Mail.Send Calendars.Read',
    'Calendars.ReadWrite Application.Read.All',
  ].flatMap((line) => line.split(' ')),
);
const oidc = new Set(['openid', 'profile', 'email', 'offline_access']);

const CODE_SECONDS = 600;
const REFRESH_SECONDS = 90 * 86_400;
const MAX_ASSERTION_SECONDS = 86_400;

export type LoginOptions = {
  world: MsWorld;
  app: MsApp;
  visitor: () => VendorStandIn['visitor'];
  now: () => number;
  origins: () => Readonly<Record<string, string>>;
  /** More lenient than Entra: accounts of other tenants get through, so that it is our own look at the tenant that stops them. */
  lenient: () => boolean;
  /** What Conditional Access says to a sign-in or refresh: an AADSTS number. */
  blocked: () => number | undefined;
};

type Refresh = { user: MsUser; ends: number; revoked: boolean };
type Code = { user: MsUser; redirect: string; challenge: string | null; asked: string[]; ends: number; used: boolean };

export function microsoftLogin(o: LoginOptions) {
  const { world, app } = o;
  const tokens = new Map<string, MsToken>();
  const refreshes = new Map<string, Refresh>();
  const codes = new Map<string, Code>();
  /** By account: what was consented to for the app. */
  const consents = new Map<string, Set<string>>();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

  const describe = (code: number, words: string): string =>
    `AADSTS${code}: ${words} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()} Timestamp: ${new Date(o.now() * 1000).toISOString()}`;
  const refuse = (status: number, error: string, code: number, words: string): Said => ({
    status,
    headers: { 'cache-control': 'no-store' },
    json: {
      error,
      error_description: describe(code, words),
      error_codes: [code],
      timestamp: new Date(o.now() * 1000).toISOString(),
      trace_id: randomUUID(),
      correlation_id: randomUUID(),
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  });
  const page = (code: number, words: string): Said => ({
    status: 400,
    text: `<!doctype html><title>Sign in to your account</title><p>${describe(code, words)}`,
  });
  const isTenant = (t: string): boolean => t.toLowerCase() === TENANT || t.toLowerCase() === DOMAIN;

  /** Scopes without the resource before them. */
  const scopesOf = (text: string | null): string[] =>
    (text ?? '')
      .split(' ')
      .filter((s) => s !== '')
      .map((s) => {
        const resource = [`${o.origins()['api']}/`, 'https://graph.microsoft.com/'].find((r) => s.startsWith(r));
        return resource === undefined ? s : s.slice(resource.length);
      });

  function authorize(r: SeenRequest, tenant: string): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    if (!isTenant(tenant)) return page(90002, `Tenant '${tenant}' not found.`);
    if (q.get('client_id') !== app.clientId || app.disabled)
      return page(700016, `Application with identifier '${q.get('client_id')}' was not found in the directory.`);
    if (!app.redirects.has(to))
      return page(
        50011,
        `The redirect URI '${to}' specified in the request does not match the redirect URIs configured for the application '${app.clientId}'.`,
      );
    const state = q.get('state');
    const no = (error: string, code: number, words: string): Said =>
      redirect(to, { error, error_description: describe(code, words), state });
    if (q.get('response_type') !== 'code')
      return no('unsupported_response_type', 70007, 'response_type is not supported.');
    if (q.get('response_mode') !== null && q.get('response_mode') !== 'query')
      return no('invalid_request', 70007, 'response_mode is not supported.');
    if (q.get('code_challenge') !== null && q.get('code_challenge_method') !== 'S256')
      return no('invalid_request', 50147, 'Invalid size of Code_Challenge parameter.');
    const asked = scopesOf(q.get('scope'));
    if (asked.length === 0)
      return no('invalid_scope', 900144, "The request body must contain the following parameter: 'scope'.");
    const malformed = asked.find((s) => !/^[A-Za-z0-9._-]+$/.test(s));
    if (malformed !== undefined)
      return no(
        'invalid_scope',
        70011,
        `The provided value for the input parameter 'scope' is not valid. The scope ${malformed} is not valid.`,
      );
    const unknown = asked.find((s) => !known.has(s) && !oidc.has(s));
    if (unknown !== undefined)
      return no(
        'invalid_client',
        650053,
        `The application '${app.clientId}' asked for scope '${unknown}' that doesn't exist on the resource '00000003-0000-0000-c000-000000000000'.`,
      );
    const visitor = o.visitor();
    const user = world.users.find((u) => u.account === visitor.account);
    if (!user || (user.tenant !== TENANT && !o.lenient()))
      return page(
        50020,
        `User account '${user?.upn ?? visitor.account}' from another identity provider does not exist in tenant and cannot access the application.`,
      );
    const blocked = o.blocked();
    if (blocked !== undefined) return page(blocked, 'Access has been blocked by Conditional Access policies.');
    if (visitor.answer === 'deny') return no('access_denied', 65004, 'User declined to consent to access the app.');
    const had = consents.get(user.account) ?? new Set<string>();
    const wanted = asked.filter((s) => known.has(s));
    if (app.adminConsentOnly && wanted.some((s) => s !== 'User.Read' && !had.has(s)))
      return no(
        'access_denied',
        90094,
        'An administrator of the organization has set a policy that prevents you from granting the application the permissions it is requesting.',
      );
    consents.set(user.account, new Set([...had, ...wanted]));
    const code = `0.${randomBytes(48).toString('base64url')}`;
    codes.set(code, {
      user,
      redirect: to,
      challenge: q.get('code_challenge'),
      asked,
      ends: o.now() + CODE_SECONDS,
      used: false,
    });
    return redirect(to, { code, state, session_state: randomUUID() });
  }

  /** Proves the app by secret or certificate, or says why not. */
  async function client(form: URLSearchParams, r: SeenRequest, tenant: string): Promise<Said | undefined> {
    const basic = basicOf(r);
    const id = form.get('client_id') ?? basic?.id;
    if (id !== app.clientId)
      return refuse(
        400,
        'unauthorized_client',
        700016,
        `Application with identifier '${id}' was not found in the directory.`,
      );
    if (app.disabled) return refuse(400, 'unauthorized_client', 7000112, `Application '${id}' is disabled.`);
    const assertion = form.get('client_assertion');
    if (assertion !== null) {
      if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
        return refuse(400, 'invalid_request', 900144, 'client_assertion_type is not valid.');
      return asserted(assertion, tenant);
    }
    const secret = form.get('client_secret') ?? basic?.secret;
    if (secret === undefined)
      return refuse(
        401,
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      );
    const found = app.secrets.find((s) => s.value === secret);
    if (!found)
      return refuse(
        401,
        'invalid_client',
        7000215,
        'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.',
      );
    return found.ends.getTime() / 1000 > o.now()
      ? undefined
      : refuse(401, 'invalid_client', 7000222, `The provided client secret keys for app '${id}' are expired.`);
  }

  async function asserted(assertion: string, tenant: string): Promise<Said | undefined> {
    const bad = (code: number, words: string): Said => refuse(401, 'invalid_client', code, words);
    try {
      const head = decodeProtectedHeader(assertion);
      const found = app.certificates
        .map((c) => ({ ...c, x: new X509Certificate(c.pem) }))
        .find((c) => createHash('sha256').update(c.x.raw).digest('base64url') === head['x5t#S256']);
      if (!found)
        return bad(
          700027,
          'The certificate with identifier used to sign the client assertion is not registered on application.',
        );
      if (found.ends.getTime() / 1000 <= o.now())
        return bad(1000502, 'The provided certificate is not within its specified validity time range.');
      const claims = decodeJwt(assertion);
      const now = o.now();
      if (
        claims.exp === undefined ||
        claims.exp <= now ||
        (claims.nbf ?? 0) > now + 300 ||
        claims.exp - now > MAX_ASSERTION_SECONDS
      )
        return bad(700024, 'Client assertion is not within its valid time range.');
      const audiences = [
        `${o.origins()['login']}/${tenant}/oauth2/v2.0/token`,
        `${o.origins()['login']}/${tenant}/v2.0`,
      ];
      if (typeof claims.aud !== 'string' || !audiences.includes(claims.aud))
        return bad(700023, 'Client assertion audience claim does not match Realm issuer.');
      if (claims.iss !== app.clientId || claims.sub !== app.clientId)
        return bad(700021, 'Client assertion application identifier does not match client_id parameter.');
      await jwtVerify(assertion, found.x.publicKey, {
        algorithms: ['PS256', 'RS256'],
        currentDate: new Date(now * 1000),
      });
      return claims.jti === undefined ? bad(700027, 'Client assertion has no jti.') : undefined;
    } catch {
      return bad(700027, 'Client assertion failed signature validation.');
    }
  }

  async function granted(user: MsUser, asked: readonly string[]): Promise<Said> {
    // All that was ever consented to, whatever is asked for now.
    const scopes = consents.get(user.account) ?? new Set();
    const expires = randomInt(3600, 5400);
    const access = `eyJ0eXAi.${randomBytes(60).toString('base64url')}`;
    tokens.set(access, { kind: 'person', user, scopes: new Set(scopes), ends: o.now() + expires, revoked: false });
    const answer: Record<string, unknown> = {
      token_type: 'Bearer',
      // Never `offline_access`.
      scope: [...scopes, ...asked.filter((s) => s !== 'offline_access' && oidc.has(s))].join(' '),
      expires_in: expires,
      ext_expires_in: expires,
      access_token: access,
    };
    if (asked.includes('offline_access')) {
      const refresh = `0.${randomBytes(60).toString('base64url')}`;
      refreshes.set(refresh, { user, ends: o.now() + REFRESH_SECONDS, revoked: false });
      answer['refresh_token'] = refresh;
    }
    if (asked.includes('openid'))
      answer['id_token'] = await new SignJWT({
        tid: user.tenant,
        oid: user.oid,
        ver: '2.0',
        ...(asked.includes('profile') ? { name: user.name, preferred_username: user.upn } : {}),
      })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'stand-in' })
        .setIssuer(`https://login.microsoftonline.com/${user.tenant}/v2.0`)
        .setAudience(app.clientId)
        .setSubject(createHash('sha256').update(user.oid).digest('base64url'))
        .setIssuedAt(o.now())
        .setExpirationTime(o.now() + 3600)
        .sign(privateKey);
    return { json: answer, headers: { 'cache-control': 'no-store' } };
  }

  async function token(r: SeenRequest, tenant: string): Promise<Said> {
    const form = formOf(r);
    if (!form || !form.has('grant_type'))
      return refuse(
        400,
        'invalid_request',
        900144,
        "The request body must contain the following parameter: 'grant_type'.",
      );
    if (!isTenant(tenant)) return refuse(400, 'invalid_request', 90002, `Tenant '${tenant}' not found.`);
    const no = await client(form, r, tenant);
    if (no) return no;
    const blocked = o.blocked();
    switch (form.get('grant_type') ?? '') {
      case 'client_credentials': {
        const scope = form.get('scope');
        if (scope !== `${o.origins()['api']}/.default` && scope !== 'https://graph.microsoft.com/.default')
          return refuse(
            400,
            'invalid_scope',
            1002012,
            `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
          );
        const access = `eyJ0eXAi.${randomBytes(60).toString('base64url')}`;
        tokens.set(access, { kind: 'app', app, ends: o.now() + 3599, revoked: false });
        return { json: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: access } };
      }
      case 'authorization_code': {
        const code = codes.get(form.get('code') ?? '');
        if (!code) return refuse(400, 'invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.');
        if (code.used)
          return refuse(
            400,
            'invalid_grant',
            54005,
            'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
          );
        if (code.ends <= o.now())
          return refuse(400, 'invalid_grant', 70008, 'The provided authorization code or refresh token has expired.');
        if (form.get('redirect_uri') !== code.redirect)
          return refuse(
            400,
            'invalid_client',
            500112,
            'The reply address does not match the reply address provided when requesting Authorization code.',
          );
        const verifier = form.get('code_verifier');
        if (
          code.challenge !== null &&
          createHash('sha256')
            .update(verifier ?? '')
            .digest('base64url') !== code.challenge
        )
          return refuse(
            400,
            'invalid_grant',
            501481,
            'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
          );
        code.used = true;
        return granted(code.user, code.asked);
      }
      case 'refresh_token': {
        const held = refreshes.get(form.get('refresh_token') ?? '');
        if (!held) return refuse(400, 'invalid_grant', 70000, 'Provided grant is invalid or malformed.');
        if (held.revoked)
          return refuse(
            400,
            'invalid_grant',
            50173,
            'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.',
          );
        if (held.ends <= o.now())
          return refuse(
            400,
            'invalid_grant',
            700082,
            'The refresh token has expired due to inactivity. The token was issued long ago and was inactive for 90.00:00:00.',
          );
        if (blocked !== undefined)
          return refuse(
            400,
            blocked === 53003 ? 'invalid_grant' : 'interaction_required',
            blocked,
            'Access has been blocked by Conditional Access policies.',
          );
        const had = consents.get(held.user.account);
        const asked = scopesOf(form.get('scope'));
        if (!had || asked.some((s) => known.has(s) && !had.has(s)))
          return refuse(
            400,
            'invalid_grant',
            65001,
            `The user or administrator has not consented to use the application with ID '${app.clientId}' named 'Gatehouse'. Send an interactive authorization request for this user and resource.`,
          );
        // The old one goes on.
        return granted(
          held.user,
          asked.length > 0 ? [...new Set([...asked, 'offline_access'])] : ['openid', 'profile', 'offline_access'],
        );
      }
      default:
        return refuse(
          400,
          'unsupported_grant_type',
          70003,
          `The app requested an unsupported grant type '${form.get('grant_type')}'.`,
        );
    }
  }

  return {
    tokens,
    consents,
    async answer(r: SeenRequest): Promise<Said> {
      const [, tenant, what] = /^\/([^/]+)\/oauth2\/v2\.0\/(authorize|token)$/.exec(decodeURIComponent(r.path)) ?? [];
      if (tenant !== undefined && what === 'authorize' && r.method === 'GET') return authorize(r, tenant);
      if (tenant !== undefined && what === 'token' && r.method === 'POST') return token(r, tenant);
      return { status: 404, text: 'not found' };
    },
    /** Signs the account out everywhere, as a changed password or an administrator does. */
    end(account: string): void {
      for (const f of refreshes.values()) if (f.user.account === account) f.revoked = true;
      for (const k of tokens.values()) if (k.kind === 'person' && k.user.account === account) k.revoked = true;
    },
    /** The consent is taken from the app, for this account. */
    withdraw: (account: string): boolean => consents.delete(account),
  };
}
