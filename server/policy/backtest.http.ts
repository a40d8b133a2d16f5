import { z } from 'zod';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, type Operation } from '#kernel/operation.ts';
import { inOrg } from '#org/org.http.ts';
import { unknowns } from './backtest.ts';
import { backtestStates, findBacktest, listBacktests, type BacktestRun } from './backtest.sql.ts';
import { cancelBacktest, noBacktest } from './cancel-backtest.ts';
import { answers } from './decided-call.ts';
import type { Catalogue } from './catalogue.ts';
import { DraftForm } from './draft.ts';
import { InOrg, pathId } from './forms.ts';
import { listAccountNames } from './people.sql.ts';
import { startBacktest } from './start-backtest.ts';

const OneBacktest = InOrg.extend({ backtest: pathId('bkt', noBacktest) });

const change = { from: z.enum(answers), to: z.enum(answers) };
const lines = <T extends z.ZodRawShape>(of: T) =>
  z.object({
    items: z.array(z.object({ ...of, ...change, calls: z.number() })),
    more: z.number().describe('Lines that are left out.'),
  });
const person = { user: z.string(), person: z.string().nullable().describe('As the account is called now.') };
const Report = z.object({
  now: z.string().describe('Version of the policies that were in force.'),
  draft: z.string(),
  calls: z.number(),
  same: z.number(),
  changed: z.number(),
  notAsked: z.number().describe('Ended before policy was asked: an unknown tool, a token without the scope.'),
  unknown: z.record(z.enum(unknowns), z.number()),
  changes: z.array(
    z.object({
      ...change,
      calls: z.number(),
      ran: z.number().describe('Of these, calls that had been answered.'),
      examples: z.array(
        z.object({
          call: z.string(),
          at: z.string(),
          ...person,
          connector: z.string(),
          tool: z.string(),
          outcome: z.string().nullable(),
          ...change,
          policies: z.array(z.string()),
        }),
      ),
    }),
  ),
  policies: lines({ policy: z.string(), name: z.string().optional(), words: z.string().optional() }),
  tools: lines({ connector: z.string(), tool: z.string() }),
  people: lines(person),
  days: z
    .array(z.object({ day: z.string(), ...change, calls: z.number() }))
    .optional()
    .describe('What would end differently on each day, in UTC.'),
});
const line = {
  id: z.string(),
  state: z.enum(backtestStates),
  since: z.string(),
  until: z.string(),
  calls: z.number(),
  seen: z.number().describe('How many of the calls it has looked at.'),
  says: z.string().nullable().describe('Why it failed.'),
  askedBy: z.string(),
  askedAt: z.string(),
  endedAt: z.string().nullable(),
};
const Line = z.object(line);
const Backtested = z.object({ ...line, draft: z.unknown(), report: Report.nullable() });

const lineOf = (b: BacktestRun): z.input<typeof Line> => ({
  id: b.id,
  state: b.state,
  since: b.since.toISOString(),
  until: b.until.toISOString(),
  calls: b.calls,
  seen: b.seen,
  says: b.says,
  askedBy: b.askedBy,
  askedAt: b.askedAt.toISOString(),
  endedAt: b.endedAt?.toISOString() ?? null,
});

async function shown(ctx: OrgCtx, id: Id<'bkt'>): Promise<z.input<typeof Backtested>> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const b = await findBacktest(db, id);
    if (!b) throw noBacktest(id);
    const { report } = b;
    if (!report) return { ...lineOf(b), draft: b.draft, report: null };
    const users = [
      ...report.people.items.map((p) => p.user),
      ...report.changes.flatMap((c) => c.examples.map((e) => e.user)),
    ];
    const names = new Map((await listAccountNames(db, [...new Set(users)])).map((n) => [n.user, n.displayName]));
    const called = <T extends { user: Id<'usr'> }>(x: T): T & { person: string | null } => ({
      ...x,
      person: names.get(x.user) ?? null,
    });
    return {
      ...lineOf(b),
      draft: b.draft,
      report: {
        ...report,
        changes: report.changes.map((c) => ({
          ...c,
          examples: c.examples.map((e) => called({ ...e, policies: [...e.policies] })),
        })),
        people: { ...report.people, items: report.people.items.map(called) },
      },
    };
  });
}

/** Trying a draft of the policies on the calls of the last days. */
export const backtestOperations = (catalogue: Pick<Catalogue, 'hasConnector' | 'types'>): readonly Operation[] => [
  operation({
    id: 'policy.start_backtest',
    at: 'POST /orgs/:org/policy/backtests',
    can: 'policy.read',
    says: 'Starts to ask the recorded calls of the last days of a draft; read it to see how far it is and what would change.',
    params: InOrg,
    body: z.strictObject({ days: z.number().int().min(1).max(365).default(7), draft: DraftForm }),
    reply: Backtested,
    status: 202,
    handle: async (ctx, { body }) =>
      shown(inOrg(ctx), await startBacktest(inOrg(ctx), body.draft, body.days, catalogue)),
    headers: (b, ctx) => ({ location: `/api/orgs/${ctx.org}/policy/backtests/${b.id}` }),
  }),
  operation({
    id: 'policy.list_backtests',
    at: 'GET /orgs/:org/policy/backtests',
    can: 'policy.read',
    says: 'Lists backtests, newest first, without their reports.',
    params: InOrg,
    query: ListQuery.extend({ state: z.enum(backtestStates).optional() }),
    reply: listOf(Line),
    async handle(ctx, { query }) {
      const { state, cursor: after, limit } = query;
      const rows = await ctx.db.read(scopeOf(ctx), (db) => listBacktests(db, { state, after, limit }));
      const found = listed(rows, limit, (b) => [b.id]);
      return { ...found, items: found.items.map(lineOf) };
    },
  }),
  operation({
    id: 'policy.read_backtest',
    at: 'GET /orgs/:org/policy/backtests/:backtest',
    can: 'policy.read',
    says: 'Shows how far a backtest is, and when it is done what the draft would change: by rule, tool and person, with examples.',
    params: OneBacktest,
    reply: Backtested,
    handle: (ctx, { params }) => shown(inOrg(ctx), params.backtest),
  }),
  operation({
    id: 'policy.cancel_backtest',
    at: 'POST /orgs/:org/policy/backtests/:backtest/cancel',
    can: 'policy.read',
    says: 'Ends a backtest that waits or runs.',
    params: OneBacktest,
    body: z.strictObject({}),
    reply: Backtested,
    async handle(ctx, { params }) {
      await cancelBacktest(inOrg(ctx), params.backtest);
      return shown(inOrg(ctx), params.backtest);
    },
  }),
];
