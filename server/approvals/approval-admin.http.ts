import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from './approvals.http.ts';
import { countDays } from './days.sql.ts';
import { changeSettings } from './change-settings.ts';
import { QUICK_MS, rubberStamps } from './deciders.ts';
import { listDeciders } from './deciders.sql.ts';
import { usualSettings } from './settings.ts';
import { findSettings } from './settings.sql.ts';

const OneOrg = z.strictObject({ org: z.string() });
const Settings = z.strictObject({
  runGrants: z.boolean(),
  runMost: z.number().int().min(1).max(1000),
  runMinutes: z.number().int().min(1).max(1440),
  noticesAnHour: z.number().int().min(0).max(100),
});
const Moment = z.iso.datetime().transform((t) => new Date(t));
const DAYS = 30;
const MOST_DAYS = 366;
const DAY = 86_400_000;
const period = (q: { from?: Date | undefined; to?: Date | undefined }, now: Date): { from: Date; to: Date } => {
  const to = q.to ?? now;
  return { from: q.from ?? new Date(to.getTime() - DAYS * DAY), to };
};

/** What an organization says about approvals in general, and what it can learn from them; under `/api`. */
export const approvalAdminOperations: readonly Operation[] = [
  operation({
    id: 'approvals.get_settings',
    at: 'GET /orgs/:org/approval-settings',
    can: 'approval.read',
    says: 'Shows whether one yes may cover further calls of a run, and how many notices a person gets within an hour.',
    params: OneOrg,
    reply: Settings,
    handle: (ctx) => ctx.db.read(scopeOf(ctx), async (db) => (await findSettings(db)) ?? usualSettings),
  }),
  operation({
    id: 'approvals.change_settings',
    at: 'PATCH /orgs/:org/approval-settings',
    can: 'policy.manage',
    says: 'Changes them. What was approved before stays as it was.',
    params: OneOrg,
    body: Settings.partial(),
    reply: Settings,
    handle: (ctx, { body }) => changeSettings(inOrg(ctx), body),
  }),
  operation({
    id: 'approvals.list_deciders',
    at: 'GET /orgs/:org/approval-deciders',
    can: 'approval.read',
    says: `Shows how people decided in a period (the last ${DAYS} days, if none is given): how much, how often yes, how long they looked, and who seems to say yes without looking.`,
    params: OneOrg,
    query: ListQuery.extend({ from: Moment.optional(), to: Moment.optional() }).refine(
      (q) => q.cursor === undefined || (q.cursor.length === 2 && /^\d{1,9}$/.test(q.cursor[0] ?? '')),
      'this cursor was not made by this list; leave it out to begin at the top',
    ),
    reply: listOf(
      z.object({
        user: z.string(),
        name: z.string().nullable(),
        decisions: z.number(),
        approved: z.number(),
        /** Decided without opening the request. */
        unseen: z.number(),
        /** Decided within two seconds of opening it, or without. */
        quick: z.number(),
        medianMs: z.number().nullable(),
        approvedShare: z.number(),
        quickShare: z.number(),
        rubberStamps: z.boolean(),
      }),
    ),
    handle: async (ctx, { query: q }) => {
      const { from, to } = period(q, ctx.now);
      const [decisions, user] = q.cursor ?? [];
      const after = decisions !== undefined && user !== undefined ? { decisions: Number(decisions), user } : undefined;
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listDeciders(db, { from, to, q: containing(q.q), after, quickMs: QUICK_MS, limit: q.limit + 1 }),
      );
      const page = listed(rows, q.limit, (r) => [String(r.decisions), r.user]);
      return {
        ...page,
        items: page.items.map((f) => ({
          ...f,
          medianMs: f.medianMs === null ? null : Math.round(f.medianMs),
          approvedShare: f.approved / f.decisions,
          quickShare: f.quick / f.decisions,
          rubberStamps: rubberStamps(f),
        })),
      };
    },
  }),
  operation({
    id: 'approvals.count_days',
    at: 'GET /orgs/:org/approval-days',
    can: 'approval.read',
    says: `Counts what was asked for on each day in UTC of a period (the last ${DAYS} days, if none is given; a year at most), and what became of it.`,
    params: OneOrg,
    query: z.strictObject({ from: Moment.optional(), to: Moment.optional() }),
    reply: z.object({
      from: z.string(),
      to: z.string(),
      items: z.array(
        z.object({
          day: z.string(),
          asked: z.number(),
          approved: z.number(),
          denied: z.number(),
          expired: z.number(),
          waiting: z.number(),
          /** Taken back or replaced. */
          ended: z.number(),
        }),
      ),
    }),
    handle: async (ctx, { query: q }) => {
      const { from: wanted, to } = period(q, ctx.now);
      const from = new Date(Math.max(wanted.getTime(), to.getTime() - MOST_DAYS * DAY));
      const items = await ctx.db.read(scopeOf(ctx), (db) => countDays(db, { from, to, now: ctx.now }));
      return { from: from.toISOString(), to: to.toISOString(), items };
    },
  }),
];
