import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Metrics } from '#kernel/telemetry.ts';
import type { Connection } from './connection.ts';
import { findSealedConnection, saveRefused } from './connection.sql.ts';
import type { Credentials, Unlocked, Use } from './credentials.ts';
import { openTokens, sameSecret } from './kept.ts';
import { saveLastUsed } from './lease.sql.ts';
import { vaultMetrics } from './metrics.ts';
import { makeMint } from './mint.ts';
import { vaultRefusals } from './refusals.ts';
import { refuseStanding, renew } from './renew.ts';
import { vaultCtx, type Fresh, type Place, type Renewal } from './renewal.ts';
import { vaultEvents } from './vault.events.ts';
import { belongs, type SiteOf, type VendorSite } from './vendor-site.ts';

export type VaultOptions = {
  /** What the room above knows of connectors. */
  siteOf: SiteOf;
  metrics?: Metrics | undefined;
  leaseMs?: number;
  waitMs?: number;
  marginMs?: number;
};

export interface Vault extends Credentials {
  /** Renews a connection of a consent although its token is good, so that it does not end by being idle. Refuses like `unlock`. */
  keepAlive(at: Place, connection: Id<'cnn'>): Promise<void>;
}

/** Longer than a vendor's answer may take (10 s) and than storing it may have to be tried again. */
const LEASE_MS = 30_000;
/** Longer than the vendor's answer may take, shorter than a caller's patience. */
const WAIT_MS = 12_000;
/** A token is renewed when so much of it is left: more than a call takes, and two clocks differ. */
const MARGIN_MS = 2 * 60_000;
/** A token refused so soon after it was renewed is not renewed again: it is not its age that is wrong. */
const JUST_RENEWED_MS = 60_000;
/** How exactly the last use is known. */
const USE_MS = 60_000;

/** The vault of one process. Every opening reads the row, so that what ended anywhere is not given out here. */
export function makeVault(world: World, options: VaultOptions): Vault {
  const { siteOf, leaseMs = LEASE_MS, waitMs = WAIT_MS, marginMs = MARGIN_MS } = options;
  const renewal: Renewal = { world, metrics: vaultMetrics(options.metrics), leaseMs, waitMs };
  const mint = makeMint(renewal, Math.min(marginMs, 60_000));
  const flights = new Map<string, Promise<Fresh>>();

  /** Of all calls of this process that want it at once, one asks. */
  const renewOnce = (at: Place, site: VendorSite, c: Connection): Promise<Fresh> => {
    const key = `${c.id}/${c.generation}`;
    const under = flights.get(key);
    if (under) return under;
    const flight = renew(renewal, at, site, c.id, c.generation).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };

  const found = async (
    at: Place,
    id: Id<'cnn'>,
  ): Promise<{ site: VendorSite; connection: Connection; sealed: Buffer }> => {
    const read = await world.db.read(at, async (db) => {
      const row = await findSealedConnection(db, id);
      return row && { ...row, site: await siteOf(db, row.connection.connector) };
    });
    if (!read?.site || !read.sealed || read.connection.standing.state === 'revoked') throw vaultRefusals.none();
    if (!read.site.on) throw vaultRefusals.off(read.site.name);
    if (!belongs(read.site, read.connection))
      throw vaultRefusals.reconnect(read.site.name, 'issuer_changed', 'it names another authorization server now');
    return { site: read.site, connection: read.connection, sealed: read.sealed };
  };

  const fromConsent = async (
    at: Place,
    { site, connection: c, sealed }: Awaited<ReturnType<typeof found>>,
    use: Use,
  ): Promise<Unlocked> => {
    if (c.standing.state === 'reconnect') throw vaultRefusals.reconnect(site.name, c.standing.why);
    const tokens = await openTokens(world.seal, at.org, c, sealed);
    const now = world.now().getTime();
    const ends = c.expiry.access?.getTime();
    const refused = use.refused !== undefined && sameSecret(use.refused, tokens.access);
    if (!refused && (ends === undefined || ends - now > marginMs)) return unlocked({ connection: c, tokens });
    const alive = !refused && ends !== undefined && ends > now;
    // Nothing to renew it with: it is good until it ends or is refused.
    if (!tokens.refresh && alive) return unlocked({ connection: c, tokens });
    if (!tokens.refresh && refused) throw await dead(at, site, c);
    if (refused && c.lastRefreshed && now - c.lastRefreshed.getTime() < JUST_RENEWED_MS)
      throw vaultRefusals.reconnect(site.name, 'refused_when_new', 'it refuses a token that it has just given');
    try {
      refuseStanding(c, site, world.now());
      return unlocked(await renewOnce(at, site, c));
    } catch (e) {
      // What is still good for a little while is better than nothing.
      if (alive && e instanceof Problem && (e.code === 'vault/later' || e.code === 'vault/app'))
        return unlocked({ connection: c, tokens });
      throw e;
    }
  };

  /** The vendor refuses a token that cannot be renewed. */
  const dead = async (at: Place, site: VendorSite, c: Connection): Promise<Problem> => {
    const why = 'refused';
    await change(vaultCtx(world, at), async (tx) => {
      const saved = await saveRefused(tx, c.id, c.generation, {
        state: 'reconnect',
        because: null,
        why,
        fails: 0,
        next: null,
      });
      if (saved === 0) return { value: undefined, unchanged: true };
      const member = c.owner.kind === 'person' ? c.owner.member : null;
      const which = { connection: c.id, connector: c.connector };
      return {
        value: undefined,
        events: [event(vaultEvents, 'connection.reconnect_needed', { ...which, member, why })],
      };
    });
    return vaultRefusals.reconnect(site.name, why);
  };

  const noteUse = async (at: Place, c: Connection): Promise<void> => {
    const now = world.now();
    if (c.lastUsed && now.getTime() - c.lastUsed.getTime() < USE_MS) return;
    await change(vaultCtx(world, at), async (tx) => {
      await saveLastUsed(tx, c.id, now);
      return { value: undefined, unchanged: true };
    }).catch((err: unknown) => world.log.warn({ err, connection: c.id }, 'the use of a connection was not noted'));
  };

  return {
    async unlock(at, use) {
      const f = await found(at, use.connection);
      const opened = await (f.connection.grantKind === 'oauth' ? fromConsent(at, f, use) : mint(at, f.site, f, use));
      await noteUse(at, f.connection);
      return opened;
    },
    async keepAlive(at, id) {
      const f = await found(at, id);
      if (f.connection.grantKind !== 'oauth') return;
      refuseStanding(f.connection, f.site, world.now());
      await renewOnce(at, f.site, f.connection);
    },
  };
}

const unlocked = ({ connection, tokens }: Fresh): Unlocked => ({
  token: tokens.access,
  scopes: connection.scopes,
  facts: connection.facts,
});
