import { serve } from '@hono/node-server';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { apiGate, nobodyGate, pageDialect, pageGate } from '#identity/gate.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { doorPage } from '#identity/door.http.ts';
import { accessOperations } from '#identity/access/access.http.ts';
import { identityOperations } from '#identity/identity.http.ts';
import { oidcOperations } from '#identity/oidc/oidc.http.ts';
import { passkeyPages } from '#identity/passkey/passkey-page.http.ts';
import { passkeyOperations } from '#identity/passkey/passkey.http.ts';
import { samlConnectionOperations } from '#identity/saml/saml-connections.http.ts';
import { samlPages } from '#identity/saml/saml.http.ts';
import { testPages } from '#identity/enforcement/test-pages.http.ts';
import { homePages } from '#identity/home.http.ts';
import { mailLinkPages } from '#identity/mail-link/mail-link.http.ts';
import { signInPages } from '#identity/sign-in.http.ts';
import { systemCtx, type OrgCtx, type World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import type { Dns } from '#kernel/dns.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount, type Door, type Operation } from '#kernel/operation.ts';
import { startVersions } from '#kernel/versions.ts';
import { createApiKey } from '#org/create-api-key.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import type { MemberRole } from '#org/member.ts';
import { orgOperations } from '#org/org.http.ts';
import { keyPermissions } from '#org/api-key.ts';
import { Browser } from './browser.ts';
import { testDb, type TestDb } from './test-db.ts';
import { testWorld } from './test-world.ts';

export type Answer = { status: number; body: Record<string, unknown>; text: string; headers: Headers };

/** The pages and the API of org and identity, listening, with one organization and its primary owner Ada. */
export type DoorHouse = {
  t: TestDb;
  world: World;
  origin: string;
  acme: Founded;
  /** Ada's key with everything that a key can carry. */
  key: string;
  ctx: OrgCtx;
  advance(ms: number): void;
  /** Calls the API; with the key of Ada unless headers say who comes. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Another person in an organization. */
  addPerson(name: string, role: MemberRole, org?: Id<'org'>): Promise<{ user: Id<'usr'>; member: Id<'mem'> }>;
  /** A browser that is signed in as this user, through a set-up link. */
  browserOf(user: Id<'usr'>): Promise<Browser>;
  events(type: string): Promise<{ log: string; header: Record<string, unknown>; data: Record<string, unknown> }[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

const freePort = async (): Promise<number> => {
  const s = createServer();
  await new Promise<void>((r) => s.listen(0, 'localhost', r));
  const { port } = s.address() as AddressInfo;
  await new Promise<void>((r) => s.close(() => r()));
  return port;
};

export async function doorHouse(
  more: {
    operations?: readonly Operation[];
    pages?: readonly Operation[];
    doors?: (world: World) => readonly Door[];
    dns?: Dns;
    trustedProxies?: readonly string[];
    /** Listens for changes, as a node does. */
    versions?: true;
    /** Another seal than that of all tests, once the database is there. */
    seal?: (t: TestDb) => Promise<{ world: Partial<World>; opens(world: World): void }>;
  } = {},
): Promise<DoorHouse> {
  const t = await testDb();
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  let offset = 0;
  const sealed = await more.seal?.(t);
  const versions = more.versions && (await startVersions({ pool: t.db.pool, log: silentLog }));
  const world = await testWorld(t, {
    ...sealed?.world,
    versions,
    origin,
    now: () => new Date(Date.now() + offset),
    ...(more.dns ? { dns: more.dns } : {}),
    ...(more.trustedProxies ? { trustedProxies: more.trustedProxies } : {}),
  });
  sealed?.opens(world);
  const app = new Hono();
  const operations = [
    ...orgOperations,
    ...identityOperations,
    ...accessOperations,
    ...oidcOperations,
    ...passkeyOperations,
    ...samlConnectionOperations,
    ...(more.operations ?? []),
  ];
  mount(app, { prefix: '/api', gate: apiGate(world), dialect: problemJson, operations }, silentLog);
  mount(app, { prefix: '/saml', gate: nobodyGate(world), dialect: pageDialect, operations: samlPages }, silentLog);
  const servers = { mcpServers: () => Promise.resolve([{ name: 'CRM', url: `${origin}/mcp/crm` }]) };
  const pages = [
    ...signInPages,
    ...homePages,
    ...mailLinkPages,
    ...testPages,
    ...passkeyPages,
    doorPage(servers),
    ...(more.pages ?? []),
  ];
  for (const door of more.doors?.(world) ?? []) mount(app, door, silentLog);
  mount(app, { prefix: '', gate: pageGate(world), dialect: pageDialect, operations: pages }, silentLog);
  const server = await new Promise<Server>((resolve) => {
    // As serve.ts does: the adapter's own global Response is not the one that the rest of the code knows.
    const o = { fetch: app.fetch, port, hostname: 'localhost', overrideGlobalObjects: false };
    const s = serve(o, () => resolve(s as Server));
  });
  const acme = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme Workspace',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  const system = systemCtx(world, 'test', { parent: acme.parent, org: acme.org });
  const ctx: OrgCtx = { ...system, org: acme.org };
  const { value: key } = await createApiKey(ctx, {
    name: 'test',
    permissions: keyPermissions,
    expiresAt: new Date(Date.now() + 300 * 86_400_000),
    creator: acme.owner,
  });

  return {
    t,
    world,
    origin,
    acme,
    key,
    ctx,
    advance(ms) {
      offset += ms;
    },
    async api(method, path, body, headers = { authorization: `Bearer ${key}` }) {
      const r = await fetch(`${origin}/api${path}`, {
        method,
        redirect: 'manual',
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await r.text();
      return { status: r.status, headers: r.headers, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
    },
    async addPerson(name, role, org = acme.org) {
      const user = newId('usr');
      const member = newId('mem');
      await t.super(
        `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $4, 'active', 'local', now())`,
        acme.parent,
        user,
        `${name.toLowerCase()}@acme.example`,
        name,
      );
      await t.super(
        `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, $4, now())`,
        org,
        member,
        user,
        role,
      );
      return { user, member };
    },
    async browserOf(user) {
      const { url } = await createSetupLink({ ...ctx, now: world.now() }, user);
      const browser = await new Browser().open(url);
      return browser.submit(/Sign in as/);
    },
    events: (type) =>
      t.super(`select log, header, data from audit_inbox where header->>'type' = $1 order by arrived`, type),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await versions?.close();
      await world.egress.close();
      await t.close();
    },
  };
}
