import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { accountOperations } from '#connectors/connect/account.http.ts';
import { appOperations } from '#connectors/connect/app.http.ts';
import { connectionPages, consentOperations } from '#connectors/connect/connections.http.ts';
import { myConnectorOperations } from '#connectors/connect/mine.http.ts';
import { siteOf } from '#connectors/connect/site-of.ts';
import { connectorOperations } from '#connectors/connectors.http.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { vendorOf, vendors } from '#connectors/vendors/all-vendors.ts';
import { apiGate, enterOrg, pageDialect, pageGate } from '#identity/gate.ts';
import type { World } from '#kernel/ctx.ts';
import { problemJson } from '#kernel/dialect.ts';
import { newId, type Id } from '#kernel/id.ts';
import { mount } from '#kernel/operation.ts';
import { sweepEnded } from '#vault/tell-vendor.job.ts';
import { makeVault } from '#vault/vault.ts';
import type { Access, ActAs } from '#vault/vendor-auth.ts';
import { callBody, gatewayHouse, raw, saidOf, type GatewayHouse, type RawAnswer } from './gateway-house.ts';
import { register, signIn, type HousePerson } from './oauth-house.ts';
import type { VendorStandIn } from './vendors/vendor-stand-in.ts';

/** Puts a kind of system into the catalogue of this process, in place of one of the same type; returns how to take it out. */
export function inCatalogue(manifest: Manifest): () => void {
  const all = vendors as Manifest[];
  const known = all.findIndex((v) => v.type === manifest.type);
  const before = all[known];
  if (before) all[known] = manifest;
  else all.push(manifest);
  return () => void all.splice(all.indexOf(manifest), 1, ...(before ? [before] : []));
}

/** A connector as the API shows it, as far as tests look. */
export type Added = { id: Id<'con'>; slug: string };
/** What a call came to, as a client sees it. */
export type Called = { says: string; error: boolean; why: unknown; result: Record<string, unknown>; raw: RawAnswer };
export type ApiAnswer = { status: number; text: string; json: Record<string, unknown> };
/** How a consent came back: the address that the person lands on, or why not. */
export type Consented = { status: number; text: string };

/**
 * An organization with its API, its pages for people, its vault and its gateway on one origin, and connectors of the catalogue whose vendors are
 * stand-ins. The vault and the pages have a clock of their own, which `advance` moves with the vendor's.
 */
export type ConnectorHouse = {
  g: GatewayHouse;
  world: World;
  advance(vendor: VendorStandIn, seconds: number): void;
  api(method: string, path: string, body?: unknown, person?: HousePerson): Promise<ApiAnswer>;
  page(method: 'GET' | 'POST', path: string, person: HousePerson, form?: Record<string, string>): Promise<Response>;
  /** Adds a connector for a stand-in's world, and lets everyone use all its tools. */
  add(
    vendor: VendorStandIn,
    n: { type: string; slug?: string; access?: Access; actAs?: ActAs; mode?: string; origins?: object },
  ): Promise<Added>;
  /** Registers the app that the stand-in knows. */
  app(vendor: VendorStandIn, c: Added): Promise<void>;
  /** From our button through the vendor's page and back. */
  consent(c: Added, person: HousePerson, access: Access): Promise<Consented>;
  /** The organization's account. */
  give(c: Added, kind: string, fields: object): Promise<void>;
  /** Ends the person's own connection, and tells the vendor. */
  disconnect(c: Added, person: HousePerson): Promise<void>;
  connections(c: Added): Promise<{ state: string; vendor_end: string | null; ended_why: string | null }[]>;
  tools(c: Added, person?: HousePerson): Promise<string[]>;
  /** `anew`: with a client that has done nothing before. */
  call(c: Added, tool: string, args?: object, o?: { person?: HousePerson; anew?: true }): Promise<Called>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** @param o.pagesAt the origin that the API and the pages believe to have, where it is not the gateway's */
export async function connectorHouse(o: { pagesAt?: string } = {}): Promise<ConnectorHouse> {
  let later = 0;
  const far = (world: World): World => ({ ...world, now: () => new Date(Date.now() + later * 1000) });
  const sites = siteOf(vendorOf);
  const g = await gatewayHouse({ deps: (world) => ({ credentials: makeVault(far(world), { siteOf: sites }) }) });
  const { house } = g;
  const world = { ...far(house.world), origin: o.pagesAt ?? house.origin };
  const at = { parent: house.parent, org: house.org };

  const app = new Hono();
  const operations = [
    ...connectorOperations,
    ...consentOperations({ vendorOf }),
    ...myConnectorOperations({ vendorOf }),
    ...appOperations({ vendorOf }),
    ...accountOperations({ vendorOf }),
  ];
  mount(app, { prefix: '/api', gate: apiGate(world), dialect: problemJson, operations }, world.log);
  const pages = connectionPages({ vendorOf, enter: (ctx, org) => enterOrg(ctx, org, 'connector.read') });
  mount(app, { prefix: '', gate: pageGate(world), dialect: pageDialect, operations: pages }, world.log);

  house.also.answer = (req) => app.fetch(req);

  // Sessions do not outlive a moved clock; each visit has its own, but for what a consent is bound to.
  const sessions = new Map<string, { at: number; cookie: string }>();
  const cookieOf = async (person: HousePerson): Promise<string> => {
    const known = sessions.get(person.user);
    if (known && known.at === later) return known.cookie;
    const secret = randomBytes(32).toString('base64url');
    await house.t.super(
      `insert into session (parent, id, user_id, hash, method, user_agent, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, 'setup_link', 'test', $5, $5, $6)`,
      at.parent,
      newId('ses'),
      person.user,
      createHash('sha256').update(secret).digest(),
      world.now(),
      new Date(world.now().getTime() + 86_400_000),
    );
    const cookie = `__Host-gatehouse=${secret}`;
    sessions.set(person.user, { at: later, cookie });
    return cookie;
  };
  const request = async (method: string, path: string, person: HousePerson, body?: { type: string; text: string }) =>
    app.request(path, {
      method,
      redirect: 'manual',
      headers: {
        cookie: await cookieOf(person),
        origin: world.origin,
        host: new URL(world.origin).host,
        'sec-fetch-site': 'same-origin',
        ...(body ? { 'content-type': body.type } : {}),
      },
      ...(body ? { body: body.text } : {}),
    });

  const tokens = new Map<string, string>();
  const tokenOf = async (person: HousePerson): Promise<string> => {
    const known = tokens.get(person.user) ?? (await g.token(person));
    tokens.set(person.user, known);
    return known;
  };
  const anotherToken = async (person: HousePerson): Promise<string> => {
    const asking = { resource: `${house.origin}/mcp`, scope: 'mcp:read mcp:write' };
    return (await signIn(house, await register(house), asking, person)).access_token;
  };

  const self: ConnectorHouse = {
    g,
    world,
    advance(vendor, seconds) {
      later += seconds;
      vendor.advance(seconds);
    },
    async api(method, path, body, person = house.ada) {
      const r = await request(
        method,
        `/api/orgs/${at.org}${path}`,
        person,
        body === undefined ? undefined : { type: 'application/json', text: JSON.stringify(body) },
      );
      const text = await r.text();
      return {
        status: r.status,
        text,
        json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    },
    page: (method, path, person, form) =>
      request(
        method,
        path,
        person,
        method === 'POST'
          ? { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() }
          : undefined,
      ),
    async add(vendor, n) {
      const body = { settings: vendor.settings, origins: vendor.origins, originsPrivate: true, ...n };
      const added = await self.api('POST', '/connectors', body);
      if (added.status !== 201) throw new Error(added.text);
      const c = { id: added.json['id'] as Id<'con'>, slug: String(added.json['slug']) };
      await g.rule({
        name: `everyone uses ${c.slug}`,
        who: { kind: 'everyone' },
        connector: c.id,
        tools: { classes: ['read', 'write', 'destructive'] },
        effect: 'allow',
        asks: 'never',
      });
      return c;
    },
    async app(vendor, c) {
      vendor.registerRedirect(`${world.origin}/connections/callback/${c.id}`);
      const { clientId, clientSecret } = vendor.app;
      const set = await self.api('PUT', `/connectors/${c.id}/app`, { clientId, clientSecret });
      if (set.status !== 200) throw new Error(set.text);
    },
    async consent(c, person, access) {
      const begun = await self.page('POST', `/connections/start/${c.id}`, person, { access });
      const to = /url=(.*)$/.exec(begun.headers.get('refresh') ?? '')?.[1];
      if (to === undefined) return { status: begun.status, text: await begun.text() };
      let location = to;
      // A vendor may have a page before its consent; each leads on by itself.
      for (let hops = 0; hops < 5 && !location.startsWith(world.origin); hops++) {
        const visited = await fetch(location, { redirect: 'manual' });
        const next = visited.headers.get('location');
        if (next === null) return { status: visited.status, text: await visited.text() };
        location = new URL(next, location).href;
      }
      const back = new URL(location);
      const done = await self.page('GET', back.pathname + back.search, person);
      return { status: done.status, text: await done.text() };
    },
    async give(c, kind, fields) {
      const given = await self.api('PUT', `/connectors/${c.id}/account`, { kind, fields });
      if (given.status !== 200) throw new Error(given.text);
    },
    async disconnect(c, person) {
      const ended = await self.page('POST', `/connections/end/${c.id}`, person, {});
      if (ended.status !== 303) throw new Error(await ended.text());
      await sweepEnded(world, sites);
    },
    connections: (c) =>
      house.t.super(
        'select state, vendor_end, ended_why from connection where connector = $1 order by made_at, id',
        c.id,
      ),
    async tools(c, person = house.ada) {
      const a = await raw(g, {
        path: `/mcp/${c.slug}`,
        token: await tokenOf(person),
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      });
      const { tools = [] } = (a.json['result'] ?? {}) as { tools?: { name: string }[] };
      return tools.map((x) => x.name);
    },
    async call(c, tool, args = {}, { person = house.ada, anew } = {}) {
      const token = await (anew ? anotherToken(person) : tokenOf(person));
      const a = await raw(g, { path: `/mcp/${c.slug}`, token, body: callBody(tool, args) });
      const result = (a.json['result'] ?? {}) as Record<string, unknown>;
      const meta = (result['_meta'] ?? {}) as Record<string, unknown>;
      const error = result['isError'] === true || 'error' in a.json;
      return { says: saidOf(a), error, why: meta['io.gatehouse/why'], result, raw: a };
    },
    [Symbol.asyncDispose]: () => g[Symbol.asyncDispose](),
  };
  return self;
}
