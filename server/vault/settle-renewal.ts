import { setTimeout as wait } from 'node:timers/promises';
import { change } from '#audit/change.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { Secret } from '#kernel/secret.ts';
import { refusedAgain } from './connector-app.ts';
import { lockAppRefusals, saveAppRefusals, saveAppTaken } from './connector-app.sql.ts';
import type { Connection } from './connection.ts';
import { saveRefused, saveRenewed, saveRenewedEnded } from './connection.sql.ts';
import { sealKept, type KeptTokens } from './kept.ts';
import { lockLease, releaseLease } from './lease.sql.ts';
import { vaultRefusals } from './refusals.ts';
import { backoffMs, MAX_BACKOFF_MS, vaultCtx, type Fresh, type Place, type Renewal } from './renewal.ts';
import { expiryOf, type TokenOutcome, type TokenRefusal } from './token-answer.ts';
import { vaultEvents } from './vault.events.ts';
import { oauthOf, type VendorSite } from './vendor-site.ts';

/** Stores what the vendor gave. Undefined: the lease was lost meanwhile, so it is not stored and not used. */
export async function settleGranted(
  r: Renewal,
  at: Place,
  site: VendorSite,
  before: Connection,
  owner: string,
  old: Secret,
  { grant, facts }: Extract<TokenOutcome, { kind: 'granted' }>,
): Promise<Fresh | undefined> {
  const { world } = r;
  const now = world.now();
  const rotated = grant.refreshToken !== undefined && grant.refreshToken !== old.reveal();
  const tokens: KeptTokens = {
    access: new Secret(grant.accessToken),
    refresh: grant.refreshToken === undefined ? old : new Secret(grant.refreshToken),
  };
  const connection: Connection = {
    ...before,
    generation: before.generation + 1,
    scopes: grant.scopes ?? before.scopes,
    facts: { ...before.facts, ...facts },
    expiry: { ...expiryOf(oauthOf(site), grant, now, before.expiry), given: before.expiry.given },
    standing: { state: 'active' },
    lastRefreshed: now,
  };
  const sealed = await sealKept(world.seal, at.org, connection, tokens);
  const stored = await persist(r, () =>
    change(vaultCtx(world, at), async (tx) => {
      const lease = await lockLease(tx, before.id);
      if (lease.owner !== owner) return { value: 'lost' as const, unchanged: true };
      const kept = await saveRenewed(tx, { ...connection, at: now }, sealed);
      const ended = kept === 0 && (await saveRenewedEnded(tx, connection, sealed)) > 0;
      await releaseLease(tx, before.id, owner, true);
      const { id, connector, generation } = connection;
      const told = event(vaultEvents, 'connection.refreshed', { connection: id, connector, generation, rotated });
      if (kept === 0)
        // Ended meanwhile, or another grant took its place: whoever waits looks again.
        return ended ? { value: 'lost' as const, events: [told] } : { value: 'lost' as const, unchanged: true };
      const accepted =
        (await saveAppTaken(tx, connector)) > 0 ? [event(vaultEvents, 'connector_app.accepted', { connector })] : [];
      return { value: 'stored' as const, events: [told, ...accepted] };
    }),
  );
  r.metrics.renewed(stored === 'stored' ? 'refreshed' : 'fenced');
  return stored === 'stored' ? { connection, tokens } : undefined;
}

/** What the vendor gave is worth more than one try: a database that is away for seconds must not cost a person's consent. */
async function persist<T>(r: Renewal, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + r.leaseMs;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await work();
    } catch (e) {
      if (!(e instanceof Problem) || e.kind !== 'unavailable' || performance.now() + pause > until) throw e;
      await wait(pause);
    }
  }
}

/** Writes down why there is no new token, and throws it. Undefined: the lease was lost meanwhile. */
export async function settleRefusal(
  r: Renewal,
  at: Place,
  site: VendorSite,
  c: Connection,
  owner: string,
  refusal: TokenRefusal,
): Promise<undefined> {
  const { world } = r;
  const now = world.now();
  const fails = c.standing.state === 'refresh_failed' ? c.standing.fails + 1 : 1;
  const pause = Math.max(backoffMs(fails), Math.min(refusal.retryAfterMs ?? 0, MAX_BACKOFF_MS));
  const { because, code: why } = refusal;
  const { id, connector } = c;
  const stored = await change(vaultCtx(world, at), async (tx) => {
    const lease = await lockLease(tx, id);
    if (lease.owner !== owner) return { value: false, unchanged: true };
    const saved = await saveRefused(tx, id, c.generation, {
      state: because === 'reconnect' ? 'reconnect' : 'refresh_failed',
      because: because === 'reconnect' ? null : because,
      why,
      fails: because === 'reconnect' ? 0 : fails,
      next: because === 'reconnect' ? null : new Date(now.getTime() + pause),
    });
    await releaseLease(tx, id, owner, refusal.acted === 'no');
    if (saved === 0) return { value: false, unchanged: true };
    const told: [AuditEvent, ...AuditEvent[]] =
      because === 'reconnect'
        ? [
            event(vaultEvents, 'connection.reconnect_needed', {
              connection: id,
              connector,
              member: c.owner.kind === 'person' ? c.owner.member : null,
              why,
            }),
          ]
        : [event(vaultEvents, 'connection.refresh_failed', { connection: id, connector, because, why, fails })];
    if (because === 'app') told.push(...(await noteAppRefused(tx, connector, why, now)));
    return { value: true, events: told };
  });
  if (!stored) return undefined;
  r.metrics.renewed(why === 'lost_rotation' ? why : because);
  if (because === 'reconnect') throw vaultRefusals.reconnect(site.name, why, refusal.says);
  throw because === 'app'
    ? vaultRefusals.app(site.name, why, refusal.says)
    : vaultRefusals.later(site.name, why, refusal.says, pause);
}

/** Several refusals of the app in a short time are one fact about the connector, told once. */
async function noteAppRefused(tx: Tx, connector: Id<'con'>, why: string, now: Date): Promise<AuditEvent[]> {
  const before = await lockAppRefusals(tx, connector);
  if (!before) return [];
  const { refused, failing } = refusedAgain(before.refused, now);
  const news = failing && before.failingSince === null;
  await saveAppRefusals(tx, connector, { refused, failingSince: before.failingSince ?? (failing ? now : null) });
  return news ? [event(vaultEvents, 'connector_app.refused', { connector, why })] : [];
}
