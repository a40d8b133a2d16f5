import { createHash, randomBytes } from 'node:crypto';
import type { World } from '#kernel/ctx.ts';
import { connect, type Db } from '#kernel/db.ts';
import { makeEgress } from '#kernel/egress.ts';
import { newId, type Id } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { foundOrg, type Founded } from '#org/found-org.ts';
import { askToken } from '#vault/ask-token.ts';
import { appAad } from '#vault/connector-app.ts';
import { saveApp } from '#vault/connector-app.sql.ts';
import type { Connection, Owner } from '#vault/connection.ts';
import { insertConnection } from '#vault/connection.sql.ts';
import { sealKept } from '#vault/kept.ts';
import type { OAuthFacts } from '#vault/oauth-facts.ts';
import { vaultCtx, type Place } from '#vault/renewal.ts';
import { expiryOf } from '#vault/token-answer.ts';
import { makeVault, type Vault, type VaultOptions } from '#vault/vault.ts';
import { vaultEvents } from '#vault/vault.events.ts';
import { originsOf } from '#vault/vendor-address.ts';
import type { ActAs, VendorAuth } from '#vault/vendor-auth.ts';
import { oauthOf, type SiteOf, type VendorSite } from '#vault/vendor-site.ts';
import { testDb, type TestDb } from './test-db.ts';
import { testWorld } from './test-world.ts';
import { plainManifest } from './vendors/plain-manifest.ts';
import { plainVendor, type PlainOptions, type PlainVendor } from './vendors/plain-vendor.ts';

const REDIRECT = 'http://localhost:1/connections/callback/test';

/** The vault over a real database and the plain vendor, without the rooms above: one organization, one connector, its app. */
export type VaultHouse = {
  t: TestDb;
  world: World;
  vendor: PlainVendor;
  at: Place;
  founded: Founded;
  connector: Id<'con'>;
  vault: Vault;
  /** Another process' vault, as far as one process can have it: its own pool, its own memory. */
  node(options?: Partial<VaultOptions>): Promise<Vault>;
  /** What the vault is told of the connector; tests change it. */
  site: { on: boolean; actAs: ActAs };
  siteOf: SiteOf;
  /** A connection as a consent makes it. `expires` in seconds stands in place of what the vendor says of the access token. */
  connect(o?: { owner?: Owner; account?: string; expires?: number | null }): Promise<Connection>;
  /** The organization's account. */
  give(fields?: Readonly<Record<string, unknown>>): Promise<Connection>;
  /** The clock of every node goes on, and the vendor's. */
  advance(seconds: number): void;
  events(type: string): Promise<Record<string, unknown>[]>;
  row(id: Id<'cnn'>): Promise<Record<string, unknown>>;
  tokenCalls(): number;
  close(): Promise<void>;
};

/** What a node in another process needs to know to be one of this house (dev/vault-node.ts). */
export type NodeSheet = {
  url: string;
  at: Place;
  connector: Id<'con'>;
  origins: Record<string, string>;
  options: PlainOptions;
};

export const siteOver =
  (
    connector: Id<'con'>,
    auth: VendorAuth,
    origins: Record<string, string>,
    site: { on: boolean; actAs: ActAs },
  ): SiteOf =>
  (_db, wanted) =>
    Promise.resolve(
      wanted === connector
        ? ({
            connector,
            on: site.on,
            name: 'Plain',
            auth,
            settings: { tenant: 'acme' },
            origins: originsOf(auth, {}, origins),
            rules: { allowPrivate: Object.values(origins).map((o) => new URL(o).host) },
            access: 'read_write',
            actAs: site.actAs,
          } satisfies VendorSite)
        : undefined,
    );

export async function openVaultHouse(
  o: PlainOptions & { lifetimes?: Partial<OAuthFacts['lifetimes']>; vault?: Partial<VaultOptions> } = {},
): Promise<VaultHouse> {
  const t = await testDb();
  let later = 0;
  const now = (): Date => new Date(Date.now() + later * 1000);
  const world = await t.world({ now });
  const vendor = await plainVendor(o);
  vendor.registerRedirect(REDIRECT);
  const founded = await foundOrg(world, {
    parentName: 'Acme',
    orgName: 'Acme',
    owner: { email: 'ada@acme.example', displayName: 'Ada' },
  });
  const at: Place = { parent: founded.parent, org: founded.org };
  const connector = newId('con');
  await t.super(
    `insert into connector (org, id, slug, name, url, state, created_at, type, mode, act_as, access) values ($1, $2, 'plain', 'Plain', 'https://plain.example', 'on', now(), 'plain', 'builtin', 'person', 'read_write')`,
    at.org,
    connector,
  );
  const auth = plainManifest(o, o.lifetimes);
  const site = { on: true, actAs: 'person' as ActAs };
  const siteOf = siteOver(connector, auth, { ...vendor.origins }, site);
  const ctx = vaultCtx(world, at);
  const { clientId, clientSecret } = vendor.app;
  const open = async (): Promise<VendorSite> => {
    const found = await world.db.read(at, (db) => siteOf(db, connector));
    if (!found) throw new Error('no site');
    return found;
  };
  const secret = await world.seal.seal(appAad(at.org, connector, 1), Buffer.from(clientSecret));
  await change(ctx, async (tx) => {
    const set = { by: founded.owner, at: ctx.now };
    const app = {
      connector,
      clientId,
      generation: 1,
      sameAddress: true,
      ends: undefined,
      set,
      issuer: undefined,
      method: undefined,
    };
    await saveApp(tx, { ...app, way: 'given', proof: { kind: 'secret' }, sealed: secret }, 0);
    const data = { connector, kind: 'secret', generation: 1, sameAddress: true, ends: null } as const;
    return { value: undefined, events: [event(vaultEvents, 'connector_app.set', data)] };
  });

  const pools: Db[] = [];
  const closing: (() => Promise<void>)[] = [];
  const vault = makeVault(world, { siteOf, ...o.vault });

  const insert = async (c: Connection, kept: Parameters<typeof sealKept>[3]): Promise<Connection> => {
    const sealed = await sealKept(world.seal, at.org, c, kept);
    return change(vaultCtx(world, at), async (tx) => {
      await insertConnection(tx, c, sealed);
      const { id, access, scopes } = c;
      const member = c.owner.kind === 'person' ? c.owner.member : null;
      const data = { connection: id, connector, member, kind: c.grantKind, access, scopes: scopes.length };
      return { value: c, events: [event(vaultEvents, 'connection.made', data)] };
    });
  };
  const blank = (owner: Owner): Connection => ({
    id: newId('cnn'),
    connector,
    owner,
    grantKind: 'oauth',
    access: 'read_write',
    account: { subject: 'id-ada', label: 'ada@acme.example' },
    scopes: [],
    shown: {},
    facts: {},
    standing: { state: 'active' },
    generation: 1,
    expiry: { access: undefined, refresh: undefined, idle: undefined, given: undefined },
    lastRefreshed: undefined,
    lastUsed: undefined,
    made: { at: now(), by: founded.owner },
  });

  return {
    t,
    world,
    vendor,
    at,
    founded,
    connector,
    vault,
    site,
    siteOf,
    async node(options) {
      const db = connect({ url: t.url, role: 'gatehouse_app', log: silentLog });
      pools.push(db);
      const egress = makeEgress({ log: silentLog });
      closing.push(() => egress.close());
      return makeVault(await testWorld(db, { egress, now }), { siteOf, ...o.vault, ...options });
    },
    async connect(c = {}) {
      const { account = 'ada', expires } = c;
      const owner: Owner = c.owner ?? { kind: 'person', member: founded.member, user: founded.owner };
      const verifier = randomBytes(32).toString('base64url');
      vendor.visitor.account = account;
      const facts = oauthOf(await open());
      const q = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: REDIRECT,
        scope: facts.scopes.read_write.join(' '),
        state: 's',
        code_challenge_method: 'S256',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      });
      const visited = await fetch(`${vendor.origins['login']}/authorize?${q.toString()}`, { redirect: 'manual' });
      const code = new URL(visited.headers.get('location') ?? '').searchParams.get('code') ?? '';
      const outcome = await askToken(
        world.egress,
        await open(),
        { clientId, method: 'client_secret_post', secret: new Secret(clientSecret) },
        {
          grantType: 'authorization_code',
          parameters: { code, redirect_uri: REDIRECT, code_verifier: verifier },
          now: now(),
        },
      );
      if (outcome.kind !== 'granted') throw new Error(outcome.code);
      const expiry = expiryOf(facts, outcome.grant, now(), undefined);
      const access =
        expires === undefined
          ? expiry.access
          : expires === null
            ? undefined
            : new Date(now().getTime() + expires * 1000);
      const { accessToken, refreshToken, scopes } = outcome.grant;
      return insert(
        { ...blank(owner), scopes: scopes ?? [], expiry: { ...expiry, access } },
        { access: new Secret(accessToken), refresh: refreshToken === undefined ? undefined : new Secret(refreshToken) },
      );
    },
    give: (fields = vendor.accounts['service_account'] ?? {}) =>
      insert({ ...blank({ kind: 'organization' }), grantKind: 'service_account' }, { given: fields }),
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
    row: async (id) => {
      const [row] = await t.super('select * from connection where id = $1', id);
      return row ?? {};
    },
    tokenCalls: () => vendor.seen.filter((r) => r.path === '/login/token').length,
    async close() {
      for (const c of closing) await c();
      await Promise.all(pools.map((p) => p.end()));
      await vendor.close();
      await t.close();
    },
  };
}
