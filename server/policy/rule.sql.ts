import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import type { Approvers } from './approvers.ts';
import { Conditions } from './condition.ts';
import { approversOfRule, type Rule } from './rule.ts';
import { toolClasses } from './schema.ts';

const RuleRow = z
  .object({
    id: z.custom<Id<'rul'>>(),
    name: z.string(),
    effect: z.enum(['allow', 'ask', 'forbid']),
    asks: z.enum(['never', 'always']).nullable(),
    whoKind: z.enum(['everyone', 'group', 'user']),
    whoGroup: z.custom<Id<'grp'>>().nullable(),
    whoUser: z.custom<Id<'usr'>>().nullable(),
    whoName: z.string().nullable(),
    connector: z.custom<Id<'con'>>().nullable(),
    classes: z.array(z.enum(toolClasses)).nullable(),
    names: z.array(z.string()).nullable(),
    conditions: Conditions,
    approverKind: z.enum(['deciders', 'manager', 'self', 'group', 'user']).nullable(),
    approverGroup: z.custom<Id<'grp'>>().nullable(),
    approverUser: z.custom<Id<'usr'>>().nullable(),
    approverName: z.string().nullable(),
    secondPerson: z.boolean().nullable(),
    desktopOnly: z.boolean().nullable(),
    fresh: z.boolean().nullable(),
    createdBy: z.string(),
    createdAt: z.date(),
  })
  .transform((r): StoredRule => {
    const name = r.whoName ?? undefined;
    const who: Rule['who'] =
      r.whoKind === 'group' && r.whoGroup
        ? { kind: 'group', group: r.whoGroup, name }
        : r.whoKind === 'user' && r.whoUser
          ? { kind: 'user', user: r.whoUser, name }
          : { kind: 'everyone' };
    const what = {
      id: r.id,
      name: r.name,
      who,
      connector: r.connector ?? ('any' as const),
      tools: r.classes ? { classes: r.classes } : { names: r.names ?? [] },
      ...(r.conditions.length > 0 ? { when: r.conditions } : {}),
    };
    const by = { createdBy: r.createdBy, createdAt: r.createdAt };
    if (r.effect === 'ask') return { ...what, ...by, effect: 'ask', approvers: approversOf(r) };
    if (r.asks === null) return { ...what, ...by, effect: 'forbid' };
    if (r.asks === 'never') return { ...what, ...by, effect: 'allow', asks: 'never' };
    return { ...what, ...by, effect: 'allow', asks: 'always', approvers: approversOf(r) };
  });

function approversOf(r: {
  approverKind: Approvers['who']['kind'] | null;
  approverGroup: Id<'grp'> | null;
  approverUser: Id<'usr'> | null;
  approverName: string | null;
  secondPerson: boolean | null;
  desktopOnly: boolean | null;
  fresh: boolean | null;
}): Approvers {
  const name = r.approverName ?? undefined;
  const who: Approvers['who'] =
    r.approverKind === 'group' && r.approverGroup
      ? { kind: 'group', group: r.approverGroup, name }
      : r.approverKind === 'user' && r.approverUser
        ? { kind: 'user', user: r.approverUser, name }
        : { kind: r.approverKind === 'manager' || r.approverKind === 'self' ? r.approverKind : 'deciders' };
  return {
    who,
    secondPerson: r.secondPerson ?? true,
    surface: r.desktopOnly === true ? 'desktop_only' : 'any',
    fresh: r.fresh ?? false,
  };
}

/** A rule with who made it. */
export type StoredRule = Rule & { createdBy: string; createdAt: Date };

export type RuleFilter = {
  q?: string | undefined;
  connector?: string | undefined;
  id?: Id<'rul'> | undefined;
  after?: readonly string[] | undefined;
  /** In force in this version; without it, now. */
  at?: number | undefined;
  /** `all`: a rule left out could be a forbid, so decisions are never made on a page of them. */
  limit: number | 'all';
};

/** Live rules in the order they were made, with the names that their groups and people have now. One more than asked. */
export const listRules = (db: Reader, f: RuleFilter): Promise<StoredRule[]> =>
  db.many(read(RuleRow)`
    select r.id, r.name, r.effect, r.asks, r.who_kind as "whoKind",
           case when r.who_kind = 'group' then r.who_id end as "whoGroup", case when r.who_kind = 'user' then r.who_id end as "whoUser",
           coalesce(g.display_name, o.name, u.display_name) as "whoName",
           r.connector, r.tool_classes as classes, r.tool_names as names, r.conditions,
           r.approver_kind as "approverKind", case when r.approver_kind = 'group' then r.approver_id end as "approverGroup",
           case when r.approver_kind = 'user' then r.approver_id end as "approverUser",
           coalesce(ag.display_name, ao.name, au.display_name) as "approverName",
           r.second_person as "secondPerson", r.desktop_only as "desktopOnly", r.fresh, r.created_by as "createdBy", r.created_at as "createdAt"
      from rule r
      left join scim_group g on r.who_kind = 'group' and g.parent = app_parent() and g.id = r.who_id
      left join org_group o on r.who_kind = 'group' and o.parent = app_parent() and o.id = r.who_id
      left join app_user u on r.who_kind = 'user' and u.parent = app_parent() and u.id = r.who_id
      left join scim_group ag on r.approver_kind = 'group' and ag.parent = app_parent() and ag.id = r.approver_id
      left join org_group ao on r.approver_kind = 'group' and ao.parent = app_parent() and ao.id = r.approver_id
      left join app_user au on r.approver_kind = 'user' and au.parent = app_parent() and au.id = r.approver_id
     where r.org = app_org()
       and case when ${f.at ?? null}::int is null then r.until is null
                else r.since <= ${f.at ?? null} and (r.until is null or r.until > ${f.at ?? null}) end
       and (${containing(f.q)}::text is null or r.name ilike ${containing(f.q)})
       and (${f.connector ?? null}::text is null or r.connector = ${f.connector ?? null})
       and (${f.id ?? null}::text is null or r.id = ${f.id ?? null})
       and (${f.after?.[0] ?? null}::text is null or r.id > ${f.after?.[0] ?? ''})
     order by r.id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

/** Whose organization this transaction is in. */
export const currentOrg = async (db: Reader): Promise<Id<'org'>> =>
  (await db.one(read(z.object({ org: z.custom<Id<'org'>>((v) => typeof v === 'string') }))`select app_org() as org`))
    .org;

/** Puts a rule in force from a version on. */
export const insertRule = (tx: Tx, r: Rule, since: number, by: string, at: Date): Promise<number> => {
  const a = approversOfRule(r);
  return tx.run(write`
    insert into rule (org, id, name, effect, asks, who_kind, who_id, connector, tool_classes, tool_names, conditions,
                      approver_kind, approver_id, second_person, desktop_only, fresh, since, created_by, created_at)
    values (app_org(), ${r.id}, ${r.name}, ${r.effect}, ${r.effect === 'allow' ? r.asks : null}, ${r.who.kind}, ${whoId(r.who)},
            ${r.connector === 'any' ? null : r.connector},
            ${'classes' in r.tools ? r.tools.classes : null}, ${'names' in r.tools ? r.tools.names : null},
            ${JSON.stringify(r.when ?? [])}::jsonb, ${a?.who.kind ?? null},
            ${a?.who.kind === 'group' ? a.who.group : a?.who.kind === 'user' ? a.who.user : null},
            ${a?.secondPerson ?? null}, ${a ? a.surface === 'desktop_only' : null}, ${a?.fresh ?? null}, ${since}, ${by}, ${at})`);
};

/** The id in a row's `who_id`. */
export const whoId = (who: Rule['who']): string | null =>
  who.kind === 'group' ? who.group : who.kind === 'user' ? who.user : null;

/** Takes rules out of force from a version on. */
export const endRules = (tx: Tx, ids: readonly string[], until: number, by: string, at: Date): Promise<number> =>
  tx.run(write`
    update rule set until = ${until}, removed_by = ${by}, removed_at = ${at}
     where org = app_org() and id = any(${ids}::text[]) and until is null`);

const Named = z.object({ name: z.string() });

/** A group that rules can mean: of a directory of the parent, of its sign-ins, or made by hand in this organization. */
export const findGroupName = (db: Reader, id: Id<'grp'>): Promise<{ name: string } | undefined> =>
  db.maybe(read(Named)`
    select display_name as name from scim_group where parent = app_parent() and id = ${id}
    union all
    select name from org_group where parent = app_parent() and id = ${id}`);

/** What groups are called now. */
export const listGroupNames = (db: Reader, ids: readonly Id<'grp'>[]): Promise<{ id: Id<'grp'>; name: string }[]> =>
  db.many(read(z.object({ id: z.custom<Id<'grp'>>(), name: z.string() }))`
    select id, display_name as name from scim_group where parent = app_parent() and id = any(${ids})
    union all
    select id, name from org_group where parent = app_parent() and id = any(${ids})
     order by id`);
