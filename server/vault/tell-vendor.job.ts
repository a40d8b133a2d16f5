import { z } from 'zod';
import { change } from '#audit/change.ts';
import type { World } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { listToTell, lookupEnded, takeUntold } from './connection.sql.ts';
import { revoked } from './end-connection.ts';
import { vaultCtx, type Place } from './renewal.ts';
import { TELL_VENDOR, tellVendor } from './tell-vendor.ts';
import type { SiteOf } from './vendor-site.ts';

const Payload = z.object({
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  connection: z.custom<Id<'cnn'>>(),
});
/** Of one organization in one run; the rest waits for the next minute. */
const MOST = 200;

/** Tells vendors of connections that ended: at once where somebody ended them, within a minute where they ended with their person. */
export const tellVendorJobs = (world: World, siteOf: SiteOf): Job[] => [
  {
    name: TELL_VENDOR,
    async run(payload) {
      const { connection, ...at } = Payload.parse(payload);
      await tellVendor(world, siteOf, at, connection);
    },
  },
  {
    name: 'vault.sweep_ended',
    cron: '* * * * *',
    run: () => sweepEnded(world, siteOf),
  },
];

/** Tells the log what a trigger ended, and vendors what is due. One organization's trouble is its own, and one connection's. */
export async function sweepEnded(world: World, siteOf: SiteOf): Promise<void> {
  const due = await world.db.lookup(lookupEnded(world.now()));
  for (const at of due?.scopes ?? [])
    await sweepOrg(world, siteOf, at).catch((err: unknown) =>
      world.log.error({ err, org: at.org }, 'the ended connections of an organization could not be looked after'),
    );
}

async function sweepOrg(world: World, siteOf: SiteOf, at: Place): Promise<void> {
  const ctx = vaultCtx(world, at);
  await change(ctx, async (tx) => {
    const [first, ...rest] = (await takeUntold(tx, 'system')).flatMap((c) =>
      c.standing.state === 'revoked' ? [revoked(c, c.standing.why)] : [],
    );
    return first ? { value: undefined, events: [first, ...rest] } : { value: undefined, unchanged: true };
  });
  const ids = await world.db.read(at, (db) => listToTell(db, world.now(), MOST));
  for (const { id } of ids)
    await tellVendor(world, siteOf, at, id).catch((err: unknown) =>
      world.log.error({ err, connection: id }, 'a vendor could not be told of the end of a connection'),
    );
}
