import { z } from 'zod';
import { systemCtx, type World } from '#kernel/ctx.ts';
import { parseId } from '#kernel/id.ts';
import type { Job } from '#kernel/job.ts';
import { Problem } from '#kernel/problem.ts';
import { CHECK_JOB, checkDomain } from './check-domain.ts';
import { findDomain, lookupDueDomains } from './domain.sql.ts';
import type { Herald } from './herald.ts';

const Payload = z.object({
  parent: z.string().transform((t) => parseId('par', t)),
  domain: z.string().transform((t) => parseId('dom', t)),
});

/** Runs a check if it is due: a domain that somebody has checked meanwhile, or removed, is left alone. */
async function checkIfDue(world: World, herald: Herald, payload: unknown): Promise<void> {
  const { parent, domain } = Payload.parse(payload);
  if (!parent || !domain) return;
  const ctx = systemCtx(world, CHECK_JOB, { parent });
  const known = await ctx.db.read({ parent }, (db) => findDomain(db, domain));
  if (!known || known.nextCheckAt > ctx.now) return;
  try {
    await checkDomain(ctx, herald, domain, false);
  } catch (e) {
    if (!(e instanceof Problem) || e.kind !== 'missing') throw e;
  }
}

/** One domain's check, enqueued for its time with each check before it. */
export const checkDomainJob = (world: World, herald: Herald): Job => ({
  name: 'domains.check',
  run: (payload) => checkIfDue(world, herald, payload),
});

/** Every ten minutes: checks that were missed, because a job was lost or every node was down. */
export const checkDueDomainsJob = (world: World, herald: Herald): Job => ({
  name: 'domains.check_due',
  cron: '*/10 * * * *',
  async run() {
    const late = new Date(world.now().getTime() - 5 * 60_000);
    for (const due of (await world.db.lookup(lookupDueDomains(late)))?.due ?? []) {
      try {
        await checkIfDue(world, herald, due);
      } catch (e) {
        // One domain's trouble must not keep the others waiting.
        world.log.warn({ err: e, domain: due.domain }, 'a check of a domain failed');
      }
    }
  },
});
