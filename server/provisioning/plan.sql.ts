import { z } from 'zod';
import { json, read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { changesOfAccess, roleOrNull, Target, type Line, type Summary } from './plan.ts';

const PlanRow = z.object({
  id: z.custom<Id<'pln'>>(),
  hash: z.string(),
  version: z.number(),
  target: Target,
  summary: z.object({ gains: z.number(), loses: z.number(), raised: z.number(), lowered: z.number() }),
  madeBy: z.string(),
  madeAt: z.date(),
  appliedAt: z.date().nullable(),
});
export type Plan = z.infer<typeof PlanRow>;

export const findPlan = (db: Reader, id: Id<'pln'>): Promise<Plan | undefined> =>
  db.maybe(read(PlanRow)`
  select id, hash, version, target, summary, made_by as "madeBy", made_at as "madeAt", applied_at as "appliedAt"
    from provisioning_plan where org = app_org() and id = ${id}`);

export async function insertPlan(
  tx: Tx,
  p: { id: Id<'pln'>; hash: string; version: number; target: Target; summary: Summary; by: string; at: Date },
  lines: readonly Line[],
): Promise<void> {
  await tx.run(write`
    insert into provisioning_plan (org, id, hash, version, target, summary, made_by, made_at)
    values (app_org(), ${p.id}, ${p.hash}, ${p.version}, ${json(p.target)}::jsonb, ${json(p.summary)}::jsonb, ${p.by}, ${p.at})`);
  await tx.run(write`
    insert into provisioning_plan_line (org, plan, user_id, what, from_role, to_role, at_next_sign_in, because)
    select app_org(), ${p.id}, r.user_id, r.what, r.from_role, r.to_role, r.later, r.because
      from unnest(${lines.map((l) => l.user)}::text[], ${lines.map((l) => l.what)}::text[], ${lines.map((l) => l.from)}::text[], ${lines.map((l) => l.to)}::text[],
                  ${lines.map((l) => l.atNextSignIn)}::boolean[], ${lines.map((l) => l.because)}::text[]) as r(user_id, what, from_role, to_role, later, because)`);
}

/** 0: somebody has applied it meanwhile. */
export const savePlanApplied = (tx: Tx, id: Id<'pln'>, at: Date): Promise<number> =>
  tx.run(
    write`update provisioning_plan set applied_at = ${at} where org = app_org() and id = ${id} and applied_at is null`,
  );

const LineRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  what: z.enum(changesOfAccess),
  from: roleOrNull,
  to: roleOrNull,
  atNextSignIn: z.boolean(),
  because: z.string(),
});
export type ShownLine = z.infer<typeof LineRow>;

/** Whom a plan touches, those who lose first. */
export const listLines = (
  db: Reader,
  plan: Id<'pln'>,
  f: { like: string | null; what: string | null; after: readonly string[] | undefined; limit: number | null },
): Promise<ShownLine[]> =>
  db.many(read(LineRow)`
  select l.user_id as "user", u.email, u.display_name as "displayName", l.what, l.from_role as "from", l.to_role as "to",
         l.at_next_sign_in as "atNextSignIn", l.because
    from provisioning_plan_line l join app_user u on u.parent = app_parent() and u.id = l.user_id
   where l.org = app_org() and l.plan = ${plan}
     and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like})
     and (${f.what}::text is null or l.what = ${f.what})
     and (${f.after?.[0] ?? null}::text is null
          or (array_position(array['loses', 'lowered', 'raised', 'gains'], l.what), l.user_id) > (${f.after?.[0] ?? '0'}::int, ${f.after?.[1] ?? ''}))
   order by array_position(array['loses', 'lowered', 'raised', 'gains'], l.what), l.user_id
   limit ${f.limit}`);

/** The place of a line in that order. */
export const placeOf = (l: ShownLine): readonly string[] => [
  String(['loses', 'lowered', 'raised', 'gains'].indexOf(l.what) + 1),
  l.user,
];
