// Slack's consent, tokens and Web API as documented (docs.slack.dev: authentication/installing-with-oauth, using-token-rotation, using-pkce,
// reference/methods/oauth.v2.access, auth.revoke, apis/web-api/rate-limits). Errors come with status 200 and `ok: false`, throttling with 429.
import { randomBytes } from 'node:crypto';
import { missing, methods, no, SaidNo, type SlackToken } from './slack-methods.ts';
import { slackWorld, type SlackWorld } from './slack-world.ts';
import { basicOf, bearerOf, formOf, redirect, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type SlackStandIn = VendorStandIn & {
  world: SlackWorld;
  /** Whether the app has token rotation on: tokens for 12 hours, refresh tokens for one use. */
  rotation: boolean;
  /** What the token of the internal app may do. */
  bot: SlackToken;
  /** The next call of a method is told to wait. */
  throttle(method: string, seconds: number): void;
};

const ACCESS_SECONDS = 12 * 3600;
const CODE_SECONDS = 600;
const userScopes = new Set(
  (
    'channels:read channels:history groups:read groups:history im:read im:history mpim:read mpim:history ' +
    'users:read users:read.email search:read chat:write canvases:write files:read files:write'
  ).split(' '),
);
const botScopes = ['channels:read', 'channels:history', 'users:read', 'chat:write', 'canvases:write'];

export async function startSlack(o: { orgWideBot?: true } = {}): Promise<SlackStandIn> {
  const world = slackWorld();
  if (o.orgWideBot) world.team.enterprise = 'E0ACME0001';
  const app = { clientId: '1111.2222', clientSecret: randomBytes(16).toString('hex') };
  const redirects = new Set<string>();
  const codes = new Map<string, { user: string; scopes: string[]; redirect: string; ends: number; used: boolean }>();
  const tokens: SlackToken[] = [];
  const refreshTokens = new Map<string, { user: string; team: string; scopes: string[]; used: boolean }>();
  const throttled = new Map<string, number>();
  let ahead = 0;
  const now = (): number => Math.floor(Date.now() / 1000) + ahead;
  const secret = (prefix: string): string => `${prefix}-${randomBytes(20).toString('hex')}`;
  const bot: SlackToken = {
    token: secret('xoxb-1'),
    kind: 'bot',
    user: 'U0BOT00001',
    team: world.team.id,
    scopes: [...botScopes],
    ...(o.orgWideBot ? { orgWide: true as const } : {}),
  };
  tokens.push(bot);

  const page = (status: number, text: string): Said => ({
    status,
    text: `<!doctype html><title>Slack</title><p>${text}`,
  });

  function authorize(r: SeenRequest): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    if (q.get('client_id') !== app.clientId) return page(400, 'invalid_client_id');
    if (!redirects.has(to)) return page(400, 'bad_redirect_uri');
    // This app keeps a secret; only one that is registered as a public client may send these.
    if (q.has('code_challenge')) return page(400, 'pkce_not_allowed');
    const scopes = (q.get('user_scope') ?? '').split(',').filter((s) => s !== '');
    if (scopes.length === 0 && !q.get('scope')) return page(400, 'no_scopes');
    const unknown = scopes.find((s) => !userScopes.has(s));
    if (unknown !== undefined) return page(400, 'invalid_scope');
    const state = q.get('state');
    if (standIn.visitor.answer === 'deny') return redirect(to, { error: 'access_denied', state });
    const user = world.users.find((u) => u.account === standIn.visitor.account);
    if (!user) return page(404, 'no such account here');
    const code = secret('code');
    codes.set(code, { user: user.id, scopes, redirect: to, ends: now() + CODE_SECONDS, used: false });
    return redirect(to, { code, state });
  }

  function issue(user: string, team: string, scopes: string[]) {
    const token: SlackToken = {
      token: secret(standIn.rotation ? 'xoxe.xoxp-1' : 'xoxp'),
      kind: 'user',
      user,
      team,
      scopes,
      ...(standIn.rotation ? { ends: now() + ACCESS_SECONDS } : {}),
    };
    tokens.push(token);
    if (!standIn.rotation) return { access_token: token.token };
    const refresh = secret('xoxe-1');
    refreshTokens.set(refresh, { user, team, scopes, used: false });
    return { access_token: token.token, refresh_token: refresh, expires_in: ACCESS_SECONDS };
  }

  const organization = (team: string) => ({
    team: { id: team, name: team === world.team.id ? world.team.name : team },
    enterprise: world.team.enterprise && team === world.team.id ? { id: world.team.enterprise, name: 'Acme' } : null,
    is_enterprise_install: false,
    app_id: 'A0GATE0001',
  });

  function access(r: SeenRequest): Said {
    const form = formOf(r);
    if (r.method !== 'POST' || !form) return { json: no('invalid_post_type') };
    const client = basicOf(r) ?? { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
    if (client.id !== app.clientId) return { json: no('invalid_client_id') };
    if (client.secret !== app.clientSecret) return { json: no('bad_client_secret') };
    if (form.get('grant_type') === 'refresh_token') {
      const held = refreshTokens.get(form.get('refresh_token') ?? '');
      if (!held || held.used) return { json: no('invalid_refresh_token') };
      held.used = true;
      return {
        json: {
          ok: true,
          ...issue(held.user, held.team, held.scopes),
          token_type: 'user',
          scope: held.scopes.join(','),
          user_id: held.user,
          ...organization(held.team),
        },
      };
    }
    const code = codes.get(form.get('code') ?? '');
    if (!code) return { json: no('invalid_code') };
    if (code.used) return { json: no('code_already_used') };
    if (code.ends < now()) return { json: no('code_expired') };
    if (form.get('redirect_uri') !== code.redirect) return { json: no('bad_redirect_uri') };
    code.used = true;
    const team = world.users.find((u) => u.id === code.user)?.team ?? '';
    return {
      json: {
        ok: true,
        authed_user: {
          id: code.user,
          scope: code.scopes.join(','),
          token_type: 'user',
          ...issue(code.user, team, code.scopes),
        },
        ...organization(team),
      },
    };
  }

  function call(r: SeenRequest, name: string): Said {
    const method = methods[name];
    if (!method) return { json: no('unknown_method') };
    const seconds = throttled.get(name);
    if (seconds !== undefined) {
      throttled.delete(name);
      return { status: 429, headers: { 'retry-after': String(seconds) }, json: no('ratelimited') };
    }
    const token = tokens.find((t) => t.token === bearerOf(r));
    if (!token) return { json: no(bearerOf(r) === undefined ? 'not_authed' : 'invalid_auth') };
    if (token.ended) return { json: no(token.ended) };
    if (token.ends !== undefined && token.ends <= now()) return { json: no('token_expired') };
    const args = r.method === 'GET' ? r.query : formOf(r);
    if (!args) return { json: no('invalid_post_type') };
    const headers = { 'x-oauth-scopes': token.scopes.join(',') };
    if (method.persons && token.kind === 'bot') return { headers, json: no('not_allowed_token_type') };
    if (
      Array.isArray(method.scopes) &&
      method.scopes.length > 0 &&
      !method.scopes.some((s) => token.scopes.includes(s))
    )
      return { headers, json: missing(String(method.scopes[0]), token) };
    if (method.ofTeam && token.orgWide && !args.has('team_id')) return { headers, json: no('missing_argument') };
    // A workspace of its own: whoever is of another sees nothing of this one.
    const mine = token.team === world.team.id ? world : { ...world, channels: [] };
    try {
      return { headers, json: method.run({ world: mine, token, args, now: now() }) };
    } catch (e) {
      if (e instanceof SaidNo) return { headers, json: e.answer };
      throw e;
    }
  }

  const server = await serveVendor(['api', 'mcp'], (r) => {
    if (r.at === 'mcp') return { status: 404, json: { error: 'not_found' } };
    if (r.path === '/oauth/v2/authorize' && r.method === 'GET') return authorize(r);
    if (r.path === '/api/oauth.v2.access') return access(r);
    const name = /^\/api\/([A-Za-z.0-9]+)$/.exec(r.path)?.[1];
    return name === undefined ? page(404, 'There is nothing here') : call(r, name);
  });

  const standIn: SlackStandIn = Object.assign(server, {
    world,
    rotation: true,
    bot,
    app,
    settings: o.orgWideBot ? { team: 'E0ACME0001', workspace: world.team.id } : { team: world.team.id },
    registerRedirect: (uri: string) => void redirects.add(uri),
    accounts: { static_token: { token: bot.token } },
    visitor: { account: 'ada', answer: 'allow' as const },
    advance(by: number) {
      ahead += by;
    },
    endGrants(account: string) {
      const user = world.users.find((u) => u.account === account)?.id;
      for (const t of tokens) if (t.user === user) t.ended = 'token_revoked';
      for (const t of refreshTokens.values()) if (t.user === user) t.used = true;
    },
    throttle: (method: string, seconds: number) => void throttled.set(method, seconds),
  });
  return standIn;
}
