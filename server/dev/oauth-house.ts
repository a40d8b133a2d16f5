import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  authorizationHandler,
  type AuthorizationDeps,
  type AuthorizationHandler,
} from '#authorization/authorization-handler.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { newId, parseId } from '#kernel/id.ts';
import { foundOrg } from '#org/found-org.ts';
import { Browser } from './browser.ts';
import { testDb, type TestDb } from './test-db.ts';
import { testWorld, type WorldOver } from './test-world.ts';

export type HousePerson = { user: Id<'usr'>; member: Id<'mem'>; name: string };

/** An authorization server that listens, with an organization and its owner Ada. Signing in is a cookie: `me=<user id>`. */
export type OauthHouse = {
  origin: string;
  t: TestDb;
  world: World;
  parent: Id<'par'>;
  org: Id<'org'>;
  ada: HousePerson;
  handler: AuthorizationHandler;
  /** Another person, in the same organization or in others too. */
  addPerson(name: string, orgs?: readonly Id<'org'>[]): Promise<HousePerson>;
  addOrg(name: string): Promise<Id<'org'>>;
  /** Moves the server's clock; the library's own expiry follows the real one. */
  advance(ms: number): void;
  /** Another node over the same database, listening; its origin is the same for the protocol. */
  anotherNode(): Promise<string>;
  events(type?: string): Promise<{ log: string; header: Record<string, unknown>; data: Record<string, unknown> }[]>;
  /** Where else the server answers: paths that are not the authorization server's. */
  also: {
    answer: ((req: Request) => Promise<Response> | Response) | undefined;
    /** Parts that answer on the raw request, as the gateway does. */
    raw?: { handles(path: string): boolean; handle(req: IncomingMessage, res: ServerResponse): void };
    /** And on connections that are to become another, as tunnels do. */
    upgrading?: { handles(path: string): boolean; upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void };
  };
  [Symbol.asyncDispose](): Promise<void>;
};

const listen = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', () => resolve((server.address() as AddressInfo).port));
  });

/** The signed-in person of a request: the cookie `me`. */
export const cookieUser =
  (parents: Map<string, Id<'par'>>): AuthorizationDeps['currentUser'] =>
  (_world, cookie) => {
    const user = parseId('usr', /(?:^|; *)me=([^;]+)/.exec(cookie ?? '')?.[1] ?? '');
    const parent = user && parents.get(user);
    const session = user && parseId('ses', user.replace('usr_', 'ses_'));
    return Promise.resolve(session && parent ? { parent, user, session } : undefined);
  };

export async function oauthHouse(
  options: { dcr?: boolean; over?: WorldOver; allowPrivate?: readonly string[] } = {},
): Promise<OauthHouse> {
  const t = await testDb();
  let offset = 0;
  const servers: Server[] = [];
  const also: OauthHouse['also'] = { answer: undefined };
  const mine: { handler: AuthorizationHandler | undefined } = { handler: undefined };
  const node = (which: () => AuthorizationHandler | undefined): Server => {
    const shouldUpgradeCallback = (req: IncomingMessage): boolean =>
      also.upgrading?.handles((req.url ?? '/').split('?')[0] ?? '/') === true;
    const server = createServer({ shouldUpgradeCallback }, (req, res) => {
      const h = which();
      if (h?.handles((req.url ?? '/').split('?')[0] ?? '/')) return h.handle(req, res);
      if (also.raw?.handles((req.url ?? '/').split('?')[0] ?? '/')) return also.raw.handle(req, res);
      const as = /^\/test-sign-in\/(usr_[0-9a-f]+)$/.exec(req.url ?? '')?.[1];
      if (as !== undefined) return void res.writeHead(200, { 'set-cookie': `me=${as}; Path=/` }).end('signed in');
      const reply = async (): Promise<void> => {
        const chunks: Buffer[] = [];
        for await (const c of req) chunks.push(Buffer.from(c as Uint8Array));
        const r = await also.answer?.(
          new Request(`http://${req.headers.host}${req.url}`, {
            method: req.method ?? 'GET',
            headers: Object.entries(req.headers).flatMap(([k, v]) =>
              typeof v === 'string' ? [[k, v] as [string, string]] : [],
            ),
            ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
          }),
        );
        res.writeHead(r?.status ?? 404, Object.fromEntries(r?.headers ?? []));
        res.end(r ? Buffer.from(await r.arrayBuffer()) : 'nothing here');
      };
      reply().catch(() => res.destroy());
    });
    server.on('upgrade', (req, socket, head) => also.upgrading?.upgrade(req, socket, head));
    servers.push(server);
    return server;
  };
  const port = await listen(node(() => mine.handler));
  const origin = `http://localhost:${port}`;
  const world = await testWorld(t, { origin, now: () => new Date(Date.now() + offset), ...options.over });
  const founded = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme Workspace',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  const parents = new Map<string, Id<'par'>>([[founded.owner, founded.parent]]);
  const deps: AuthorizationDeps = {
    oauth: t.as('gatehouse_oauth'),
    currentUser: cookieUser(parents),
    dcr: options.dcr ?? true,
    ...(options.allowPrivate ? { allowPrivate: options.allowPrivate } : {}),
  };
  const handler = (mine.handler = await authorizationHandler(world, deps));
  const addOrg = async (name: string): Promise<Id<'org'>> => {
    const id = newId('org');
    await t.super(
      `insert into org (parent, id, name, surface, created_at) values ($1, $2, $3, 'workspace', now())`,
      founded.parent,
      id,
      name,
    );
    return id;
  };
  return {
    origin,
    t,
    world,
    parent: founded.parent,
    org: founded.org,
    ada: { user: founded.owner, member: founded.member, name: 'Ada' },
    handler,
    also,
    addOrg,
    async addPerson(name, orgs = [founded.org]) {
      const user = newId('usr');
      const email = `${name.toLowerCase()}@acme.example`;
      await t.super(
        `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $4, 'active', 'local', now())`,
        founded.parent,
        user,
        email,
        name,
      );
      const members = orgs.map((org) => ({ org, id: newId('mem') }));
      for (const m of members)
        await t.super(
          `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
          m.org,
          m.id,
          user,
        );
      parents.set(user, founded.parent);
      return { user, member: members[0]!.id, name };
    },
    advance(ms) {
      offset += ms;
    },
    async anotherNode() {
      const other = await authorizationHandler(world, deps);
      return `http://localhost:${await listen(node(() => other))}`;
    },
    events: async (type) =>
      (
        await t.super<{ log: string; header: Record<string, unknown>; data: Record<string, unknown> }>(
          `select log, header, data from audit_inbox where header ->> 'type' like 'authorization.%' order by arrived`,
        )
      ).filter((e) => type === undefined || e.header['type'] === type),
    async [Symbol.asyncDispose]() {
      for (const s of servers) {
        s.closeAllConnections();
        s.close();
      }
      await world.egress.close();
      await t.close();
    },
  };
}

const challengeOf = async (verifier: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))).toString('base64url');

export type TestClient = { client_id: string; client_secret?: string; redirect: string };

/** Registers a client as a native program would. */
export async function register(house: OauthHouse, metadata: Record<string, unknown> = {}): Promise<TestClient> {
  const redirect = 'http://127.0.0.1:7777/callback';
  const r = await fetch(`${house.origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  });
  if (r.status !== 201) throw new Error(`registration answered ${r.status}: ${await r.text()}`);
  const c = (await r.json()) as TestClient;
  return { ...c, redirect: ((metadata['redirect_uris'] as string[] | undefined) ?? [redirect])[0]! };
}

export type Asking = { resource?: string; scope?: string; params?: Record<string, string> };

export const VERIFIER = 'a-verifier-that-is-long-enough-for-the-standard-0123456789';

export async function authorizeUrl(house: OauthHouse, client: TestClient, ask: Asking = {}): Promise<URL> {
  const url = new URL(`${house.origin}/oauth/authorize`);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: client.redirect,
    state: 'state-1',
    code_challenge: await challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    scope: ask.scope ?? 'mcp:read mcp:write',
    resource: ask.resource ?? `${house.origin}/mcp`,
    ...ask.params,
  }).toString();
  return url;
}

/** A browser in which a person is signed in. */
export async function browserOf(house: OauthHouse, person: HousePerson | undefined): Promise<Browser> {
  const b = new Browser();
  if (person) await b.open(`${house.origin}/test-sign-in/${person.user}`);
  return b;
}

/** Goes through sign-in and consent; returns the address that the client is sent. */
export async function consent(
  house: OauthHouse,
  client: TestClient,
  ask: Asking = {},
  person: HousePerson = house.ada,
  button = 'Allow',
): Promise<URL> {
  const b = await browserOf(house, person);
  await b.open(await authorizeUrl(house, client, ask), { stopAt: client.redirect });
  if (b.url.href.startsWith(client.redirect)) return b.url;
  await b.submit(new RegExp(`^${button}$`), {}, { stopAt: client.redirect });
  return b.url;
}

export type Tokens = {
  access_token: string;
  refresh_token: string;
  scope: string;
  token_type: string;
  expires_in: number;
  error?: string;
  error_description?: string;
};

export async function tokenRequest(
  at: string,
  client: TestClient,
  body: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Tokens; headers: Headers }> {
  const r = await fetch(`${at}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ client_id: client.client_id, ...body }),
  });
  return { status: r.status, body: (await r.json()) as Tokens, headers: r.headers };
}

export const codeBody = (client: TestClient, code: string): Record<string, string> => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: client.redirect,
  code_verifier: VERIFIER,
});

/** The whole way: consent, code, tokens. */
export async function signIn(
  house: OauthHouse,
  client: TestClient,
  ask: Asking = {},
  person?: HousePerson,
): Promise<Tokens> {
  const back = await consent(house, client, ask, person);
  const r = await tokenRequest(house.origin, client, codeBody(client, back.searchParams.get('code') ?? ''));
  if (r.status !== 200)
    throw new Error(`token answered ${r.status}: ${JSON.stringify(r.body)}; came back with ${back.href}`);
  return r.body;
}

export const refreshBody = (token: string): Record<string, string> => ({
  grant_type: 'refresh_token',
  refresh_token: token,
});
