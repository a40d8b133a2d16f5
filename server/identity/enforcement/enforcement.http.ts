import { z } from 'zod';
import { change } from '#audit/change.ts';
import { csvLine } from '#audit/csv.ts';
import { event } from '#audit/events.ts';
import { scopeOf, type Ctx, type OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { noSuchOrg } from '#org/org.ts';
import { countHits, findEnforcement, type EnforcementFacts } from './enforcement.sql.ts';
import { enforcementStates, type Enforcement } from './enforcement.ts';
import { enforcementEvents } from './enforcement.events.ts';
import { conditionsOf, sessionsToEnd, setEnforcement } from './set-enforcement.ts';
import { simulate, type PersonPrediction, type Simulation } from './simulate.ts';
import { verdicts } from './simulation.ts';

const OrgPath = z.object({ org: z.string() });
const Time = z.iso.datetime({ offset: true });
const HITS_DAYS = 30;

const ids = <K extends string>(kind: K) =>
  z
    .array(
      z.string().transform((text, ctx): Id<K> => {
        const id = parseId(kind, text);
        if (id) return id;
        ctx.addIssue({ code: 'custom', message: `an id that begins with ${kind}_` });
        return z.NEVER;
      }),
    )
    .max(50)
    .transform((all) => [...new Set(all)]);
const inQuery = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(','));

const Wanted = z.strictObject({
  state: z.enum(enforcementStates),
  percent: z.number().int().min(0).max(100).default(0),
  groups: ids('grp').default([]),
  connections: ids('sso').default([]),
  /** Of the simulation that was looked at; needed for what shuts anybody out. */
  hash: z.string().max(80).optional(),
});

/** A simulation is asked for with what would be set; lists are separated by commas. */
const Asked = z.object({
  state: z.enum(['staged', 'full']).default('full'),
  percent: z.coerce.number().int().min(0).max(100).default(0),
  groups: z.string().max(2500).optional().transform(inQuery).pipe(ids('grp')),
  connections: z.string().max(2500).optional().transform(inQuery).pipe(ids('sso')),
});

const Shown = z.object({
  state: z.enum(enforcementStates),
  percent: z.number(),
  groups: z.array(z.string()),
  connections: z.array(z.string()),
  /** It returned to report-only by itself, because of this. */
  returnedBecause: z.string().nullable(),
  changedBy: z.string().nullable(),
  changedAt: Time.nullable(),
});
const shown = (e: EnforcementFacts): z.infer<typeof Shown> => ({
  ...e,
  changedAt: e.changedAt?.toISOString() ?? null,
});

const ShownPerson = z.object({
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  verdict: z.enum(verdicts),
  code: z.string().nullable(),
  says: z.string(),
  repair: z.string(),
  touched: z.boolean(),
  breakGlass: z.boolean(),
  provedAt: Time.nullable(),
  otherwiseAt: Time.nullable(),
});
const shownPerson = (p: PersonPrediction): z.infer<typeof ShownPerson> => ({
  ...p,
  provedAt: p.provedAt?.toISOString() ?? null,
  otherwiseAt: p.otherwiseAt?.toISOString() ?? null,
});

const inOrg = (ctx: Ctx): OrgCtx => {
  if (!ctx.org) throw noSuchOrg();
  return { ...ctx, org: ctx.org };
};

/** Simulates and writes down that somebody looked: the answer names people. */
async function looked<T>(
  ctx: OrgCtx,
  wanted: Enforcement,
  more: (s: Simulation) => Promise<T>,
): Promise<{ s: Simulation; more: T }> {
  const s = await ctx.db.read(scopeOf(ctx), (db) => simulate(db, ctx, wanted));
  const value = { s, more: await more(s) };
  return change(ctx, async () => ({
    value,
    events: [
      event(enforcementEvents, 'sso.enforcement_simulated', {
        preview: s.hash,
        people: s.people.length,
        atRisk: s.counts.at_risk,
        lockedOut: s.counts.locked_out,
      }),
    ],
  }));
}

const worstFirst = (a: PersonPrediction, b: PersonPrediction): number =>
  verdicts.indexOf(b.verdict) - verdicts.indexOf(a.verdict) || (a.user < b.user ? -1 : 1);
const key = (p: PersonPrediction): [string, string] => [String(verdicts.length - verdicts.indexOf(p.verdict)), p.user];

/** Enforcing single sign-on, under `/api`: its state, the simulation, and the change. */
export const enforcementOperations: readonly Operation[] = [
  operation({
    id: 'identity.read_enforcement',
    at: 'GET /orgs/:org/sso-enforcement',
    can: 'sso.manage',
    says: 'Shows how far the organization insists on single sign-on, and whom it refused or would have refused in the last 30 days.',
    params: OrgPath,
    reply: Shown.extend({
      hits: z.object({ sinceDays: z.number(), wouldRefuse: z.number(), refused: z.number(), people: z.number() }),
    }),
    async handle(ctx) {
      const since = new Date(ctx.now.getTime() - HITS_DAYS * 86_400_000);
      return ctx.db.read(scopeOf(ctx), async (db) => ({
        ...shown(await findEnforcement(db)),
        hits: await countHits(db, since, HITS_DAYS),
      }));
    },
  }),
  operation({
    id: 'identity.set_enforcement',
    at: 'PUT /orgs/:org/sso-enforcement',
    can: 'sso.manage',
    says: 'Sets how far the organization insists on single sign-on; what shuts anybody out needs the hash of its simulation, undoing needs nothing.',
    params: OrgPath,
    body: Wanted,
    reply: Shown,
    async handle(ctx, { body }) {
      const { hash, ...wanted } = body;
      return shown(await setEnforcement(inOrg(ctx), wanted, hash));
    },
  }),
  operation({
    id: 'identity.simulate_enforcement',
    at: 'GET /orgs/:org/sso-enforcement/simulation',
    can: 'sso.manage',
    discloses: true,
    says: 'Says of every active member whether they could sign in if single sign-on were enforced so, from the last 30 days; the worst first. q searches e-mail and name.',
    params: OrgPath,
    query: ListQuery.extend({ ...Asked.shape, verdict: z.enum(verdicts).optional() }),
    reply: listOf(ShownPerson).extend({
      hash: z.string(),
      counts: z.record(z.enum(verdicts), z.number()),
      conditions: z.array(z.object({ code: z.string(), met: z.boolean(), says: z.string(), fix: z.string() })),
      sessionsEnded: z.number(),
      /** Whether the session of whoever asks is among them. */
      endsYours: z.boolean(),
    }),
    async handle(ctx, { query }) {
      const { q, verdict, limit, cursor, ...wanted } = query;
      const org = inOrg(ctx);
      const { s, more } = await looked(org, wanted, (found) =>
        ctx.db.read(scopeOf(ctx), async (db) => ({
          conditions: await conditionsOf(db, ctx, found),
          sessions: await sessionsToEnd(db, ctx, wanted),
        })),
      );
      const text = q?.toLowerCase();
      const rows = s.people
        .filter(
          (p) =>
            (verdict === undefined || p.verdict === verdict) &&
            (text === undefined || p.email.toLowerCase().includes(text) || p.displayName.toLowerCase().includes(text)),
        )
        .toSorted(worstFirst)
        .filter((p) => cursor === undefined || key(p).join(' ') > cursor.join(' '))
        .slice(0, limit + 1);
      const found = listed(rows, limit, key);
      const mine = ctx.actor.kind === 'user' ? ctx.actor.session : undefined;
      return {
        ...found,
        items: found.items.map(shownPerson),
        hash: s.hash,
        counts: s.counts,
        conditions: more.conditions,
        sessionsEnded: more.sessions.length,
        endsYours: more.sessions.some((x) => x.session === mine),
      };
    },
  }),
  page({
    id: 'identity.export_simulation',
    at: 'GET /orgs/:org/sso-enforcement/simulation.csv',
    can: 'sso.manage',
    discloses: true,
    says: 'The simulation as CSV, one line per person, the worst first.',
    params: OrgPath,
    query: Asked,
    async handle(ctx, { query }) {
      const { s } = await looked(inOrg(ctx), query, () => Promise.resolve(undefined));
      const head = [
        'email',
        'name',
        'role',
        'verdict',
        'code',
        'says',
        'repair',
        'touched',
        'proved_at',
        'otherwise_at',
      ];
      const lines = s.people
        .toSorted(worstFirst)
        .map((p) =>
          csvLine([
            p.email,
            p.displayName,
            p.role,
            p.verdict,
            p.code ?? '',
            p.says,
            p.repair,
            String(p.touched),
            p.provedAt?.toISOString() ?? '',
            p.otherwiseAt?.toISOString() ?? '',
          ]),
        );
      return new Response([csvLine(head), ...lines].join(''), {
        headers: {
          'content-type': 'text/csv; charset=utf-8; header=present',
          'cache-control': 'no-store',
          'content-disposition': `attachment; filename="enforcement-${s.hash.slice(7, 19)}.csv"`,
        },
      });
    },
  }),
];
