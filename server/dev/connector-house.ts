import { createHash, randomBytes } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { addVendorConnector, type NewVendorConnector } from '#connectors/add-vendor-connector.ts';
import type { Connector } from '#connectors/connector.ts';
import type { Manifest } from '#connectors/kit/manifest.ts';
import { siteOf } from '#connectors/site-of.ts';
import { vendors } from '#connectors/vendors/all-vendors.ts';
import { newId } from '#kernel/id.ts';
import { Secret } from '#kernel/secret.ts';
import { askToken } from '#vault/ask-token.ts';
import { appAad } from '#vault/connector-app.ts';
import { saveApp } from '#vault/connector-app.sql.ts';
import type { Connection, Owner } from '#vault/connection.ts';
import { insertConnection } from '#vault/connection.sql.ts';
import { sealKept } from '#vault/kept.ts';
import { vaultCtx } from '#vault/renewal.ts';
import { expiryOf } from '#vault/token-answer.ts';
import { makeVault, type Vault } from '#vault/vault.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { oauthOf, type VendorSite } from '#vault/vendor-site.ts';
import { callBody, gatewayHouse, raw, saidOf, type GatewayHouse } from './gateway-house.ts';
import type { HousePerson } from './oauth-house.ts';
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

/** What a call came to, as a client sees it. */
export type Called = { says: string; error: boolean; why: unknown; result: Record<string, unknown> };

/** An organization with a gateway and a vault, and connectors of the catalogue whose vendors are stand-ins. */
export type ConnectorHouse = {
  g: GatewayHouse;
  vault: Vault;
  /** Adds a connector for a stand-in's world, and lets everyone use all its tools. */
  add(vendor: VendorStandIn, n: NewVendorConnector): Promise<Connector>;
  /** A connection as a consent makes it, without its pages; registers the app first. */
  connect(vendor: VendorStandIn, c: Connector, person?: HousePerson): Promise<Connection>;
  /** The organization's account. */
  give(c: Connector, kind: string, fields: Record<string, unknown>): Promise<Connection>;
  tools(c: Connector, person?: HousePerson): Promise<string[]>;
  call(c: Connector, tool: string, args?: object, person?: HousePerson): Promise<Called>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function connectorHouse(): Promise<ConnectorHouse> {
  let vault: Vault | undefined;
  const g = await gatewayHouse({ deps: (world) => ({ credentials: (vault = makeVault(world, { siteOf })) }) });
  const { world } = g.house;
  const at = { parent: g.house.parent, org: g.house.org };
  const tokens = new Map<string, string>();
  const tokenOf = async (person: HousePerson): Promise<string> => {
    const known = tokens.get(person.user) ?? (await g.token(person));
    tokens.set(person.user, known);
    return known;
  };
  const siteNow = async (c: Connector): Promise<VendorSite> => {
    const site = await world.db.read(at, (db) => siteOf(db, c.id));
    if (!site) throw new Error(`${c.type} is no vendor`);
    return site;
  };
  const insert = (c: Connection, kept: Parameters<typeof sealKept>[3]): Promise<Connection> =>
    sealKept(world.seal, at.org, c, kept).then((sealed) =>
      change(vaultCtx(world, at), async (tx) => {
        await insertConnection(tx, c, sealed);
        const member = c.owner.kind === 'person' ? c.owner.member : null;
        const { id, connector, access } = c;
        const data = { connection: id, connector, member, kind: c.grantKind, access, scopes: c.scopes.length };
        return { value: c, events: [event(vaultEvents, 'connection.made', data)] };
      }),
    );
  const blank = (c: Connector, owner: Owner): Connection => ({
    id: newId('cnn'),
    connector: c.id,
    owner,
    grantKind: 'oauth',
    access: c.access,
    account: { subject: 'unknown', label: 'unknown' },
    scopes: [],
    shown: {},
    facts: {},
    standing: { state: 'active' },
    generation: 1,
    expiry: { access: undefined, refresh: undefined, idle: undefined, given: undefined },
    lastRefreshed: undefined,
    lastUsed: undefined,
    made: { at: world.now(), by: g.house.ada.user },
  });
  return {
    g,
    vault: vault ?? makeVault(world, { siteOf }),
    async add(vendor, n) {
      const c = await addVendorConnector(g.ctx, {
        settings: vendor.settings,
        origins: vendor.origins,
        originsPrivate: true,
        ...n,
      });
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
    async connect(vendor, c, person = g.house.ada) {
      const redirect = `${g.house.origin}/connections/callback/${c.id}`;
      vendor.registerRedirect(redirect);
      const verifier = randomBytes(32).toString('base64url');
      const site = await siteNow(c);
      const facts = oauthOf(site);
      const { clientId, clientSecret } = vendor.app;
      const q = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirect,
        scope: facts.scopes[c.access].join(' '),
        state: 's',
        code_challenge_method: 'S256',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      });
      const visited = await fetch(`${vendor.origins['login']}/authorize?${q.toString()}`, { redirect: 'manual' });
      const code = new URL(visited.headers.get('location') ?? '').searchParams.get('code') ?? '';
      const app = { clientId, method: 'client_secret_post' as const, secret: new Secret(clientSecret) };
      const parameters = { code, redirect_uri: redirect, code_verifier: verifier };
      const outcome = await askToken(world.egress, site, app, {
        grantType: 'authorization_code',
        parameters,
        now: world.now(),
      });
      if (outcome.kind !== 'granted') throw new Error(outcome.code);
      const set = { by: g.house.ada.user, at: world.now() };
      const sealed = await world.seal.seal(appAad(at.org, c.id, 1), Buffer.from(clientSecret));
      await change(vaultCtx(world, at), async (tx) => {
        const app = { connector: c.id, clientId, generation: 1, sameAddress: true, ends: undefined, set };
        await saveApp(tx, { ...app, proof: { kind: 'secret' }, sealed }, 0);
        const data = { connector: c.id, kind: 'secret', generation: 1, sameAddress: true, ends: null } as const;
        return { value: undefined, events: [event(vaultEvents, 'connector_app.set', data)] };
      });
      const { accessToken, refreshToken, scopes } = outcome.grant;
      const owner: Owner = { kind: 'person', member: person.member, user: person.user };
      return insert(
        { ...blank(c, owner), scopes: scopes ?? [], expiry: expiryOf(facts, outcome.grant, world.now(), undefined) },
        { access: new Secret(accessToken), refresh: refreshToken === undefined ? undefined : new Secret(refreshToken) },
      );
    },
    give: (c, kind, fields) => insert({ ...blank(c, { kind: 'organization' }), grantKind: kind }, { given: fields }),
    async tools(c, person = g.house.ada) {
      const a = await raw(g, {
        path: `/mcp/${c.slug}`,
        token: await tokenOf(person),
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      });
      const { tools = [] } = (a.json['result'] ?? {}) as { tools?: { name: string }[] };
      return tools.map((x) => x.name);
    },
    async call(c, tool, args = {}, person = g.house.ada) {
      const a = await raw(g, { path: `/mcp/${c.slug}`, token: await tokenOf(person), body: callBody(tool, args) });
      const result = (a.json['result'] ?? {}) as Record<string, unknown>;
      const meta = (result['_meta'] ?? {}) as Record<string, unknown>;
      return { says: saidOf(a), error: result['isError'] === true, why: meta['io.gatehouse/why'], result };
    },
    [Symbol.asyncDispose]: () => g[Symbol.asyncDispose](),
  };
}
