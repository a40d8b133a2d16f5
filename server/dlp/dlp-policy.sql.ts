import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import { failClasses, type BaselineLine, type DlpPolicy, type FailClass, type FailMode } from './dlp-policy.ts';
import { dlpActions, phases } from './verdict.ts';

const Line: z.ZodType<BaselineLine> = z.object({
  data: z.string(),
  phase: z.enum(phases),
  action: z.enum(dlpActions),
});

/** What the organization has set; what is not there keeps its default. */
export const listBaseline = (db: Reader): Promise<BaselineLine[]> =>
  db.many(read(Line)`select data, phase, action from dlp_baseline where org = app_org() order by data, phase`);

/** False: it is set so already. */
export const saveBaseline = async (tx: Tx, l: BaselineLine, by: string, at: Date): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_baseline (org, data, phase, action, set_by, set_at)
    values (app_org(), ${l.data}, ${l.phase}, ${l.action}, ${by}, ${at})
    on conflict (org, data, phase) do update set action = excluded.action, set_by = excluded.set_by, set_at = excluded.set_at
     where dlp_baseline.action is distinct from excluded.action`)) === 1;

export type StoredDlpPolicy = DlpPolicy & { createdBy: string; createdAt: Date };
const PolicyRow = z
  .object({
    id: z.custom<Id<'dpo'>>(),
    name: z.string(),
    kind: z.enum(['policy', 'exception']),
    group: z.custom<Id<'grp'>>().nullable(),
    connector: z.custom<Id<'con'>>().nullable(),
    data: z.array(z.string()),
    phases: z.array(z.enum(phases)),
    action: z.enum(dlpActions),
    twoPeople: z.boolean(),
    createdBy: z.string(),
    createdAt: z.date(),
  })
  .transform((r): StoredDlpPolicy => ({ ...r, group: r.group ?? undefined, connector: r.connector ?? undefined }));

/** Live policies in the order they were made; one more than `limit`. `all`: an exception left out, or a policy, would change decisions. */
export const listDlpPolicies = (
  db: Reader,
  f: { q?: string | undefined; after?: readonly string[] | undefined; limit: number | 'all' },
): Promise<StoredDlpPolicy[]> =>
  db.many(read(PolicyRow)`
    select id, name, kind, group_id as "group", connector, data, phases, action, two_people as "twoPeople",
           created_by as "createdBy", created_at as "createdAt"
      from dlp_policy
     where org = app_org() and removed_at is null
       and (${containing(f.q)}::text is null or name ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or id > ${f.after?.[0] ?? ''})
     order by id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

const Counted = z.object({ n: z.number() });
export const countDlpPolicies = async (db: Reader): Promise<number> =>
  (await db.one(read(Counted)`select count(*)::int as n from dlp_policy where org = app_org() and removed_at is null`))
    .n;

/** False: a live policy with this name is there already. */
export const insertDlpPolicy = async (tx: Tx, p: DlpPolicy, by: string, at: Date): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_policy (org, id, name, kind, group_id, connector, data, phases, action, two_people, created_by, created_at)
    values (app_org(), ${p.id}, ${p.name}, ${p.kind}, ${p.group ?? null}, ${p.connector ?? null}, ${p.data}, ${p.phases}, ${p.action},
            ${p.twoPeople}, ${by}, ${at})
    on conflict (org, lower(name)) where removed_at is null do nothing`)) === 1;

export const saveDlpPolicyRemoved = (tx: Tx, id: Id<'dpo'>, by: string, at: Date): Promise<number> =>
  tx.run(write`
    update dlp_policy set removed_by = ${by}, removed_at = ${at} where org = app_org() and id = ${id} and removed_at is null`);

const Known = z.object({ group: z.boolean() });
/** Whether there is such a group: of a directory of the parent, of its sign-ins, or made by hand in this organization. */
export const hasGroup = async (db: Reader, id: Id<'grp'>): Promise<boolean> =>
  (
    await db.one(read(Known)`
    select exists (select from scim_group where parent = app_parent() and id = ${id})
        or exists (select from org_group where parent = app_parent() and id = ${id}) as "group"`)
  ).group;

const Mode = z.object({ class: z.enum(failClasses), mode: z.enum(['open', 'closed']) });
export const listFailModes = (db: Reader): Promise<{ class: FailClass; mode: FailMode }[]> =>
  db.many(read(Mode)`select class, mode from dlp_fail_mode where org = app_org() order by class`);

/** False: it is set so already. */
export const saveFailMode = async (tx: Tx, c: FailClass, mode: FailMode, by: string, at: Date): Promise<boolean> =>
  (await tx.run(write`
    insert into dlp_fail_mode (org, class, mode, set_by, set_at) values (app_org(), ${c}, ${mode}, ${by}, ${at})
    on conflict (org, class) do update set mode = excluded.mode, set_by = excluded.set_by, set_at = excluded.set_at
     where dlp_fail_mode.mode is distinct from excluded.mode`)) === 1;
