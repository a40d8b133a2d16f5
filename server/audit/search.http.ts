import { z } from 'zod';
import { scopeOf, type Ctx } from '#kernel/ctx.ts';
import { MAX_PAGE } from '#kernel/limits.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { noCheckpoint } from './audit.http.ts';
import type { Disposition } from './events.ts';
import { logOf, type LogId } from './inbox.sql.ts';
import { proveConsistency } from './prove.ts';
import { readingRecorder } from './record-reading.ts';
import { MOST_COUNTED, SPAN, type Search } from './search.ts';
import { countEvents, searchEvents, type Names } from './search-events.ts';
import { ShownEvent, type Vocabulary } from './shown-event.ts';
import { findCheckpoint, findCheckpointAt, listCheckpoints } from './tree.sql.ts';

const Org = z.strictObject({ org: z.string() });
const Which = z.enum(['org', 'parent']).default('org').describe("The organization's own log, or its parent's.");
const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const dispositions = ['returned', 'held', 'denied', 'blocked', 'failed', 'lost'] as const satisfies Disposition[];

/** Several values with commas between them; any of them may fit. */
const any = (what: string) =>
  z
    .string()
    .min(1)
    .max(1000)
    .transform((text) => [...new Set(text.split(',').map((t) => t.trim()))].filter((t) => t !== ''))
    .pipe(z.array(z.string().max(200)).min(1).max(20))
    .optional()
    .describe(`${what} Several with commas between them: any of them.`);

/** A moment, or how long ago: `24h`, `7d`, `30m`. */
const Moment = z
  .string()
  .max(40)
  .refine(
    (t) => /^[1-9]\d{0,4}[mhd]$/.test(t) || !Number.isNaN(Date.parse(t)),
    'a time like 2026-11-20T08:00Z, or 24h, 7d, 30m',
  )
  .optional();
const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const momentOf = (text: string | undefined, now: Date): Date | undefined => {
  const ago = text === undefined ? undefined : /^(\d+)([mhd])$/.exec(text);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0));
  return text === undefined ? undefined : new Date(text);
};

const Filter = {
  log: Which,
  type: any('Types of events.'),
  actor: any('Ids of who acted.'),
  outcome: any('How calls ended: returned, held, denied, blocked, failed, lost.').pipe(
    z.array(z.enum(dispositions)).optional(),
  ),
  connector: any('Ids of connectors.'),
  tool: any('Names of tools.'),
  call: any('Ids of calls.'),
  request: any('Numbers of requests, as a refusal gives them.'),
  resource: any('Ids of what an event is about.'),
  text: z.string().min(1).max(200).optional().describe('Anywhere in the event.'),
  since: Moment.describe('From this time on: a moment, or how long ago (24h, 7d, 30m).'),
  until: Moment.describe('Before this time.'),
};
type Asked = Omit<Search, 'since' | 'until'> & { since?: string | undefined; until?: string | undefined };

const logFor = (ctx: Ctx, which: 'org' | 'parent'): LogId => (which === 'parent' ? ctx.parent : logOf(ctx));
const searchOf = ({ since, until, ...rest }: Asked, now: Date): Search => ({
  ...rest,
  since: momentOf(since, now),
  until: momentOf(until, now),
});
const told = (s: Asked): string | null =>
  Object.entries(s)
    .flatMap(([k, v]) => (v === undefined ? [] : [`${k} ${typeof v === 'string' ? v : v.join(',')}`]))
    .join(', ')
    .slice(0, 300) || null;

/** Searching the log, its totals, and its checkpoints. A page and the totals of one search leave one trace. */
export function searchOperations(rooms: { vocabulary: Vocabulary; names: Names }): Operation[] {
  const recordReading = readingRecorder();
  return [
    operation({
      id: 'audit.search_events',
      at: 'GET /orgs/:org/audit/search',
      can: 'audit.read',
      says:
        'Searches the log, newest first, with the names of whom it speaks of. ' +
        `By tool, resource or text a page looks at ${SPAN} positions; follow next. Reading leaves an event.`,
      discloses: true,
      params: Org,
      query: z.strictObject({
        ...Filter,
        before: position.optional().describe('Events before this position.'),
        limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(100),
      }),
      reply: z.object({
        log: z.string(),
        size: z.number().int(),
        events: z.array(ShownEvent),
        names: z.record(z.string(), z.string()).describe('Of people and connectors, by id.'),
        next: z.number().int().nullable(),
      }),
      async handle(ctx, { query: { log: which, before, limit, ...asked } }) {
        const log = logFor(ctx, which);
        await recordReading(ctx, { log, from: null, to: before ?? null, filter: told(asked) });
        return searchEvents(ctx, rooms, log, { search: searchOf(asked, ctx.now), before, limit });
      },
    }),
    operation({
      id: 'audit.count_events',
      at: 'GET /orgs/:org/audit/totals',
      can: 'audit.read',
      says: `Counts what fits, exactly up to ${MOST_COUNTED}, and when it was. Reading leaves an event.`,
      discloses: true,
      params: Org,
      query: z.strictObject(Filter),
      reply: z.object({
        size: z.number().int(),
        found: z.object({ count: z.number().int(), exact: z.boolean(), since: z.number().int() }),
        picture: z
          .object({
            from: z.iso.datetime(),
            to: z.iso.datetime(),
            intervals: z.array(z.object({ at: z.iso.datetime(), count: z.number().int(), odd: z.number().int() })),
          })
          .nullable()
          .describe('`odd`: of them, those that did not end as answered.'),
      }),
      async handle(ctx, { query: { log: which, ...asked } }) {
        const log = logFor(ctx, which);
        await recordReading(ctx, { log, from: null, to: null, filter: told(asked) });
        const { size, found, picture } = await countEvents(ctx, log, searchOf(asked, ctx.now));
        return {
          size,
          found,
          picture: picture
            ? {
                from: picture.from.toISOString(),
                to: picture.to.toISOString(),
                intervals: picture.intervals.map((i) => ({ ...i, at: i.at.toISOString() })),
              }
            : null,
        };
      },
    }),
    operation({
      id: 'audit.list_checkpoints',
      at: 'GET /orgs/:org/audit/checkpoints',
      can: 'audit.read',
      says: 'Lists signed checkpoints, the largest first; before is a size.',
      params: Org,
      query: z.strictObject({
        log: Which,
        limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
        cursor: position.optional().describe('Checkpoints of a smaller size than this.'),
      }),
      reply: z.object({
        items: z.array(z.object({ size: z.number().int(), at: z.iso.datetime(), checkpoint: z.string() })),
        next: z.string().nullable(),
      }),
      async handle(ctx, { query }) {
        const rows = await ctx.db.read(scopeOf(ctx), (db) =>
          listCheckpoints(db, logFor(ctx, query.log), query.cursor, query.limit + 1),
        );
        const items = rows
          .slice(0, query.limit)
          .map((c) => ({ size: c.size, at: c.at.toISOString(), checkpoint: c.note }));
        return { items, next: rows.length > query.limit ? String(items.at(-1)?.size ?? 0) : null };
      },
    }),
    operation({
      id: 'audit.prove_growth',
      at: 'GET /orgs/:org/audit/growth',
      can: 'audit.read',
      says: 'Proves that the log of one checkpoint begins with that of an earlier one (RFC 9162 consistency).',
      params: Org,
      query: z.strictObject({ log: Which, from: position, to: position }),
      reply: z.object({ from: z.string(), to: z.string(), hashes: z.array(z.string()) }),
      async handle(ctx, { query }) {
        const log = logFor(ctx, query.log);
        if (query.from > query.to)
          throw new Problem('invalid', 'audit/backwards', {
            says: `a log of ${query.to} does not contain one of ${query.from}`,
            fix: 'give the smaller size as from',
          });
        return ctx.db.read(scopeOf(ctx), async (db) => {
          const [newest, from, to] = [
            await findCheckpoint(db, log),
            await findCheckpointAt(db, log, query.from),
            await findCheckpointAt(db, log, query.to),
          ];
          if (!newest || !from || !to) throw noCheckpoint();
          const hashes = await proveConsistency(db, log, from.size, to.size);
          return { from: from.note, to: to.note, hashes: hashes.map((h) => h.toString('base64')) };
        });
      },
    }),
  ];
}
