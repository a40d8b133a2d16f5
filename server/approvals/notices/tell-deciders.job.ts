import { z } from 'zod';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { enqueue, type Job } from '#kernel/job.ts';
import { notify } from '#notify/notify.ts';
import { lookupOrgParent } from '#org/org.sql.ts';
import { approvalEvents } from '../approvals.events.ts';
import { lockUnsent, lookupDueNotices, saveSent } from './notice.sql.ts';
import { tellDeciders } from './tell-deciders.ts';
import type { Tools } from '../tools.ts';

/** Names are stored in rows, so they are for ever. */
const TELL_JOB = 'approvals.tell';
/** How long what is not urgent waits for company. */
const SUMMARY_MS = 15 * 60_000;

const Payload = z.object({ org: z.custom<Id<'org'>>(), approval: z.custom<Id<'apr'>>() });

/** In the transaction that asks, so that somebody is told exactly if it commits. */
export const enqueueTelling = (tx: Tx, org: Id<'org'>, approval: Id<'apr'>): Promise<void> =>
  enqueue(tx, TELL_JOB, { org, approval }, { key: `${TELL_JOB}:${approval}` });

/** Tells people of requests that wait for them: each at once, or a summary every quarter of an hour. */
export const tellDecidersJobs = (world: World, tools: Tools): Job[] => [
  {
    name: TELL_JOB,
    async run(payload) {
      const { org, approval } = Payload.parse(payload);
      const place = await world.db.lookup(lookupOrgParent(org));
      if (place?.parent)
        await tellDeciders({ ...systemCtx(world, TELL_JOB, { parent: place.parent, org }), org }, tools, approval);
    },
  },
  {
    name: 'approvals.summary',
    cron: '*/5 * * * *',
    async run() {
      const before = new Date(world.now().getTime() - SUMMARY_MS);
      const due = await world.db.lookup(lookupDueNotices(before));
      for (const scope of due?.scopes ?? []) {
        const ctx = { ...systemCtx(world, 'approvals.summary', scope), org: scope.org };
        await change(ctx, async (tx) => {
          // Whoever is told of one that has waited long enough is told of all that wait for him.
          const unsent = await lockUnsent(tx, 'digest', ctx.now, 1000);
          const people = Map.groupBy(unsent, (n) => n.person);
          let told = 0;
          for (const [person, notices] of people) {
            if (!notices.some((n) => n.plannedAt <= before)) continue;
            const ids = notices.map((n) => n.approval);
            await notify(tx, ctx, {
              to: [person],
              about: { kind: 'approvals_wait', approvals: ids.slice(0, 100), more: Math.max(0, ids.length - 100) },
            });
            await saveSent(tx, person, ids, ctx.now);
            told += 1;
          }
          if (told === 0) return { value: undefined, unchanged: true };
          return { value: undefined, events: [event(approvalEvents, 'approval.summed_up', { people: told })] };
        });
      }
    },
  },
];
