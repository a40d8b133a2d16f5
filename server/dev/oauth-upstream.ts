// Longer than 300 lines: the two servers are one, because what one gives the other must take.
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { listen } from './listening-server.ts';

/** What is awkward about it; tests change it while it runs. */
export type UpstreamModes = {
  /** Whether its 401 says where its metadata is, and which scopes it wants. */
  challenge: 'metadata' | 'scope' | 'bare';
  /** Of what is about the resource. */
  resourceAt: 'path' | 'root' | 'nowhere';
  /** What it publishes instead of itself. */
  resource: string | undefined;
  servers: string[] | undefined;
  /** Below which path of its host the authorization server is. */
  tenant: '' | '/tenant1';
  /** In which of the three forms its metadata is found. */
  serverAt: 'rfc8414' | 'oidc-inserted' | 'oidc-appended' | 'nowhere';
  /** Takes members away from its metadata, or changes them. */
  edit: (metadata: Record<string, unknown>) => Record<string, unknown>;
  /** Answers in its own way; true: it has. */
  instead: (r: SeenUpstream, res: ServerResponse) => boolean;
  registers: boolean;
  documents: boolean;
  /** How a client must prove itself, and what it is given when it registers. */
  method: 'none' | 'client_secret_basic' | 'client_secret_post';
  /** Of RFC 9207. */
  iss: 'named' | 'absent' | 'wrong';
  answer: 'allow' | 'deny';
  /** What is granted of what was asked for. */
  grants: (asked: string[]) => string[];
  /** What a call needs beyond `notes:read`. */
  needs: (tool: string) => string[];
};

export type SeenUpstream = {
  at: 'mcp' | 'as';
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
};

type Client = { secret: string | undefined; redirects: string[] };
type Grant = { client: string; scopes: string[]; live: boolean };

/** An MCP server and its authorization server, strict as the standards are, each on a loopback port of its own. */
export type OauthUpstream = {
  mcp: string;
  /** Where the authorization server is now. */
  issuer(): string;
  modes: UpstreamModes;
  seen: SeenUpstream[];
  /** Registers one as an administrator would. */
  client(id: string, secret: string, redirect: string): void;
  /** Documents of clients, which it would fetch. */
  fetchDocument: (url: string) => Promise<Record<string, unknown>>;
  forgetClients(): void;
  /** All access tokens end; refresh tokens stay. */
  endTokens(): void;
  /** Grants that have not been ended. */
  live(): number;
  close(): Promise<void>;
};

const SCOPES = ['notes:read', 'notes:write'];
const secret = (): string => randomBytes(24).toString('base64url');

export async function oauthUpstream(modes: Partial<UpstreamModes> = {}): Promise<OauthUpstream> {
  const m: UpstreamModes = {
    challenge: 'metadata',
    resourceAt: 'path',
    resource: undefined,
    servers: undefined,
    tenant: '',
    serverAt: 'rfc8414',
    edit: (d) => d,
    instead: () => false,
    registers: true,
    documents: false,
    method: 'client_secret_basic',
    iss: 'named',
    answer: 'allow',
    grants: (asked) => asked,
    needs: () => [],
    ...modes,
  };
  const seen: SeenUpstream[] = [];
  const clients = new Map<string, Client>();
  const codes = new Map<
    string,
    { grant: Grant; challenge: string; redirect: string; resource: string; used: boolean }
  >();
  const access = new Map<string, Grant>();
  const refresh = new Map<string, { grant: Grant; used: boolean }>();
  const grants: Grant[] = [];

  const taking =
    (at: SeenUpstream['at'], answer: (r: SeenUpstream, res: ServerResponse) => Promise<void> | void) =>
    (req: IncomingMessage, res: ServerResponse): void => {
      const chunks: Buffer[] = [];
      req
        .on('data', (c: Buffer) => chunks.push(c))
        .on('end', () => {
          const url = new URL(req.url ?? '/', 'http://here');
          const r: SeenUpstream = {
            at,
            method: req.method ?? '',
            path: url.pathname,
            query: url.searchParams,
            headers: req.headers,
            body: Buffer.concat(chunks).toString(),
          };
          seen.push(r);
          if (m.instead(r, res)) return;
          Promise.resolve(answer(r, res)).catch(() => res.destroy());
        });
    };
  const mcp = await listen(taking('mcp', (r, res) => answerMcp(r, res)));
  const as = await listen(taking('as', (r, res) => answerAs(r, res)));
  const here = (url: string): string => url.replace('127.0.0.1', 'localhost');
  const mcpUrl = `${here(mcp.url)}/mcp`;
  const issuer = (): string => here(as.url) + m.tenant;

  function answerMcp(r: SeenUpstream, res: ServerResponse): void {
    const well = '/.well-known/oauth-protected-resource';
    if (r.path === (m.resourceAt === 'path' ? `${well}/mcp` : well) && m.resourceAt !== 'nowhere')
      return json(res, 200, {
        resource: m.resource ?? mcpUrl,
        authorization_servers: m.servers ?? [issuer()],
        scopes_supported: SCOPES,
      });
    if (r.path !== '/mcp' || r.method !== 'POST') return json(res, 404, {});
    const token = /^Bearer (\S+)$/.exec(r.headers.authorization ?? '')?.[1];
    const grant = token === undefined ? undefined : access.get(token);
    const metadata = `resource_metadata="${here(mcp.url)}${m.resourceAt === 'path' ? `${well}/mcp` : well}"`;
    if (!grant?.live) {
      const more = { metadata, scope: 'scope="notes:read"', bare: 'realm="notes"' }[m.challenge];
      res.setHeader('www-authenticate', `Basic realm="x", Bearer ${more}`);
      return json(res, 401, { error: 'invalid_token' });
    }
    const { id, method, params } = JSON.parse(r.body) as { id?: number; method: string; params?: { name?: string } };
    const needs = method === 'tools/call' ? m.needs(params?.name ?? '') : [];
    if (!needs.every((s) => grant.scopes.includes(s))) {
      res.setHeader('www-authenticate', `Bearer error="insufficient_scope", scope="${needs.join(' ')}", ${metadata}`);
      return json(res, 403, { error: 'insufficient_scope' });
    }
    json(res, 200, { jsonrpc: '2.0', id, result: results[method]?.(params?.name ?? '') ?? {} });
  }

  async function answerAs(r: SeenUpstream, res: ServerResponse): Promise<void> {
    const t = m.tenant;
    const at = {
      rfc8414: `/.well-known/oauth-authorization-server${t}`,
      'oidc-inserted': `/.well-known/openid-configuration${t}`,
      'oidc-appended': `${t}/.well-known/openid-configuration`,
      nowhere: '/nowhere',
    }[m.serverAt];
    if (r.path === at) return json(res, 200, m.edit(metadata()));
    const form = new URLSearchParams(r.body);
    if (r.path === `${t}/authorize`) return authorize(r, res);
    if (r.path === `${t}/register` && m.registers) return register(r, res);
    if (r.path !== `${t}/token` && r.path !== `${t}/revoke`) return json(res, 404, {});
    const client = await proved(r, form);
    if (client === undefined) return json(res, 401, { error: 'invalid_client' });
    if (r.path === `${t}/token`) return token(client, form, res);
    const ended = refresh.get(form.get('token') ?? '')?.grant ?? access.get(form.get('token') ?? '');
    if (ended) ended.live = false;
    json(res, 200, {});
  }

  const metadata = (): Record<string, unknown> => ({
    issuer: issuer(),
    authorization_endpoint: `${issuer()}/authorize`,
    token_endpoint: `${issuer()}/token`,
    revocation_endpoint: `${issuer()}/revoke`,
    ...(m.registers ? { registration_endpoint: `${issuer()}/register` } : {}),
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [m.method],
    authorization_response_iss_parameter_supported: m.iss === 'named',
    client_id_metadata_document_supported: m.documents,
  });

  const known = async (id: string): Promise<Client | undefined> => {
    if (!m.documents || !id.startsWith('https://')) return clients.get(id);
    const document = await upstream.fetchDocument(id);
    if (document['client_id'] !== id) return undefined;
    return { secret: undefined, redirects: document['redirect_uris'] as string[] };
  };

  async function proved(r: SeenUpstream, form: URLSearchParams): Promise<string | undefined> {
    const basic = /^Basic (.+)$/.exec(r.headers.authorization ?? '')?.[1];
    const [id = '', ...rest] =
      basic === undefined ? [form.get('client_id') ?? ''] : Buffer.from(basic, 'base64').toString().split(':');
    const client = await known(id);
    if (!client) return undefined;
    const shown = basic === undefined ? (form.get('client_secret') ?? undefined) : rest.join(':');
    const by = basic !== undefined ? 'client_secret_basic' : shown === undefined ? 'none' : 'client_secret_post';
    return shown === client.secret && (client.secret === undefined ? by === 'none' : by === m.method) ? id : undefined;
  }

  async function authorize(r: SeenUpstream, res: ServerResponse): Promise<void> {
    const q = r.query;
    const client = await known(q.get('client_id') ?? '');
    const redirect = q.get('redirect_uri') ?? '';
    // To an address that nobody registered nothing is sent back, not even a no.
    if (!client?.redirects.includes(redirect)) return json(res, 400, { error: 'unknown client or redirect_uri' });
    const back = new URL(redirect);
    back.searchParams.set('state', q.get('state') ?? '');
    if (m.iss === 'named') back.searchParams.set('iss', issuer());
    if (m.iss === 'wrong') back.searchParams.set('iss', 'https://other.example');
    const wrong =
      q.get('code_challenge_method') !== 'S256' || !q.get('code_challenge')
        ? 'invalid_request'
        : q.get('resource') !== (m.resource ?? mcpUrl)
          ? 'invalid_target'
          : m.answer === 'deny'
            ? 'access_denied'
            : undefined;
    if (wrong !== undefined) back.searchParams.set('error', wrong);
    else {
      const code = secret();
      const asked = (q.get('scope') ?? '').split(' ').filter((s) => s !== '');
      const grant: Grant = { client: q.get('client_id') ?? '', scopes: m.grants(asked), live: true };
      grants.push(grant);
      const challenge = q.get('code_challenge') ?? '';
      codes.set(code, { grant, challenge, redirect, resource: q.get('resource') ?? '', used: false });
      back.searchParams.set('code', code);
    }
    res.writeHead(302, { location: back.href }).end();
  }

  function register(r: SeenUpstream, res: ServerResponse): void {
    const asked = JSON.parse(r.body) as { redirect_uris: string[]; token_endpoint_auth_method: string };
    const id = `dcr-${secret()}`;
    const made = m.method === 'none' ? undefined : secret();
    clients.set(id, { secret: made, redirects: asked.redirect_uris });
    json(res, 201, { client_id: id, ...(made ? { client_secret: made, client_secret_expires_at: 0 } : {}), ...asked });
  }

  function token(client: string, form: URLSearchParams, res: ServerResponse): void {
    const no = (error: string): void => json(res, 400, { error });
    const resource = form.get('resource');
    if (resource !== (m.resource ?? mcpUrl)) return no('invalid_target');
    switch (form.get('grant_type') ?? '') {
      case 'authorization_code': {
        const code = codes.get(form.get('code') ?? '');
        if (code?.used) code.grant.live = false;
        const verifier = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        if (!code || code.used || code.grant.client !== client || code.redirect !== form.get('redirect_uri'))
          return no('invalid_grant');
        code.used = true;
        return code.challenge === verifier && code.resource === resource ? give(code.grant, res) : no('invalid_grant');
      }
      case 'refresh_token': {
        const old = refresh.get(form.get('refresh_token') ?? '');
        if (old?.used) old.grant.live = false;
        if (!old?.grant.live || old.used || old.grant.client !== client) return no('invalid_grant');
        old.used = true;
        return give(old.grant, res);
      }
      case 'client_credentials': {
        const grant: Grant = { client, scopes: (form.get('scope') ?? '').split(' '), live: true };
        grants.push(grant);
        return give(grant, res);
      }
      default:
        return no('unsupported_grant_type');
    }
  }

  function give(grant: Grant, res: ServerResponse): void {
    const [a, r] = [secret(), secret()];
    access.set(a, grant);
    refresh.set(r, { grant, used: false });
    json(res, 200, {
      access_token: a,
      refresh_token: r,
      token_type: 'Bearer',
      expires_in: 3600,
      scope: grant.scopes.join(' '),
    });
  }

  const upstream: OauthUpstream = {
    mcp: mcpUrl,
    issuer,
    modes: m,
    seen,
    client: (id, s, redirect) => void clients.set(id, { secret: s, redirects: [redirect] }),
    fetchDocument: () => Promise.reject(new Error('it can fetch nothing')),
    forgetClients: () => clients.clear(),
    endTokens: () => access.clear(),
    live: () => grants.filter((g) => g.live).length,
    close: async () => void (await Promise.all([mcp.close(), as.close()])),
  };
  return upstream;
}

const json = (res: ServerResponse, status: number, body: unknown): void =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const tool = (name: string) => ({ name, description: `Does ${name}`, inputSchema: { type: 'object' } });
/** As both revisions have it. */
const results: Record<string, (name: string) => object> = {
  'server/discover': () => ({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    serverInfo: { name: 'notes', version: '1' },
  }),
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'notes', version: '1' },
  }),
  'tools/list': () => ({
    resultType: 'complete',
    tools: [tool('read_note'), tool('write_note')],
    ttlMs: 0,
    cacheScope: 'private',
  }),
  'tools/call': (name) => ({ resultType: 'complete', content: [{ type: 'text', text: `${name} done` }] }),
};
