import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { containing } from '#kernel/list.ts';
import type { Rule } from './rule.ts';
import { toolClasses } from './schema.ts';

const RuleRow = z
  .object({
    id: z.custom<Id<'rul'>>(),
    name: z.string(),
    effect: z.enum(['allow', 'forbid']),
    asks: z.enum(['never', 'always']).nullable(),
    whoKind: z.enum(['everyone', 'group', 'user']),
    whoGroup: z.custom<Id<'grp'>>().nullable(),
    whoUser: z.custom<Id<'usr'>>().nullable(),
    whoName: z.string().nullable(),
    connector: z.custom<Id<'con'>>().nullable(),
    classes: z.array(z.enum(toolClasses)).nullable(),
    names: z.array(z.string()).nullable(),
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
    };
    const by = { createdBy: r.createdBy, createdAt: r.createdAt };
    return r.asks ? { ...what, ...by, effect: 'allow', asks: r.asks } : { ...what, ...by, effect: 'forbid' };
  });

/** A rule with who made it. */
export type StoredRule = Rule & { createdBy: string; createdAt: Date };

export type RuleFilter = {
  q?: string | undefined;
  connector?: string | undefined;
  after?: readonly string[] | undefined;
  /** `all`: a rule left out could be a forbid, so decisions are never made on a page of them. */
  limit: number | 'all';
};

/** Live rules in the order they were made, with the names that their groups and people have now. One more than asked. */
export const listRules = (db: Reader, f: RuleFilter): Promise<StoredRule[]> =>
  db.many(read(RuleRow)`
    select r.id, r.name, r.effect, r.asks, r.who_kind as "whoKind",
           case when r.who_kind = 'group' then r.who_id end as "whoGroup", case when r.who_kind = 'user' then r.who_id end as "whoUser",
           coalesce(g.display_name, o.name, u.display_name) as "whoName",
           r.connector, r.tool_classes as classes, r.tool_names as names, r.created_by as "createdBy", r.created_at as "createdAt"
      from rule r
      left join scim_group g on r.who_kind = 'group' and g.parent = app_parent() and g.id = r.who_id
      left join org_group o on r.who_kind = 'group' and o.parent = app_parent() and o.id = r.who_id
      left join app_user u on r.who_kind = 'user' and u.parent = app_parent() and u.id = r.who_id
     where r.org = app_org() and r.removed_at is null
       and (${containing(f.q)}::text is null or r.name ilike ${containing(f.q)})
       and (${f.connector ?? null}::text is null or r.connector = ${f.connector ?? null})
       and (${f.after?.[0] ?? null}::text is null or r.id > ${f.after?.[0] ?? ''})
     order by r.id
     limit ${f.limit === 'all' ? null : f.limit + 1}`);

/** Whose organization this transaction is in. */
export const currentOrg = async (db: Reader): Promise<Id<'org'>> =>
  (await db.one(read(z.object({ org: z.custom<Id<'org'>>((v) => typeof v === 'string') }))`select app_org() as org`))
    .org;

/** A live rule, taken for the rest of the transaction. */
export const lockRule = (tx: Tx, id: Id<'rul'>): Promise<{ id: string } | undefined> =>
  tx.maybe(read(z.object({ id: z.string() }))`
    select id from rule where org = app_org() and id = ${id} and removed_at is null for update`);

/** How many rules are in force. */
export const countRules = async (db: Reader): Promise<number> =>
  (
    await db.one(read(z.object({ rules: z.number() }))`
    select count(*)::int as rules from rule where org = app_org() and removed_at is null`)
  ).rules;

/** False: a live rule with this name is there already. */
export const insertRule = async (tx: Tx, r: Rule, by: string, at: Date): Promise<boolean> =>
  (await tx.run(write`
    insert into rule (org, id, name, effect, asks, who_kind, who_id, connector, tool_classes, tool_names, created_by, created_at)
    values (app_org(), ${r.id}, ${r.name}, ${r.effect}, ${r.effect === 'allow' ? r.asks : null}, ${r.who.kind},
            ${r.who.kind === 'group' ? r.who.group : r.who.kind === 'user' ? r.who.user : null},
            ${r.connector === 'any' ? null : r.connector},
            ${'classes' in r.tools ? r.tools.classes : null}, ${'names' in r.tools ? r.tools.names : null}, ${by}, ${at})
    on conflict (org, lower(name)) where removed_at is null do nothing`)) === 1;

export const saveRuleRemoved = (tx: Tx, id: Id<'rul'>, by: string, at: Date): Promise<number> =>
  tx.run(write`
    update rule set removed_by = ${by}, removed_at = ${at} where org = app_org() and id = ${id} and removed_at is null`);

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
