// Notion's consent and tokens as documented (developers.notion.com: guides/get-started/authorization, reference/create-a-token, refresh-a-token,
// revoke-token, introspect-token): Basic auth, JSON bodies of known members only, and a refresh that gives both tokens anew and ends the old ones.
// How long an access token lasts is not documented; here it is an hour, so that its end is met.
import { randomBytes, randomUUID } from 'node:crypto';
import { answerNotion } from './notion-api.ts';
import { no as notionNo } from './notion-changes.ts';
import { notionWorld, type NotionUser, type NotionWorld } from './notion-world.ts';
import { basicOf, bearerOf, header, redirect, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

export type NotionStandIn = VendorStandIn & {
  world: NotionWorld;
  /** The next request of the API is told to wait. */
  throttle(seconds: number): void;
};

const ACCESS_SECONDS = 3600;
const CODE_SECONDS = 600;
type Bot = { id: string; workspace: string; user: NotionUser | undefined };

export async function startNotion(): Promise<NotionStandIn> {
  const world = notionWorld();
  const app = { clientId: randomUUID(), clientSecret: `secret_${randomBytes(20).toString('hex')}` };
  const redirects = new Set<string>();
  const codes = new Map<string, { user: NotionUser; redirect: string; ends: number }>();
  const tokens = new Map<string, { bot: Bot; ends: number; refresh?: string }>();
  const refreshTokens = new Map<string, Bot>();
  const internal = `ntn_${randomBytes(22).toString('hex')}`;
  tokens.set(internal, { bot: { id: randomUUID(), workspace: world.workspace, user: undefined }, ends: Infinity });
  let ahead = 0;
  let throttled: number | undefined;
  const now = (): number => Math.floor(Date.now() / 1000) + ahead;
  const no = (error: string, error_description: string, status = 400): Said => ({
    status,
    json: { error, error_description, request_id: randomUUID() },
  });

  function authorize(r: SeenRequest): Said {
    const q = r.query;
    const to = q.get('redirect_uri') ?? '';
    if (q.get('client_id') !== app.clientId || !redirects.has(to))
      return { status: 400, text: 'Missing or invalid redirect_uri.' };
    const state = q.get('state');
    if (q.get('response_type') !== 'code' || q.get('owner') !== 'user')
      return redirect(to, { error: 'invalid_request', state });
    if (standIn.visitor.answer === 'deny') return redirect(to, { error: 'access_denied', state });
    const user = world.users.find((u) => u.account === standIn.visitor.account);
    if (!user) return { status: 404, text: 'no such account' };
    const code = randomBytes(16).toString('hex');
    codes.set(code, { user, redirect: to, ends: now() + CODE_SECONDS });
    return redirect(to, { code, state });
  }

  function issue(bot: Bot): Said {
    const access = `ntn_${randomBytes(22).toString('hex')}`;
    const refresh = `nrt_${randomBytes(22).toString('hex')}`;
    tokens.set(access, { bot, ends: now() + ACCESS_SECONDS, refresh });
    refreshTokens.set(refresh, bot);
    return {
      json: {
        access_token: access,
        token_type: 'bearer',
        refresh_token: refresh,
        bot_id: bot.id,
        workspace_id: bot.workspace,
        workspace_name: bot.workspace === world.workspace ? 'Acme' : 'Elsewhere',
        workspace_icon: null,
        owner: { type: 'user', user: bot.user && person(bot.user) },
        duplicated_template_id: null,
        request_id: randomUUID(),
      },
    };
  }
  const person = (u: NotionUser) => ({
    object: 'user',
    id: u.id,
    name: u.name,
    avatar_url: null,
    type: 'person',
    person: { email: u.email },
  });

  function oauth(r: SeenRequest, what: string): Said {
    const client = basicOf(r);
    if (client?.id !== app.clientId || client.secret !== app.clientSecret)
      return no('invalid_client', 'Client authentication failed.', 401);
    if (!header(r, 'content-type')?.startsWith('application/json'))
      return notionNo(400, 'invalid_json', 'Error parsing JSON body.');
    const b = JSON.parse(r.body.toString('utf8')) as Record<string, string>;
    const known =
      what === 'revoke'
        ? ['token']
        : b['grant_type'] === 'refresh_token'
          ? ['grant_type', 'refresh_token']
          : ['grant_type', 'code', 'redirect_uri'];
    const unknown = Object.keys(b).find((k) => !known.includes(k));
    if (unknown !== undefined)
      return notionNo(400, 'validation_error', `body failed validation: body.${unknown} should be not present`);
    if (what === 'revoke') {
      const held = tokens.get(b['token'] ?? '');
      if (!held) return no('invalid_grant', 'Token has been expired or revoked.');
      tokens.delete(b['token'] ?? '');
      if (held.refresh !== undefined) refreshTokens.delete(held.refresh);
      return { json: { request_id: randomUUID() } };
    }
    if (b['grant_type'] === 'refresh_token') {
      const given = b['refresh_token'] ?? '';
      const bot = refreshTokens.get(given);
      if (!bot) return no('invalid_grant', 'Token has been expired or revoked.');
      refreshTokens.delete(given);
      for (const [t, held] of tokens) if (held.refresh === given) tokens.delete(t);
      return issue(bot);
    }
    if (b['grant_type'] !== 'authorization_code')
      return no('unsupported_grant_type', 'This grant type is not supported.');
    const code = codes.get(b['code'] ?? '');
    if (!code || code.ends < now()) return no('invalid_grant', 'Invalid code: this code has been revoked.');
    if (b['redirect_uri'] !== code.redirect) return no('invalid_grant', 'Invalid redirect_uri.');
    codes.delete(b['code'] ?? '');
    return issue({ id: randomUUID(), workspace: code.user.workspace, user: code.user });
  }

  const server = await serveVendor(['api'], (r) => {
    if (r.path === '/v1/oauth/authorize' && r.method === 'GET') return authorize(r);
    if (r.path === '/v1/oauth/token' && r.method === 'POST') return oauth(r, 'token');
    if (r.path === '/v1/oauth/revoke' && r.method === 'POST') return oauth(r, 'revoke');
    const held = tokens.get(bearerOf(r) ?? '');
    if (!held || held.ends <= now()) return notionNo(401, 'unauthorized', 'API token is invalid.');
    if (throttled !== undefined) {
      const seconds = throttled;
      throttled = undefined;
      return {
        ...notionNo(429, 'rate_limited', 'You have been rate limited. Please try again in a few minutes.'),
        headers: { 'retry-after': String(seconds) },
      };
    }
    const { bot } = held;
    if (r.path === '/v1/users/me')
      return {
        json: {
          object: 'user',
          id: bot.id,
          name: 'Gatehouse',
          type: 'bot',
          bot: {
            owner: bot.user ? { type: 'user', user: person(bot.user) } : { type: 'workspace', workspace: true },
            workspace_id: bot.workspace,
            workspace_name: bot.workspace === world.workspace ? 'Acme' : 'Elsewhere',
          },
        },
      };
    // Another workspace has nothing of this one.
    return answerNotion(bot.workspace === world.workspace ? world : { ...world, shared: new Set() }, r);
  });

  const standIn: NotionStandIn = Object.assign(server, {
    world,
    app,
    settings: { workspace_id: world.workspace },
    registerRedirect: (uri: string) => void redirects.add(uri),
    accounts: { static_token: { token: internal } },
    visitor: { account: 'ada', answer: 'allow' as const },
    advance(by: number) {
      ahead += by;
    },
    endGrants(account: string) {
      for (const [t, held] of tokens) if (held.bot.user?.account === account) tokens.delete(t);
      for (const [t, bot] of refreshTokens) if (bot.user?.account === account) refreshTokens.delete(t);
    },
    throttle(seconds: number) {
      throttled = seconds;
    },
  });
  return standIn;
}
