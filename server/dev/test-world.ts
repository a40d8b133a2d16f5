import { fileURLToPath } from 'node:url';
import type { World } from '#kernel/ctx.ts';
import type { Db } from '#kernel/db.ts';
import { makeDns } from '#kernel/dns.ts';
import { makeEgress } from '#kernel/egress.ts';
import { silentLog } from '#kernel/log.ts';
import { openSeal } from '#kernel/open-seal.ts';

const keyFile = fileURLToPath(new URL('../../.gatehouse/test-seal.key', import.meta.url));

/** What a test replaces: parts of the World; a stopped clock goes in as `clock: stoppedClock('2026-01-01')`. */
export type WorldOver = Partial<World> & { clock?: { now(): Date } };

/**
 * A World of real parts around a test's database: real seal with a key file that all tests share, real egress, silent log, system clock.
 * Egress reaches no private address here either, unless the caller's rules name it. Close `egress` at the end, or use `TestDb.world`.
 */
export async function testWorld(db: Db | { db: Db }, { clock, ...over }: WorldOver = {}): Promise<World> {
  const pool = 'pool' in db ? db : db.db;
  return {
    db: pool,
    log: silentLog,
    seal: over.seal ?? (await openSeal(keyFile, pool)),
    egress: over.egress ?? makeEgress({ log: silentLog }),
    // Nowhere to ask: a test that wants names brings a server of its own (dev/dns.ts).
    dns: makeDns({ roots: [], resolvers: [] }),
    origin: 'http://localhost:0',
    now: () => clock?.now() ?? new Date(),
    ...over,
  };
}
