import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import type { ExpertPolicy } from './check-cedar.ts';
import type { PolicyContent } from './content.ts';
import { thens } from './after-reading.ts';
import { accesses, regulated, type Control, type Settings } from './control.ts';
import { endRules, insertRule, listRules, whoId } from './rule.sql.ts';
import { endTypes, insertType, listTypes } from './type-control.sql.ts';

const SettingRow = z
  .object({
    mode: z.enum(['regulated', 'open']),
    defaultAccess: z.enum(['off', 'read', 'read_write']),
    timeZone: z.string(),
    outward: z.enum(thens),
    hours: z.number(),
  })
  .transform(({ outward, hours, ...s }): Settings => ({ ...s, afterReading: { outward, hours } }));

/** What holds where nothing else is said: now, or in a version. */
export const findSettings = async (db: Reader, at?: number): Promise<Settings> =>
  (await db.maybe(read(SettingRow)`
    select mode, default_access as "defaultAccess", time_zone as "timeZone", after_reading as outward, session_hours as hours from policy_setting
     where org = app_org()
       and case when ${at ?? null}::int is null then until is null else since <= ${at ?? null} and (until is null or until > ${at ?? null}) end`)) ??
  regulated;

const ControlRow = z
  .object({
    id: z.custom<Id<'ctl'>>(),
    whoKind: z.enum(['everyone', 'group', 'user']),
    whoGroup: z.custom<Id<'grp'>>().nullable(),
    whoUser: z.custom<Id<'usr'>>().nullable(),
    whoName: z.string().nullable(),
    connector: z.custom<Id<'con'>>().nullable(),
    access: z.enum(accesses),
    setBy: z.string(),
    setAt: z.date(),
  })
  .transform(({ whoKind, whoGroup, whoUser, whoName, connector, ...c }): StoredControl => {
    const name = whoName ?? undefined;
    const who: Control['who'] =
      whoKind === 'group' && whoGroup
        ? { kind: 'group', group: whoGroup, name }
        : whoKind === 'user' && whoUser
          ? { kind: 'user', user: whoUser, name }
          : { kind: 'everyone' };
    return { ...c, who, connector: connector ?? 'any' };
  });
/** A control with who set it. */
export type StoredControl = Control & { setBy: string; setAt: Date };

export type ControlFilter = {
  /** In the name of the group or person. */
  q?: string | undefined;
  connector?: string | undefined;
  user?: string | undefined;
  after?: readonly string[] | undefined;
  at?: number | undefined;
  limit: number | 'all';
};

/** Controls in force, in the order in which they were set. One more than asked. */
export const listControls = (db: Reader, f: ControlFilter): Promise<StoredControl[]> =>
  db.many(read(ControlRow)`
    select c.id, c.who_kind as "whoKind", case when c.who_kind = 'group' then c.who_id end as "whoGroup",
           case when c.who_kind = 'user' then c.who_id end as "whoUser", coalesce(g.display_name, o.name, u.display_name) as "whoName",
           c.connector, c.access, c.set_by as "setBy", c.set_at as "setAt"
      from policy_control c
      left join scim_group g on c.who_kind = 'group' and g.parent = app_parent() and g.id = c.who_id
      left join org_group o on c.who_kind = 'group' and o.parent = app_parent() and o.id = c.who_id
      left join app_user u on c.who_kind = 'user' and u.parent = app_parent() and u.id = c.who_id
     where c.org = app_org()
       and case when ${f.at ?? null}::int is null then c.until is null
                else c.since <= ${f.at ?? null} and (c.until is null or c.until > ${f.at ?? null}) end
       and (${containing(f.q)}::text is null or coalesce(g.display_name, o.name, u.display_name) ilike ${containing(f.q)})
       and (${f.connector ?? null}::text is null or c.connector = ${f.connector ?? null})
       and (${f.user ?? null}::text is null or (c.who_kind = 'user' and c.who_id = ${f.user ?? null}))
       and (${f.after?.[0] ?? null}::text is null or c.id > ${f.after?.[0] ?? ''})
     order by c.id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

const CedarRow: z.ZodType<StoredCedar> = z.object({
  id: z.custom<Id<'ced'>>(),
  name: z.string(),
  cedar: z.string(),
  setBy: z.string(),
  setAt: z.date(),
});
/** A policy in Cedar with who wrote it. */
export type StoredCedar = ExpertPolicy & { setBy: string; setAt: Date };

export type CedarFilter = {
  q?: string | undefined;
  after?: readonly string[] | undefined;
  at?: number | undefined;
  limit: number | 'all';
};

/** Policies of experts in force, in the order in which they were first saved. One more than asked. */
export const listCedar = (db: Reader, f: CedarFilter): Promise<StoredCedar[]> =>
  db.many(read(CedarRow)`
    select id, name, cedar, set_by as "setBy", set_at as "setAt" from cedar_policy
     where org = app_org()
       and case when ${f.at ?? null}::int is null then until is null else since <= ${f.at ?? null} and (until is null or until > ${f.at ?? null}) end
       and (${containing(f.q)}::text is null or name ilike ${containing(f.q)} or cedar ilike ${containing(f.q)})
       and (${f.after?.[0] ?? null}::text is null or id > ${f.after?.[0] ?? ''})
     order by id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

/** All that was said: now, or in a version. */
export const loadContent = async (db: Reader, at?: number): Promise<PolicyContent> => ({
  settings: await findSettings(db, at),
  rules: await listRules(db, { limit: 'all', at }),
  controls: await listControls(db, { limit: 'all', at }),
  types: await listTypes(db, { at }),
  cedar: await listCedar(db, { limit: 'all', at }),
});

/** Makes the content what `after` says, from a version on. What both have, by identity, stays as it is. */
export async function saveContent(
  tx: Tx,
  before: PolicyContent,
  after: PolicyContent,
  since: number,
  by: string,
  at: Date,
): Promise<void> {
  const gone = <T extends { id: string }>(a: readonly T[], b: readonly T[]): string[] =>
    a.filter((x) => !b.includes(x)).map((x) => x.id);
  const [rules, controls, types, cedar] = [
    gone(before.rules, after.rules),
    gone(before.controls, after.controls),
    gone(before.types, after.types),
    gone(before.cedar, after.cedar),
  ];
  if (rules.length > 0) await endRules(tx, rules, since, by, at);
  if (controls.length > 0)
    await tx.run(write`
      update policy_control set until = ${since} where org = app_org() and id = any(${controls}::text[]) and until is null`);
  if (types.length > 0) await endTypes(tx, types, since);
  if (cedar.length > 0)
    await tx.run(write`
      update cedar_policy set until = ${since} where org = app_org() and id = any(${cedar}::text[]) and until is null`);
  if (before.settings !== after.settings) {
    await tx.run(write`update policy_setting set until = ${since} where org = app_org() and until is null`);
    await tx.run(write`
      insert into policy_setting (org, mode, default_access, time_zone, after_reading, session_hours, set_by, set_at, since)
      values (app_org(), ${after.settings.mode}, ${after.settings.defaultAccess}, ${after.settings.timeZone}, ${after.settings.afterReading.outward},
              ${after.settings.afterReading.hours}, ${by}, ${at}, ${since})`);
  }
  for (const r of after.rules) if (!before.rules.includes(r)) await insertRule(tx, r, since, by, at);
  for (const c of after.controls)
    if (!before.controls.includes(c))
      await tx.run(write`
        insert into policy_control (org, id, who_kind, who_id, connector, access, set_by, set_at, since)
        values (app_org(), ${c.id}, ${c.who.kind}, ${whoId(c.who)}, ${c.connector === 'any' ? null : c.connector}, ${c.access}, ${by}, ${at}, ${since})`);
  for (const t of after.types) if (!before.types.includes(t)) await insertType(tx, t, since, by, at);
  for (const p of after.cedar)
    if (!before.cedar.includes(p))
      await tx.run(write`
        insert into cedar_policy (org, id, name, cedar, set_by, set_at, since)
        values (app_org(), ${p.id}, ${p.name}, ${p.cedar}, ${by}, ${at}, ${since})`);
}
