import { z } from 'zod';
import { csvLine } from '#audit/csv.ts';
import { scopeOf } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { inOrg } from '#org/org.http.ts';
import { applyPlan, noPlan } from './apply-plan.ts';
import { modes } from './mode.ts';
import { changesOfAccess, Edit, roleOrNull } from './plan.ts';
import { findPlan, listLines, placeOf, type ShownLine } from './plan.sql.ts';
import { previewAndApply } from './preview-and-apply.ts';
import { previewPlan, type Unverified } from './preview-plan.ts';
import { reasons, type ReasonCode } from './reason.ts';
import { inside, OrgPath, Time } from './shown.ts';

const planId = z.string().transform((text): Id<'pln'> => {
  const id = parseId('pln', text);
  if (!id) throw noPlan();
  return id;
});
const PlanPath = z.object({ ...inside, plan: planId });

const Summary = z.object({ gains: z.number(), loses: z.number(), raised: z.number(), lowered: z.number() });
const ShownTarget = z.object({
  mode: z.enum(modes),
  prefix: z.string(),
  domains: z.array(z.string()),
  mappings: z.array(z.object({ id: z.string(), role: z.enum(memberRoles), tier: z.string().nullable() })),
});
export const ShownOutcome = z.object({
  id: z.string(),
  hash: z.string(),
  target: ShownTarget,
  summary: Summary,
  confirm: z.boolean(),
  warnings: z.array(z.string()),
  applied: z.object({ changed: z.number(), atNextSignIn: z.number() }).nullable(),
});
const ShownPlanLine = z.object({
  user: z.string(),
  email: z.string(),
  displayName: z.string(),
  what: z.enum(changesOfAccess),
  from: roleOrNull,
  to: roleOrNull,
  atNextSignIn: z.boolean(),
  because: z.array(z.object({ code: z.string(), says: z.string() })),
});

const isReason = (code: string): code is ReasonCode => Object.hasOwn(reasons, code);
const codesOf = (l: ShownLine): ReasonCode[] => l.because.split(' ').filter(isReason);
const shownLine = (l: ShownLine): z.infer<typeof ShownPlanLine> => ({
  ...l,
  because: codesOf(l).map((code) => ({ code, says: reasons[code] })),
});

/** Dry run and its application. */
export const planOperations = (unverified: Unverified): readonly Operation[] => [
  operation({
    id: 'provisioning.preview_plan',
    at: 'POST /orgs/:org/provisioning/plans',
    can: 'directory.manage',
    says: 'Shows what a change of mode, mappings, prefix or domains would do to whom, and keeps it as a plan.',
    params: OrgPath,
    body: z.strictObject({
      edits: z.array(Edit).min(1).max(200),
      apply: z.enum(['never', 'if_nobody_loses']).default('never'),
    }),
    reply: ShownOutcome,
    status: 201,
    handle: async (ctx, { body }) =>
      body.apply === 'never'
        ? { ...(await previewPlan(inOrg(ctx), body.edits, unverified)), applied: null }
        : previewAndApply(inOrg(ctx), body.edits, unverified),
  }),
  operation({
    id: 'provisioning.find_plan',
    at: 'GET /orgs/:org/provisioning/plans/:plan',
    can: 'member.read',
    says: 'Shows a plan.',
    params: PlanPath,
    reply: z.object({
      id: z.string(),
      hash: z.string(),
      target: ShownTarget,
      summary: Summary,
      madeBy: z.string(),
      madeAt: Time,
      appliedAt: Time.nullable(),
    }),
    async handle(ctx, { params }) {
      const plan = await ctx.db.read(scopeOf(ctx), (db) => findPlan(db, params.plan));
      if (!plan) throw noPlan();
      return { ...plan, madeAt: plan.madeAt.toISOString(), appliedAt: plan.appliedAt?.toISOString() ?? null };
    },
  }),
  operation({
    id: 'provisioning.list_plan_lines',
    at: 'GET /orgs/:org/provisioning/plans/:plan/people',
    can: 'member.read',
    says: 'Lists whom a plan touches, those who lose access first.',
    params: PlanPath,
    query: ListQuery.extend({ what: z.enum(changesOfAccess).optional() }),
    reply: listOf(ShownPlanLine),
    handle: (ctx, { params, query }) =>
      ctx.db.read(scopeOf(ctx), async (db) => {
        if (!(await findPlan(db, params.plan))) throw noPlan();
        const rows = await listLines(db, params.plan, {
          like: containing(query.q),
          what: query.what ?? null,
          after: query.cursor,
          limit: query.limit + 1,
        });
        const { items, next } = listed(rows, query.limit, placeOf);
        return { items: items.map(shownLine), next };
      }),
  }),
  page({
    id: 'provisioning.export_plan',
    at: 'GET /orgs/:org/provisioning/plans/:plan/people.csv',
    can: 'member.read',
    says: 'Gives whom a plan touches as CSV.',
    params: PlanPath,
    async handle(ctx, { params }) {
      const lines = await ctx.db.read(scopeOf(ctx), async (db) => {
        if (!(await findPlan(db, params.plan))) throw noPlan();
        return listLines(db, params.plan, { like: null, what: null, after: undefined, limit: null });
      });
      const rows = lines.map((l) =>
        csvLine([
          l.user,
          l.email,
          l.displayName,
          l.what,
          l.from ?? '',
          l.to ?? '',
          l.atNextSignIn ? 'at next sign-in' : 'at once',
          codesOf(l).join(' '),
        ]),
      );
      return new Response(csvLine(['user', 'email', 'name', 'what', 'from', 'to', 'when', 'because']) + rows.join(''), {
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="${params.plan}.csv"`,
          'cache-control': 'no-store',
        },
      });
    },
  }),
  operation({
    id: 'provisioning.apply_plan',
    at: 'POST /orgs/:org/provisioning/plans/:plan/apply',
    can: 'directory.manage',
    says: 'Applies a plan, if what it showed is still true.',
    params: PlanPath,
    body: z.strictObject({ hash: z.string().length(64), confirm: z.string().max(300).optional() }),
    reply: z.object({ plan: z.string(), changed: z.number(), atNextSignIn: z.number() }),
    handle: (ctx, { params, body }) => applyPlan(inOrg(ctx), params.plan, body),
  }),
];
