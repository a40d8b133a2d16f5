import { z } from 'zod';
import { scopeOf } from '#kernel/ctx.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { FoundInEvent } from './dlp.events.ts';
import { countDetectors, countFindingDays, listFindings } from './findings.sql.ts';
import { dlpActions } from './verdict.ts';

const InOrg = z.object({ org: z.string() });
const Moment = z.iso.datetime().transform((t) => new Date(t));
const DAY = 86_400_000;
const DAYS = 30;
const MOST_DAYS = 366;
/** Lines of the list of what was found most. */
const MAX_DETECTORS = 50;

const FoundShown = z.object({
  seq: z.number().describe('Position of the event in the log.'),
  at: z.string(),
  type: z.string(),
  actor: z.string().nullable(),
  name: z.string().nullable(),
  connector: z.string().nullable(),
  tool: z.string().nullable(),
  call: z.string().nullable(),
  outcome: z.string().nullable(),
  phase: z.string().nullable(),
  action: z.enum(dlpActions).describe('The most severe that was to be done.'),
  findings: z.array(FoundInEvent),
  quarantine: z.string().nullable(),
});

/** What was found in content, as the log tells of it: type, place and count, never the match. */
export const findingOperations: readonly Operation[] = [
  operation({
    id: 'dlp.list_findings',
    at: 'GET /orgs/:org/dlp/findings',
    can: 'dlp.review',
    says: 'Lists the events in which something was found in content, newest first: what, where and how often, never the match. q searches what was found, tool, connector, call and person.',
    params: InOrg,
    query: ListQuery.extend({ detector: z.string().max(100).optional() }).refine(
      (q) => q.cursor === undefined || (q.cursor.length === 1 && /^\d{1,18}$/.test(q.cursor[0] ?? '')),
      'this cursor was not made by this list; leave it out to begin at the top',
    ),
    reply: listOf(FoundShown),
    async handle(anywhere, { query: { q, detector, cursor, limit } }) {
      const ctx = inOrg(anywhere);
      const rows = await ctx.db.read(scopeOf(ctx), (db) =>
        listFindings(db, ctx.org, { q: containing(q), detector, before: cursor?.[0], limit: limit + 1 }),
      );
      const page = listed(rows, limit, (r) => [String(r.seq)]);
      return { ...page, items: page.items.map((r) => ({ ...r, at: r.at.toISOString() })) };
    },
  }),
  operation({
    id: 'dlp.count_findings',
    at: 'GET /orgs/:org/dlp/finding-days',
    can: 'dlp.review',
    says: `Counts the events in which something was found, by day in UTC and what was to be done, and what was found most, in a period (the last ${DAYS} days, if none is given; a year at most).`,
    params: InOrg,
    query: z.strictObject({ from: Moment.optional(), to: Moment.optional() }),
    reply: z.object({
      from: z.string(),
      to: z.string(),
      days: z.array(z.object({ day: z.string(), action: z.enum(dlpActions), events: z.number() })),
      detectors: z.array(z.object({ detector: z.string(), events: z.number(), matches: z.number() })),
    }),
    async handle(anywhere, { query }) {
      const ctx = inOrg(anywhere);
      const to = query.to ?? ctx.now;
      const wanted = query.from ?? new Date(to.getTime() - DAYS * DAY);
      const from = new Date(Math.max(wanted.getTime(), to.getTime() - MOST_DAYS * DAY));
      const [days, detectors] = await ctx.db.read(scopeOf(ctx), async (db) => [
        await countFindingDays(db, ctx.org, { from, to }),
        await countDetectors(db, ctx.org, { from, to, limit: MAX_DETECTORS }),
      ]);
      return { from: from.toISOString(), to: to.toISOString(), days, detectors };
    },
  }),
];
