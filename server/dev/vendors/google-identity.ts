// Google's accounts, consent and tokens, as documented at developers.google.com/identity/protocols/oauth2: web-server, service-account,
// openid-connect (userinfo), and "Refresh token expiration". One client, one organization with an administrator who delegates scopes.
import { createHash, randomBytes } from 'node:crypto';
import { exportPKCS8, generateKeyPair, importSPKI, jwtVerify, SignJWT, exportSPKI, type JWTPayload } from 'jose';
import { basicOf, bearerOf, formOf, redirect, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type GoogleAccount = {
  sub: string;
  email: string;
  /** The Workspace that manages it; absent: a personal account. */
  hd?: string;
};

export const googleAccounts: Readonly<Record<string, GoogleAccount>> = {
  ada: { sub: '110000000000000000001', email: 'ada@acme.example', hd: 'acme.example' },
  bob: { sub: '110000000000000000002', email: 'bob@acme.example', hd: 'acme.example' },
  robot: { sub: '110000000000000000003', email: 'robot@acme.example', hd: 'acme.example' },
  mallory: { sub: '110000000000000000004', email: 'mallory@rival.example', hd: 'rival.example' },
  // A personal account may have a work address; only `hd` tells.
  pat: { sub: '110000000000000000005', email: 'pat@acme.example' },
};

const SERVICE = 'gatehouse@acme-project.iam.gserviceaccount.com';
const DAY = 24 * 3600;

type Grant = { account: string; scopes: string[]; refresh: string; made: number; used: number; ended: boolean };
type Token = { who: string; scopes: readonly string[]; ends: number; grant: Grant | undefined };

const no = (status: number, error: string, error_description?: string): Said => ({
  status,
  json: { error, ...(error_description ? { error_description } : {}) },
});

/** Whose request it is, and what it may. */
export type Bearer = { email: string; scopes: readonly string[]; service: boolean };

export class GoogleIdentity {
  readonly app = { clientId: '123-abc.apps.googleusercontent.com', clientSecret: 'GOCSPX-0123456789' };
  readonly visitor: VendorStandIn['visitor'] = { account: 'ada', answer: 'allow' };
  /** Scopes that the administrator of the Workspace has delegated to the service account. */
  delegated: string[];
  /** Whether the app's publishing status is "testing". */
  testing = false;
  /** Accounts of other organizations are not let in at all. */
  internal = false;
  readonly #known: ReadonlySet<string>;
  readonly #redirects = new Set<string>();
  readonly #codes = new Map<
    string,
    {
      grant: Omit<Grant, 'refresh'>;
      redirect: string;
      challenge: string | null;
      offline: boolean;
      ends: number;
      used: boolean;
    }
  >();
  readonly #grants: Grant[] = [];
  readonly #tokens = new Map<string, Token>();
  #keys: { private: string; public: string } | undefined;
  #skew = 0;
  /** Where the token endpoint is: what an assertion must be addressed to. */
  audience = '';

  constructor(scopes: readonly string[]) {
    this.#known = new Set(['openid', 'email', 'profile', 'https://www.googleapis.com/auth/userinfo.email', ...scopes]);
    this.delegated = [...scopes];
  }

  /** Seconds. */
  get now(): number {
    return Math.floor(Date.now() / 1000) + this.#skew;
  }
  advance(seconds: number): void {
    this.#skew += seconds;
  }
  registerRedirect(uri: string): void {
    this.#redirects.add(uri);
  }
  endGrants(account: string): void {
    for (const g of this.#grants) if (g.account === account) this.#end(g);
  }
  /** Consents that still stand. */
  get standing(): number {
    return this.#grants.filter((g) => !g.ended).length;
  }

  /** The key file of the service account, as the console gives it. */
  async keyFile(): Promise<string> {
    const made = (this.#keys ??= await (async () => {
      const pair = await generateKeyPair('RS256', { extractable: true });
      return { private: await exportPKCS8(pair.privateKey), public: await exportSPKI(pair.publicKey) };
    })());
    return JSON.stringify({
      type: 'service_account',
      project_id: 'acme-project',
      private_key_id: 'k1',
      private_key: made.private,
      client_email: SERVICE,
      client_id: '998877665544332211000',
      token_uri: 'https://oauth2.googleapis.com/token',
    });
  }

  bearer(r: SeenRequest): Bearer | undefined {
    const t = this.#tokens.get(bearerOf(r) ?? '');
    if (!t || t.ends <= this.now || t.grant?.ended === true) return undefined;
    return { email: t.who, scopes: t.scopes, service: t.who === SERVICE };
  }

  async answer(r: SeenRequest): Promise<Said | undefined> {
    if (r.at === 'login' && r.method === 'GET' && r.path === '/o/oauth2/v2/auth') return this.#authorize(r);
    if (r.at === 'oauth' && r.path === '/token')
      return r.method === 'POST' ? this.#token(r) : no(405, 'method_not_allowed');
    if (r.at === 'oauth' && r.path === '/revoke')
      return r.method === 'POST' ? this.#revoke(r) : no(405, 'method_not_allowed');
    if (r.at === 'openid' && r.method === 'GET' && r.path === '/v1/userinfo') return this.#userinfo(r);
    return undefined;
  }

  #page(status: number, code: string): Said {
    return { status, text: `<title>Error</title><h1>Error ${status}: ${code}</h1>` };
  }

  #authorize(r: SeenRequest): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    if (q.get('client_id') !== this.app.clientId) return this.#page(401, 'invalid_client');
    if (!this.#redirects.has(to)) return this.#page(400, 'redirect_uri_mismatch');
    if (q.get('response_type') !== 'code') return this.#page(400, 'unsupported_response_type');
    const asked = (q.get('scope') ?? '').split(' ').filter((s) => s !== '');
    if (asked.length === 0 || asked.some((s) => !this.#known.has(s))) return this.#page(400, 'invalid_scope');
    const challenge = q.get('code_challenge');
    if (challenge !== null && q.get('code_challenge_method') !== 'S256') return this.#page(400, 'invalid_request');
    const account = googleAccounts[this.visitor.account];
    if (!account) throw new Error(`nobody is called ${this.visitor.account}`);
    if (this.internal && account.hd !== 'acme.example') return this.#page(403, 'org_internal');
    const state = q.get('state');
    if (this.visitor.answer === 'deny') return redirect(to, { error: 'access_denied', state });
    const scopes = asked
      .map((s) => (s === 'email' ? 'https://www.googleapis.com/auth/userinfo.email' : s))
      .filter((s) => this.visitor.without?.includes(s) !== true);
    const code = `4/0A${randomBytes(20).toString('base64url')}`;
    const first = !this.#grants.some((g) => g.account === this.visitor.account && !g.ended);
    this.#codes.set(code, {
      grant: { account: this.visitor.account, scopes, made: this.now, used: this.now, ended: false },
      redirect: to,
      challenge,
      // Whoever consented before gets a refresh token again only if the app asks for a consent anew.
      offline: q.get('access_type') === 'offline' && (first || q.get('prompt') === 'consent'),
      ends: this.now + 600,
      used: false,
    });
    return redirect(to, { state, code, scope: scopes.join(' ') });
  }

  async #token(r: SeenRequest): Promise<Said> {
    const f = formOf(r);
    if (!f) return no(400, 'invalid_request', 'Bad Request');
    if (f.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return this.#assertion(f.get('assertion') ?? '');
    const basic = basicOf(r);
    const id = basic?.id ?? f.get('client_id');
    if (id !== this.app.clientId) return no(401, 'invalid_client', 'The OAuth client was not found.');
    if ((basic?.secret ?? f.get('client_secret')) !== this.app.clientSecret)
      return no(401, 'invalid_client', 'Unauthorized');
    if (f.get('grant_type') === 'authorization_code') return this.#code(f);
    if (f.get('grant_type') === 'refresh_token') return this.#refresh(f);
    return no(400, 'unsupported_grant_type', `Invalid grant_type: ${f.get('grant_type') ?? ''}`);
  }

  #code(f: URLSearchParams): Promise<Said> | Said {
    const c = this.#codes.get(f.get('code') ?? '');
    if (!c || c.used || c.ends <= this.now) return no(400, 'invalid_grant', 'Malformed auth code.');
    if (c.redirect !== f.get('redirect_uri')) return no(400, 'redirect_uri_mismatch', 'Bad Request');
    if (c.challenge !== null) {
      const verifier = f.get('code_verifier');
      if (verifier === null) return no(400, 'invalid_grant', 'Missing code verifier.');
      if (createHash('sha256').update(verifier).digest('base64url') !== c.challenge)
        return no(400, 'invalid_grant', 'Invalid code verifier.');
    }
    c.used = true;
    const grant: Grant = { ...c.grant, refresh: `1//0${randomBytes(24).toString('base64url')}` };
    this.#grants.push(grant);
    // 100 refresh tokens per account and client: the oldest goes without a word.
    const mine = this.#grants.filter((g) => g.account === grant.account && !g.ended);
    if (mine.length > 100 && mine[0]) this.#end(mine[0]);
    return this.#tokenAnswer(grant, c.offline);
  }

  #refresh(f: URLSearchParams): Promise<Said> | Said {
    const grant = this.#grants.find((g) => g.refresh === f.get('refresh_token'));
    const dead =
      !grant || grant.ended || this.now - grant.used > 183 * DAY || (this.testing && this.now - grant.made > 7 * DAY);
    if (dead) return no(400, 'invalid_grant', 'Token has been expired or revoked.');
    grant.used = this.now;
    return this.#tokenAnswer(grant, false);
  }

  async #tokenAnswer(grant: Grant, offline: boolean): Promise<Said> {
    const account = googleAccounts[grant.account];
    if (!account) throw new Error('no account');
    const key = new TextEncoder().encode('the id token of the stand-in is signed by a secret of its own');
    const id =
      grant.scopes.includes('openid') &&
      (await new SignJWT({ email: account.email, email_verified: true, ...(account.hd ? { hd: account.hd } : {}) })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('https://accounts.google.com')
        .setAudience(this.app.clientId)
        .setSubject(account.sub)
        .setIssuedAt(this.now)
        .setExpirationTime(this.now + 3600)
        .sign(key));
    return {
      json: {
        access_token: this.#give(account.email, grant.scopes, grant),
        expires_in: 3599,
        ...(offline ? { refresh_token: grant.refresh } : {}),
        scope: grant.scopes.join(' '),
        token_type: 'Bearer',
        ...(id === false ? {} : { id_token: id }),
      },
    };
  }

  #give(who: string, scopes: readonly string[], grant: Grant | undefined): string {
    const token = `ya29.${randomBytes(24).toString('base64url')}`;
    this.#tokens.set(token, { who, scopes, ends: this.now + 3599, grant });
    return token;
  }

  async #assertion(assertion: string): Promise<Said> {
    await this.keyFile();
    const key = await importSPKI(this.#keys?.public ?? '', 'RS256');
    let c: JWTPayload;
    try {
      const currentDate = new Date(this.now * 1000);
      c = (await jwtVerify(assertion, key, { algorithms: ['RS256'], audience: this.audience, currentDate })).payload;
    } catch (e) {
      return no(400, 'invalid_grant', `Invalid JWT Signature. (${e instanceof Error ? e.message : ''})`);
    }
    if (c.iss !== SERVICE) return no(400, 'invalid_grant', 'Invalid grant: account not found');
    if (typeof c.iat !== 'number' || typeof c.exp !== 'number' || c.exp - c.iat > 3600 || c.iat > this.now + 300)
      return no(
        400,
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      );
    const scopes = typeof c['scope'] === 'string' ? c['scope'].split(' ').filter((s) => s !== '') : [];
    if (scopes.length === 0 || scopes.some((s) => !this.#known.has(s)))
      return no(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
    if (c.sub === undefined)
      return { json: { access_token: this.#give(SERVICE, scopes, undefined), expires_in: 3599, token_type: 'Bearer' } };
    const account = Object.values(googleAccounts).find((a) => a.email === c.sub && a.hd === 'acme.example');
    if (!account) return no(400, 'invalid_grant', 'Invalid email or User ID');
    if (scopes.some((s) => !this.delegated.includes(s)))
      return no(
        401,
        'unauthorized_client',
        'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      );
    return {
      json: { access_token: this.#give(account.email, scopes, undefined), expires_in: 3599, token_type: 'Bearer' },
    };
  }

  #revoke(r: SeenRequest): Said {
    const given = formOf(r)?.get('token') ?? '';
    const grant = this.#grants.find((g) => g.refresh === given) ?? this.#tokens.get(given)?.grant;
    if (!grant || grant.ended) return no(400, 'invalid_token', 'Token expired or revoked');
    this.#end(grant);
    return { json: {} };
  }

  #end(grant: Grant): void {
    grant.ended = true;
  }

  #userinfo(r: SeenRequest): Said {
    const who = this.bearer(r);
    const account = Object.values(googleAccounts).find((a) => a.email === who?.email);
    if (!who || !account || !who.scopes.includes('openid')) return no(401, 'invalid_request', 'Invalid Credentials');
    const mail = who.scopes.includes('https://www.googleapis.com/auth/userinfo.email');
    return {
      json: {
        sub: account.sub,
        ...(mail ? { email: account.email, email_verified: true } : {}),
        ...(account.hd ? { hd: account.hd } : {}),
      },
    };
  }
}
