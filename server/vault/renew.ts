import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { change } from '#audit/change.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import type { Secret } from '#kernel/secret.ts';
import { askToken } from './ask-token.ts';
import { findSealedApp } from './connector-app.sql.ts';
import { forgetRegistration } from './forget-registration.ts';
import type { Connection } from './connection.ts';
import { findSealedConnection, type SealedConnection } from './connection.sql.ts';
import { openTokens } from './kept.ts';
import { lockLease, releaseLease, saveLease } from './lease.sql.ts';
import { openApp } from './open-app.ts';
import { vaultRefusals } from './refusals.ts';
import { vaultCtx, type Fresh, type Place, type Renewal } from './renewal.ts';
import { settleGranted, settleRefusal } from './settle-renewal.ts';
import type { TokenOutcome, TokenRefusal } from './token-answer.ts';
import { oauthOf, type VendorSite } from './vendor-site.ts';

/** Between two looks at whether another node has renewed it. */
const POLL_MS = 60;

type Taken =
  | { kind: 'mine'; owner: string; found: SealedConnection; interrupted: boolean }
  | { kind: 'theirs' }
  | { kind: 'over'; found: SealedConnection | undefined };

/**
 * Renews the tokens of generation `before`, or has them renewed: of all nodes that want it at once, one asks the vendor and the others wait and
 * use what it got. INVARIANT (one at a time): whoever asks the vendor holds the lease on that generation, and only the holder's answer is stored;
 * an answer is stored before the token is given to anybody.
 */
export async function renew(r: Renewal, at: Place, site: VendorSite, id: Id<'cnn'>, before: number): Promise<Fresh> {
  const until = performance.now() + r.waitMs;
  for (;;) {
    const taken = await takeLease(r, at, id, before);
    if (taken.kind === 'mine') {
      const done = await renewMine(r, at, site, taken);
      if (done) return done;
    } else if (taken.kind === 'over') {
      const { found } = taken;
      if (!found?.sealed) throw vaultRefusals.none();
      refuseStanding(found.connection, site, r.world.now());
      return {
        connection: found.connection,
        tokens: await openTokens(r.world.seal, at.org, found.connection, found.sealed),
      };
    }
    if (performance.now() > until)
      throw vaultRefusals.later(site.name, 'renewal_under_way', 'another node renews it and has not finished', 5_000);
    await wait(POLL_MS * (0.5 + Math.random()));
  }
}

/** Refuses what cannot be renewed now. */
export function refuseStanding({ standing }: Connection, site: Pick<VendorSite, 'name'>, now: Date): void {
  switch (standing.state) {
    case 'revoked':
      throw vaultRefusals.none();
    case 'reconnect':
      throw vaultRefusals.reconnect(site.name, standing.why);
    case 'refresh_failed': {
      const left = standing.next === undefined ? 0 : standing.next.getTime() - now.getTime();
      if (left <= 0) return;
      throw standing.because === 'app'
        ? vaultRefusals.app(site.name, standing.why, standing.why)
        : vaultRefusals.later(site.name, standing.why, standing.why, left);
    }
    case 'active':
  }
}

function takeLease(r: Renewal, at: Place, id: Id<'cnn'>, before: number): Promise<Taken> {
  const ctx = vaultCtx(r.world, at);
  const over = (found: SealedConnection | undefined): { value: Taken; unchanged: true } => ({
    value: { kind: 'over', found },
    unchanged: true,
  });
  return change(ctx, async (tx) => {
    // Without taking the lease: most who come are not the first.
    const seen = await findSealedConnection(tx, id);
    if (!seen || finished(seen, before, ctx.now)) return over(seen);
    const lease = await lockLease(tx, id);
    if (lease.held) return { value: { kind: 'theirs' } as const, unchanged: true };
    // Whoever had it may have finished since; nobody else can now.
    const found = await findSealedConnection(tx, id);
    if (!found || finished(found, before, ctx.now)) return over(found);
    const owner = randomUUID();
    await saveLease(tx, id, { owner, ms: r.leaseMs, generation: before });
    return { value: { kind: 'mine', owner, found, interrupted: lease.attempt === before } as const, unchanged: true };
  });
}

const finished = ({ connection: c, sealed }: SealedConnection, before: number, now: Date): boolean =>
  sealed === undefined ||
  c.generation !== before ||
  c.standing.state === 'revoked' ||
  c.standing.state === 'reconnect' ||
  (c.standing.state === 'refresh_failed' && c.standing.next !== undefined && c.standing.next > now);

/** Undefined: the lease was lost meanwhile, so what came is not stored and not used. */
async function renewMine(
  r: Renewal,
  at: Place,
  site: VendorSite,
  { owner, found, interrupted }: Extract<Taken, { kind: 'mine' }>,
): Promise<Fresh | undefined> {
  const { world } = r;
  const { connection } = found;
  // Whether it is known what the vendor did; nobody was asked yet.
  let ended = !interrupted;
  try {
    if (!found.sealed) throw vaultRefusals.none();
    const { refresh } = await openTokens(world.seal, at.org, connection, found.sealed);
    if (!refresh) {
      const refusal: TokenRefusal = {
        because: 'reconnect',
        code: 'no_refresh_token',
        says: 'it gave no token that can be renewed',
        acted: 'no',
      };
      return await settleRefusal(r, at, site, connection, owner, refusal);
    }
    ended = false;
    const outcome = await askOnce(r, at, site, connection, refresh);
    if (outcome.kind === 'granted') return await settleGranted(r, at, site, connection, owner, refresh, outcome);
    const lost = interrupted && outcome.code === 'invalid_grant' && oauthOf(site).lifetimes.rotation === 'single_use';
    // INVARIANT (a lost rotation is known as one): an attempt on these tokens was begun and never ended, and now they are not taken.
    return await settleRefusal(
      r,
      at,
      site,
      connection,
      owner,
      lost
        ? { ...outcome, code: 'lost_rotation', says: 'its newest token was lost before it could be stored' }
        : // What an earlier attempt did stays unknown until the vendor says something about the token.
          { ...outcome, acted: interrupted && outcome.because !== 'reconnect' ? 'perhaps' : outcome.acted },
    );
  } catch (e) {
    await change(vaultCtx(world, at), async (tx) => {
      await releaseLease(tx, connection.id, owner, ended);
      return { value: undefined, unchanged: true };
    }).catch((err: unknown) => world.log.warn({ err, connection: connection.id }, 'a lease was not given back'));
    throw e;
  }
}

async function askOnce(
  r: Renewal,
  at: Place,
  site: VendorSite,
  connection: Connection,
  refresh: Secret,
): Promise<TokenOutcome> {
  const { world } = r;
  const sealedApp = await world.db.read(at, (db) => findSealedApp(db, connection.connector));
  let app;
  try {
    app = await openApp(world.seal, at.org, oauthOf(site), sealedApp, site.name);
  } catch (e) {
    if (!(e instanceof Problem) || e.code !== 'vault/app') throw e;
    const code = typeof e.more?.['why'] === 'string' ? e.more['why'] : 'no_app';
    return { kind: 'refused', because: 'app', code, says: e.says, acted: 'no' };
  }
  const ask = (): Promise<TokenOutcome> =>
    askToken(world.egress, site, app, {
      grantType: 'refresh_token',
      parameters: { refresh_token: refresh.reveal() },
      now: world.now(),
    });
  const first = await ask();
  // Sent twice only where that can do no harm: it never left, or the token stays what it is.
  const again =
    first.kind === 'refused' &&
    first.code === 'network' &&
    (first.neverLeft || oauthOf(site).lifetimes.rotation !== 'single_use');
  const outcome = again ? await ask() : first;
  if (outcome.kind === 'granted' || outcome.code !== 'invalid_client') return outcome;
  // A registration of ours is of nobody else's making: nobody need mend it, and what it was given is gone with it.
  return (await forgetRegistration(vaultCtx(world, at), sealedApp?.app))
    ? { ...outcome, because: 'reconnect', code: 'client_forgotten', says: 'it has forgotten our registration' }
    : outcome;
}
