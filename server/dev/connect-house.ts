import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { accountOperations } from '#connectors/connect/account.http.ts';
import { appOperations } from '#connectors/connect/app.http.ts';
import { connectionPages, consentOperations } from '#connectors/connect/connections.http.ts';
import { myConnectorOperations } from '#connectors/connect/mine.http.ts';
import { siteOf } from '#connectors/connect/site-of.ts';
import { apiGate, enterOrg, pageDialect, pageGate } from '#identity/gate.ts';
import type { World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { makeVault, type Vault } from '#vault/vault.ts';
import type { Access, ActAs } from '#vault/vendor-auth.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { testDb, type TestDb } from './test-db.ts';
import { plainManifest } from './vendors/plain-manifest.ts';
import { plainVendor, type PlainOptions, type PlainVendor } from './vendors/plain-vendor.ts';

const ORIGIN = 'http://localhost:1';

export type Person = { user: Id<'usr'>; member: Id<'mem'>; cookie: string };
export type Answered = { status: number; location: string; text: string; json: Record<string, unknown> };

/** The consent flow, its pages and its API over a real database and the plain vendor, without a socket of our own. */
export type ConnectHouse = {
  t: TestDb;
  world: World;
  app: Hono;
  vendor: PlainVendor;
  manifest: Manifest;
  vault: Vault;
  siteOf: SiteOf;
  founded: Founded;
  at: { parent: Id<'par'>; org: Id<'org'> };
  /** The primary owner, whose address is one of an account at the vendor. */
  ada: Person;
  person(email: string): Promise<Person>;
  session(user: Id<'usr'>): Promise<string>;
  connector(o?: { slug?: string; access?: Access; actAs?: ActAs }): Promise<Id<'con'>>;
  api(method: string, path: string, body?: unknown, who?: Person): Promise<Answered>;
  page(method: 'GET' | 'POST', path: string, who: Person, form?: Record<string, string>): Promise<Answered>;
  /** From our button through the vendor's page to our address, which is not visited yet. */
  visit(con: Id<'con'>, who: Person, access?: Access): Promise<URL>;
  /** The whole way. */
  consent(con: Id<'con'>, who: Person, access?: Access): Promise<Answered>;
  advance(seconds: number): void;
  events(type: string): Promise<Record<string, unknown>[]>;
  live(con: Id<'con'>): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
};

export async function openConnectHouse(o: PlainOptions & { manifest?: Partial<Manifest> } = {}): Promise<ConnectHouse> {
  const t = await testDb();
  let later = 0;
  const world = await t.world({ origin: ORIGIN, now: () => new Date(Date.now() + later * 1000) });
  const vendor = await plainVendor(o);
  const manifest: Manifest = { ...plainManifest(o), ...o.manifest };
  const vendorOf = (type: string): Manifest | undefined => (type === manifest.type ? manifest : undefined);
  const founded = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  const at = { parent: founded.parent, org: founded.org };
  const app = new Hono();
  mount(
    app,
    {
      prefix: '/api',
      gate: apiGate(world),
      dialect: problemJson,
      operations: [
        ...consentOperations({ vendorOf }),
        ...myConnectorOperations({ vendorOf }),
        ...appOperations({ vendorOf }),
        ...accountOperations({ vendorOf }),
      ],
    },
    silentLog,
  );
  mount(
    app,
    {
      prefix: '',
      gate: pageGate(world),
      dialect: pageDialect,
      operations: connectionPages({ vendorOf, enter: (ctx, org) => enterOrg(ctx, org, 'connector.read') }),
    },
    silentLog,
  );

  const session = async (user: Id<'usr'>): Promise<string> => {
    const secret = randomBytes(32).toString('base64url');
    await t.super(
      `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, 'setup_link', 'test', now(), now(), now() + interval '20 days')`,
      at.parent,
      newId('ses'),
      user,
      createHash('sha256').update(secret).digest(),
    );
    return `__Host-gatehouse=${secret}`;
  };
  const request = async (
    method: string,
    path: string,
    who: Person,
    body?: { type: string; text: string },
  ): Promise<Answered> => {
    const r = await app.request(path, {
      method,
      redirect: 'manual',
      headers: {
        cookie: who.cookie,
        origin: ORIGIN,
        'sec-fetch-site': 'same-origin',
        ...(body ? { 'content-type': body.type } : {}),
      },
      ...(body ? { body: body.text } : {}),
    });
    const text = await r.text();
    const json: unknown = text.startsWith('{') ? JSON.parse(text) : {};
    const refresh = /url=(.*)$/.exec(r.headers.get('refresh') ?? '')?.[1];
    return {
      status: r.status,
      location: r.headers.get('location') ?? refresh ?? '',
      text,
      json: typeof json === 'object' && json !== null ? { ...json } : {},
    };
  };
  const ada: Person = { user: founded.owner, member: founded.member, cookie: await session(founded.owner) };

  const house: ConnectHouse = {
    t,
    world,
    app,
    vendor,
    manifest,
    siteOf: siteOf(vendorOf),
    vault: makeVault(world, { siteOf: siteOf(vendorOf) }),
    founded,
    at,
    ada,
    session,
    async person(email) {
      const [user, member] = [newId('usr'), newId('mem')];
      await t.super(
        `insert into app_user (parent, id, email, display_name, state, origin, created_at) values ($1, $2, $3, $3, 'active', 'local', now())`,
        at.parent,
        user,
        email,
      );
      await t.super(
        `insert into member (org, id, user_id, role, created_at) values ($1, $2, $3, 'user', now())`,
        at.org,
        member,
        user,
      );
      return { user, member, cookie: await session(user) };
    },
    async connector({ slug = 'plain', access = 'read_write', actAs = 'person' } = {}) {
      const id = newId('con');
      await t.super(
        `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access, settings, origins, origins_private)
         values ($1, $2, $3, 'Plain', 'https://plain.example', 'on', now(), 'plain', 'builtin', $4, $5, $6, $7, true)`,
        at.org,
        id,
        slug,
        actAs,
        access,
        JSON.stringify(vendor.settings),
        JSON.stringify(vendor.origins),
      );
      vendor.registerRedirect(`${ORIGIN}/connections/callback/${id}`);
      if (actAs === 'person') {
        const { clientId, clientSecret } = vendor.app;
        const secret =
          o.clientAuth === 'none' ? {} : o.clientAuth === 'private_key_jwt' ? { key: true } : { clientSecret };
        const made = await house.api('PUT', `/connectors/${id}/app`, { clientId, ...secret });
        if (made.status !== 200) throw new Error(made.text);
        const jwks = made.json['jwks'];
        if (jwks !== null) vendor.trustKeys(jwks as Parameters<typeof vendor.trustKeys>[0]);
      }
      return id;
    },
    api: (method, path, body, who = ada) =>
      request(
        method,
        `/api/orgs/${at.org}${path}`,
        who,
        body === undefined ? undefined : { type: 'application/json', text: JSON.stringify(body) },
      ),
    page: (method, path, who, form) =>
      request(
        method,
        path,
        who,
        method === 'POST'
          ? { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() }
          : undefined,
      ),
    async visit(con, who, access = 'read_write') {
      const begun = await house.page('POST', `/connections/start/${con}`, who, { access });
      if (begun.status !== 200) throw new Error(begun.text);
      const visited = await fetch(begun.location, { redirect: 'manual' });
      if (visited.status !== 302) throw new Error(await visited.text());
      return new URL(visited.headers.get('location') ?? '');
    },
    async consent(con, who, access) {
      const back = await house.visit(con, who, access);
      return house.page('GET', back.pathname + back.search, who);
    },
    advance(seconds) {
      later += seconds;
      vendor.advance(seconds);
    },
    events: async (type) =>
      (
        await t.super<{ data: Record<string, unknown> }>(
          `select data from audit_inbox where header ->> 'type' = $1 order by id`,
          type,
        )
      ).map((r) => r.data),
    live: (con) => t.super('select * from connection where connector = $1 and ended_at is null order by id', con),
    async close() {
      await vendor.close();
      await t.close();
    },
  };
  return house;
}
