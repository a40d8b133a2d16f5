// Longer than 300 lines: who gets which credential is one matter, and its endings are tried as one.
import { createHash, randomBytes } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { SeenRequest } from '../vendor-stand-in.ts';
import { basicOf, bearerOf, formOf, header, redirect, type Said } from '../vendor-server.ts';
import type { AppPermissions, GitHubRepository, GitHubUser, GitHubWorld } from './world.ts';

const HOUR_MS = 3_600_000;
const random = (n: number): string => randomBytes(n).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, n);

/** Whose request it is. `permissions` of a user's token are the app's. */
export type Bearer =
  | {
      kind: 'user';
      token: string;
      user: GitHubUser;
      scopes: string[];
      permissions: AppPermissions;
      ends: number;
      used: number;
    }
  | {
      kind: 'installation';
      token: string;
      permissions: AppPermissions;
      repositories: number[] | undefined;
      ends: number;
      used: number;
    };

type Code = { user: GitHubUser; redirectUri: string; challenge: string | undefined; scopes: string[]; ends: number };
type Refresh = { user: GitHubUser; scopes: string[]; access: string; ends: number };

/** Everything about credentials: docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app and …/apps/oauth-apps. */
export class GitHubTokens {
  readonly #world: GitHubWorld;
  readonly #bearers = new Map<string, Bearer>();
  readonly #codes = new Map<string, Code>();
  readonly #refresh = new Map<string, Refresh>();
  readonly redirects: string[] = [];

  constructor(world: GitHubWorld) {
    this.#world = world;
  }

  #now = (): number => this.#world.now().getTime();

  find(r: SeenRequest): Bearer | undefined {
    const b = this.#bearers.get(bearerOf(r) ?? '');
    return b && b.ends > this.#now() ? b : undefined;
  }

  end(login: string): void {
    for (const [token, b] of this.#bearers)
      if (b.kind === 'user' && b.user.login === login) this.#bearers.delete(token);
    for (const [token, f] of this.#refresh) if (f.user.login === login) this.#refresh.delete(token);
    if (login === this.#world.installation.account) this.endInstallation();
  }

  endInstallation(): void {
    for (const [token, b] of this.#bearers) if (b.kind === 'installation') this.#bearers.delete(token);
  }

  /** GET /login/oauth/authorize: the visitor has decided already. */
  authorize(r: SeenRequest, visitor: { account: string; answer: 'allow' | 'deny' }): Said {
    const q = r.query;
    const { app } = this.#world;
    const [first] = this.redirects;
    if (q.get('client_id') !== app.clientId || first === undefined) return { status: 404, text: 'Not Found' };
    const wanted = q.get('redirect_uri') ?? first;
    const state = q.get('state');
    if (!this.redirects.includes(wanted))
      return redirect(first, {
        error: 'redirect_uri_mismatch',
        error_description: 'The redirect_uri MUST match the registered callback URL for this application.',
        state,
      });
    if (visitor.answer === 'deny')
      return redirect(wanted, {
        error: 'access_denied',
        error_description: 'The user has denied your application access.',
        state,
      });
    const method = q.get('code_challenge_method');
    if (q.has('code_challenge') && method !== 'S256')
      return redirect(wanted, {
        error: 'invalid_request',
        error_description: 'code_challenge_method must be S256',
        state,
      });
    const user = this.#world.users.find((u) => u.login === visitor.account);
    if (!user) return { status: 404, text: 'no such visitor' };
    const code = random(20);
    this.#codes.set(code, {
      user,
      redirectUri: wanted,
      challenge: q.get('code_challenge') ?? undefined,
      scopes: app.kind === 'oauth_app' ? (q.get('scope') ?? '').split(/[\s,]+/).filter((s) => s !== '') : [],
      ends: this.#now() + 10 * 60_000,
    });
    return redirect(wanted, { code, state });
  }

  /** POST /login/oauth/access_token: says no with 200, and answers in form encoding unless asked for JSON. */
  token(r: SeenRequest): Said {
    const json = header(r, 'accept')?.includes('application/json') ?? false;
    const say = (o: Record<string, string | number>): Said =>
      json
        ? { json: o }
        : {
            headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
            text: new URLSearchParams(Object.entries(o).map(([k, v]): [string, string] => [k, String(v)])).toString(),
          };
    const no = (error: string, error_description: string): Said =>
      say({
        error,
        error_description,
        error_uri:
          'https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors',
      });
    const form = formOf(r);
    if (r.method !== 'POST' || !form) return { status: 404, text: 'Not Found' };
    const { app } = this.#world;
    const basic = basicOf(r);
    if (
      (basic?.id ?? form.get('client_id')) !== app.clientId ||
      (basic?.secret ?? form.get('client_secret')) !== app.clientSecret
    )
      return no('incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.');
    const grant = form.get('grant_type') ?? 'authorization_code';
    if (grant === 'refresh_token') {
      const given = form.get('refresh_token') ?? '';
      const found = this.#refresh.get(given);
      this.#refresh.delete(given);
      if (!found || found.ends <= this.#now())
        return no('bad_refresh_token', 'The refresh token passed is incorrect or expired.');
      // The old pair ends with the new one.
      this.#bearers.delete(found.access);
      return say(this.#grant(found.user, found.scopes));
    }
    if (grant !== 'authorization_code') return no('unsupported_grant_type', 'The grant_type is not supported.');
    const given = form.get('code') ?? '';
    const code = this.#codes.get(given);
    this.#codes.delete(given);
    if (!code || code.ends <= this.#now())
      return no('bad_verification_code', 'The code passed is incorrect or expired.');
    if (form.has('redirect_uri') && form.get('redirect_uri') !== code.redirectUri)
      return no(
        'redirect_uri_mismatch',
        'The redirect_uri MUST match the registered callback URL for this application.',
      );
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (code.challenge !== undefined && verifier !== code.challenge)
      return no('bad_verification_code', 'The code passed is incorrect or expired.');
    return say(this.#grant(code.user, code.scopes));
  }

  #grant(user: GitHubUser, scopes: string[]): Record<string, string | number> {
    const { app, installation } = this.#world;
    const oauth = app.kind === 'oauth_app';
    const ends = !oauth && app.expiringTokens;
    const token = `${oauth ? 'gho_' : 'ghu_'}${random(36)}`;
    const permissions: AppPermissions = oauth
      ? {
          metadata: 'read',
          ...(scopes.includes('repo') ? { contents: 'write', issues: 'write', pull_requests: 'write' } : {}),
        }
      : installation.permissions;
    this.#bearers.set(token, {
      kind: 'user',
      token,
      user,
      scopes,
      permissions,
      ends: ends ? this.#now() + 8 * HOUR_MS : Infinity,
      used: 0,
    });
    const base = { access_token: token, scope: scopes.join(','), token_type: 'bearer' };
    if (!ends) return base;
    const refresh = `ghr_${random(76)}`;
    this.#refresh.set(refresh, { user, scopes, access: token, ends: this.#now() + 15_811_200_000 });
    return { ...base, expires_in: 28_800, refresh_token: refresh, refresh_token_expires_in: 15_811_200 };
  }

  /** DELETE /applications/{client_id}/grant. */
  revoke(r: SeenRequest): Said {
    const { app } = this.#world;
    const basic = basicOf(r);
    if (basic?.id !== app.clientId || basic.secret !== app.clientSecret) return problem(401, 'Bad credentials');
    const given: unknown = JSON.parse(r.body.toString('utf8') || '{}');
    const token =
      typeof given === 'object' && given !== null && 'access_token' in given ? String(given.access_token) : '';
    const found = this.#bearers.get(token);
    if (found?.kind !== 'user' || found.ends <= this.#now()) return problem(404, 'Not Found');
    this.end(found.user.login);
    return { status: 204 };
  }

  /** POST /credentials/revoke: of anybody who has found them, so with no credentials; what is unknown is accepted too. */
  giveBack(r: SeenRequest): Said {
    if (header(r, 'authorization') !== undefined) return problem(403, 'Forbidden');
    const { credentials } = JSON.parse(r.body.toString('utf8') || '{}') as { credentials?: unknown };
    if (!Array.isArray(credentials) || credentials.length === 0 || credentials.length > 1000)
      return problem(422, 'Validation Failed');
    for (const c of credentials.map(String)) {
      this.#bearers.delete(this.#refresh.get(c)?.access ?? c);
      this.#refresh.delete(c);
    }
    return { status: 202, json: {} };
  }

  /** Whether a request is signed by the app: RS256, issued not later than now, for at most ten minutes. Ours or the vendor's clock will do. */
  async #app(r: SeenRequest): Promise<Said | undefined> {
    const { app, skewMs } = this.#world;
    let last = 'A JSON web token could not be decoded';
    for (const currentDate of new Set([new Date(), new Date(Date.now() + skewMs)])) {
      try {
        const { payload, protectedHeader } = await jwtVerify(bearerOf(r) ?? '', app.key.publicKey, {
          algorithms: ['RS256'],
          currentDate,
          requiredClaims: ['iat', 'exp', 'iss'],
        });
        if (protectedHeader.alg !== 'RS256' || ![app.clientId, String(app.id)].includes(payload.iss ?? ''))
          last = 'Integration must generate a public key';
        else if ((payload.exp ?? 0) - currentDate.getTime() / 1000 > 600)
          last = "'Expiration time' claim ('exp') is too far in the future";
        else if ((payload.iat ?? 0) > currentDate.getTime() / 1000)
          last = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
        else return undefined;
      } catch (e) {
        if (e instanceof errors.JWTExpired)
          last =
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
      }
    }
    return problem(401, last);
  }

  /** GET /app/installations/{id} and POST …/access_tokens. */
  async installation(r: SeenRequest, id: string, what: string | undefined): Promise<Said> {
    const no = await this.#app(r);
    if (no) return no;
    const { installation: i, repositories } = this.#world;
    if (id !== String(i.id)) return problem(404, 'Not Found');
    const account = this.#world.orgs.find((o) => o.login === i.account);
    const selection = i.repositories ? 'selected' : 'all';
    if (what === undefined && r.method === 'GET')
      return {
        json: {
          id: i.id,
          account: { ...account, type: 'Organization' },
          repository_selection: selection,
          permissions: i.permissions,
          suspended_at: i.suspended ? this.#world.now().toISOString() : null,
        },
      };
    if (what !== 'access_tokens' || r.method !== 'POST') return problem(404, 'Not Found');
    if (i.suspended) return problem(403, 'This installation has been suspended');
    const asked = (r.body.length === 0 ? {} : JSON.parse(r.body.toString('utf8'))) as {
      repositories?: string[];
      repository_ids?: number[];
      permissions?: AppPermissions;
    };
    const reachable = repositories.filter((x) => x.owner === i.account && (i.repositories?.includes(x.name) ?? true));
    let chosen: number[] | undefined;
    if (asked.repositories ?? asked.repository_ids) {
      chosen = reachable
        .filter(
          (x) =>
            asked.repositories?.some((n) => n.toLowerCase() === x.name.toLowerCase()) ||
            asked.repository_ids?.includes(x.id),
        )
        .map((x) => x.id);
      if (chosen.length !== (asked.repositories ?? asked.repository_ids)?.length)
        return problem(
          422,
          'There is at least one repository that does not exist or is not accessible to the parent installation.',
        );
    } else if (i.repositories) chosen = reachable.map((x) => x.id);
    const permissions = asked.permissions ?? i.permissions;
    for (const [name, level] of Object.entries(permissions))
      if (i.permissions[name] === undefined || (level === 'write' && i.permissions[name] === 'read'))
        return problem(422, 'The permissions requested are not granted to this installation.');
    const token = `ghs_${random(36)}`;
    const ends = this.#now() + HOUR_MS;
    this.#bearers.set(token, {
      kind: 'installation',
      token,
      permissions: { metadata: 'read', ...permissions },
      repositories: chosen,
      ends,
      used: 0,
    });
    return {
      status: 201,
      json: {
        token,
        expires_at: new Date(ends).toISOString(),
        permissions,
        repository_selection: chosen ? 'selected' : selection,
      },
    };
  }
}

/** GitHub's form of an error. */
export const problem = (status: number, message: string, errors?: unknown): Said => ({
  status,
  json: {
    message,
    ...(errors === undefined ? {} : { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  },
});

/** What a credential may do with a repository; `none`: it is as if it did not exist. */
export function reachOf(b: Bearer, r: GitHubRepository, world: GitHubWorld): 'none' | 'read' | 'write' {
  if (b.kind === 'installation') {
    if (r.owner === world.installation.account && (b.repositories === undefined || b.repositories.includes(r.id)))
      return 'write';
    return r.visibility === 'public' ? 'read' : 'none';
  }
  const member = b.user.orgs.includes(r.owner);
  if (member && (b.scopes.includes('repo') || world.app.kind === 'github_app')) return 'write';
  return r.visibility === 'public' ? 'read' : 'none';
}
