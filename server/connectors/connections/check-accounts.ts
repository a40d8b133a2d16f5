import { setTimeout as pause } from 'node:timers/promises';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { findUser } from '#org/user.sql.ts';
import type { Connection } from '#vault/connection.ts';
import type { Unlocked } from '#vault/credentials.ts';
import type { Place } from '#vault/renewal.ts';
import type { Vault } from '#vault/vault.ts';
import type { SiteOf } from '#vault/vendor-site.ts';
import { findManifest, type VendorOf } from '../connect/site-of.ts';
import { findConnector } from '../connector.sql.ts';
import { vendorClient, VendorRefusal } from '../kit/vendor-client.ts';
import { vendorOf } from '../vendors/all-vendors.ts';
import { minuteOf } from './connection-health.ts';
import { connectionEvents } from './connections.events.ts';
import { listAccounts, listChecks, saveCheck, takeCheck } from './connections.sql.ts';
import type { Watching } from './watch-connections.ts';

/** Longer than a vendor takes on a slow day. */
const LOOK_MS = 30_000;
/** A vendor that is away for a moment is asked once more. */
const PAUSE_MS = 5000;

/** Looks with the cheapest call that the vendor has, as the connector's own calls would, at whose account a credential is. */
export const lookWith =
  (world: World, vault: Pick<Vault, 'unlock'>, siteOf: SiteOf, vendors: VendorOf = vendorOf): Watching['look'] =>
  async (at, c) => {
    const { site, manifest } = await world.db.read(at, async (db) => {
      const connector = await findConnector(db, c.connector);
      return {
        site: await siteOf(db, c.connector),
        manifest: connector && (await findManifest(db, connector, vendors)).manifest,
      };
    });
    if (!site?.on) return undefined;
    if (site.actAs === 'organization_as_person') {
      // Tried as whoever gave it, as it was when it was given: somebody whom the vendor must know. Only that a token is given, no call.
      const giver = parseId('usr', c.made.by);
      const person = giver && (await world.db.read(at, (db) => findUser(db, giver)));
      if (person?.state !== 'active') return undefined;
      await vault.unlock(at, { connection: c.id, subject: person.email });
      return 'seen';
    }
    const unlock = (refused?: Secret): Promise<Unlocked> => vault.unlock(at, { connection: c.id, refused });
    if (!manifest) {
      await unlock();
      return 'seen';
    }
    const { settings, origins, rules } = site;
    const deadline = new Date(world.now().getTime() + LOOK_MS);
    const signal = AbortSignal.timeout(LOOK_MS);
    const client = await vendorClient({
      manifest,
      settings,
      origins,
      rules,
      egress: world.egress,
      unlock,
      signal,
      now: world.now,
      deadline,
    });
    const account = await manifest.whoami(client);
    const foreign = manifest.foreign?.(account, settings, undefined);
    if (foreign !== undefined)
      throw new Problem('conflict', 'connections/foreign-account', {
        says: `it is not an account of this organization: ${foreign}`,
        fix: 'give the account anew',
      });
    return 'seen';
  };

/**
 * Looks at every account of the organization whose minute of the day has come. INVARIANT (one look): the row is taken before the vendor is
 * asked, so of several nodes one asks; a node that dies over it leaves it for the next day.
 */
export async function checkAccounts(world: World, w: Watching, at: Place): Promise<void> {
  const now = world.now();
  const [slot, minute] = [now.toISOString().slice(0, 10), now.getUTCHours() * 60 + now.getUTCMinutes()];
  const due = await world.db.read(at, async (db) => {
    const accounts = (await listAccounts(db)).map((l) => l.connection).filter((c) => minuteOf(c.id) <= minute);
    const seen = await listChecks(
      db,
      accounts.map((c) => c.id),
    );
    return accounts.filter((c) => (seen.get(c.id)?.slot ?? '') < slot);
  });
  for (const c of due) {
    const mine = await change(ctxOf(world, at), async (tx) => {
      if ((await takeCheck(tx, c.id, slot, world.now())) === 0) return { value: false, unchanged: true };
      const begun = { connection: c.id, connector: c.connector };
      return { value: true, events: [event(connectionEvents, 'connection.check_begun', begun)] };
    });
    if (mine) await check(world, w, at, c);
  }
}

const ctxOf = (world: World, at: Place) => systemCtx(world, 'connections.check', at);

async function check(world: World, w: Watching, at: Place, c: Connection): Promise<void> {
  let trouble: { why: string; says: string } | undefined;
  for (const last of [false, true]) {
    try {
      if (!(await w.look(at, c))) return;
      trouble = undefined;
      break;
    } catch (e) {
      trouble = troubleOf(e);
      if (trouble.why === 'broke') world.log.error({ err: e, connection: c.id }, 'the check of an account broke');
      if (!last) await pause(w.pauseMs ?? PAUSE_MS);
    }
  }
  await change(ctxOf(world, at), async (tx) => {
    await saveCheck(tx, c.id, world.now(), trouble);
    const data: { connection: Id<'cnn'>; connector: Id<'con'>; why: string | null } = {
      connection: c.id,
      connector: c.connector,
      why: trouble?.why ?? null,
    };
    return { value: undefined, events: [event(connectionEvents, 'connection.checked', data)] };
  });
}

function troubleOf(e: unknown): { why: string; says: string } {
  if (e instanceof Problem && e.kind !== 'bug') return { why: e.code.slice(0, 60), says: e.says };
  if (e instanceof VendorRefusal)
    return { why: (e.code ?? `status_${e.status}`).slice(0, 60), says: `the vendor says: ${e.says}` };
  return { why: 'broke', says: 'the check broke on our side; the log of the server says how' };
}
