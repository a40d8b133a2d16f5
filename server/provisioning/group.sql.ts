import { z } from 'zod';
import { read, sql, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';

const GroupRow = z.object({
  id: z.custom<Id<'grp'>>(),
  name: z.string(),
  source: z.enum(['directory', 'attribute', 'hand']),
  /** Of a directory: which. Of an attribute: its name. */
  from: z.string().nullable(),
  externalId: z.string().nullable(),
  firstSeen: z.date(),
  lastSeen: z.date(),
  members: z.number(),
});
/** A group of whatever kind, with what was seen of it. */
export type KnownGroup = z.infer<typeof GroupRow>;

const known = sql`(
  select g.id, g.display_name as name, 'directory' as source, g.directory as "from", g.external_id as "externalId", g.created_at as "firstSeen", g.changed_at as "lastSeen"
    from scim_group g where g.parent = app_parent()
  union all
  select o.id, o.name, o.source, o.attribute, null, o.first_seen_at, o.last_seen_at from org_group o where o.parent = app_parent()) k`;
const counted = sql`k.*, (
  select count(*)::int from (
    select 1 from scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null where m.group_id = k.id
    union all select 1 from org_group_member y where y.group_id = k.id) c) as members`;

/** Every group that rules and mappings can mean, by id. */
export const listGroups = (
  db: Reader,
  f: { like: string | null; source: string | null; after: string; limit: number },
): Promise<KnownGroup[]> =>
  db.many(read(GroupRow)`
  select ${counted} from ${known}
   where k.id > ${f.after} and (${f.like}::text is null or k.name ilike ${f.like} or k.id ilike ${f.like}) and (${f.source}::text is null or k.source = ${f.source})
   order by k.id limit ${f.limit}`);

export const listKnownGroups = (db: Reader, ids: readonly Id<'grp'>[]): Promise<KnownGroup[]> =>
  db.many(read(GroupRow)`select ${counted} from ${known} where k.id = any(${ids}::text[]) order by k.id`);

const PersonRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  asserted: z.date(),
});
/** The accounts in a group of whatever kind, and since when. By user. */
export const listGroupPeople = (
  db: Reader,
  group: Id<'grp'>,
  f: { like: string | null; after: string; limit: number },
): Promise<z.infer<typeof PersonRow>[]> =>
  db.many(read(PersonRow)`
  select u.id as "user", u.email, u.display_name as "displayName", x.asserted_at as asserted
    from (select e.user_id, m.asserted_at from scim_membership m join scim_user e on e.id = m.scim_user and e.deleted_at is null and e.user_id is not null
           where m.parent = app_parent() and m.group_id = ${group}
          union all
          select y.user_id, y.asserted_at from org_group_member y where y.parent = app_parent() and y.group_id = ${group}) x
    join app_user u on u.parent = app_parent() and u.id = x.user_id
   where u.id > ${f.after} and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like})
   order by u.id limit ${f.limit}`);

/** How many people are in any of these groups. */
export const countPeopleOf = async (db: Reader, groups: readonly Id<'grp'>[]): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from (
      select u.user_id from scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null and u.active
       where m.parent = app_parent() and m.group_id = any(${groups}::text[]) and u.user_id is not null
      union
      select user_id from org_group_member where parent = app_parent() and group_id = any(${groups}::text[])) p`)
  ).n;

/** What the groups of a person are called, at most `limit`; for reasons. */
export const listGroupNamesOf = async (db: Reader, user: Id<'usr'>, limit: number): Promise<string[]> =>
  (
    await db.many(read(z.object({ name: z.string() }))`
    select g.display_name as name from scim_user u join scim_membership m on m.scim_user = u.id join scim_group g on g.id = m.group_id
     where u.parent = app_parent() and u.user_id = ${user} and u.deleted_at is null
    union
    select o.name from org_group_member y join org_group o on o.id = y.group_id where y.parent = app_parent() and y.user_id = ${user}
    order by name limit ${limit}`)
  ).map((r) => r.name);

/** 0: the organization has a group of that name by hand already. */
export const insertHandGroup = (tx: Tx, id: Id<'grp'>, name: string, at: Date): Promise<number> =>
  tx.run(write`
  insert into org_group (parent, id, org, source, name, first_seen_at, last_seen_at) values (app_parent(), ${id}, app_org(), 'hand', ${name}, ${at}, ${at})
  on conflict (org, lower(name)) where org is not null do nothing`);

export const lockHandGroup = (tx: Tx, id: Id<'grp'>): Promise<{ name: string } | undefined> =>
  tx.maybe(read(z.object({ name: z.string() }))`
  select name from org_group where parent = app_parent() and org = app_org() and id = ${id} for update`);

const UserRow = z.object({ user: z.custom<Id<'usr'>>() });
export const listHandMembers = async (db: Reader, id: Id<'grp'>): Promise<Id<'usr'>[]> =>
  (
    await db.many(read(UserRow)`
    select user_id as "user" from org_group_member where parent = app_parent() and org = app_org() and group_id = ${id} order by user_id`)
  ).map((r) => r.user);

export const deleteHandGroup = (tx: Tx, id: Id<'grp'>): Promise<number> =>
  tx.run(write`delete from org_group where parent = app_parent() and org = app_org() and id = ${id}`);

/** 0: in it already. */
export const insertHandMember = (tx: Tx, group: Id<'grp'>, user: Id<'usr'>, at: Date): Promise<number> =>
  tx.run(write`
  insert into org_group_member (parent, org, group_id, user_id, asserted_at) values (app_parent(), app_org(), ${group}, ${user}, ${at})
  on conflict (group_id, user_id) do nothing`);

export const deleteHandMember = (tx: Tx, group: Id<'grp'>, user: Id<'usr'>): Promise<number> =>
  tx.run(write`
  delete from org_group_member where parent = app_parent() and org = app_org() and group_id = ${group} and user_id = ${user}`);

export type Said = { attribute: string; value: string };

/** Makes the groups that a sign-in named, or notes that they were seen again. */
export const noteAttributeGroups = (tx: Tx, all: readonly (Said & { id: Id<'grp'> })[], at: Date): Promise<number> =>
  tx.run(write`
  insert into org_group as g (parent, id, source, attribute, name, first_seen_at, last_seen_at)
  select app_parent(), r.id, 'attribute', r.attribute, r.value, ${at}, ${at}
    from unnest(${all.map((a) => a.id)}::text[], ${all.map((a) => a.attribute)}::text[], ${all.map((a) => a.value)}::text[]) as r(id, attribute, value)
   order by r.attribute, r.value
  on conflict (parent, attribute, name) where attribute is not null do update set last_seen_at = greatest(g.last_seen_at, excluded.last_seen_at)`);

const IdRow = z.object({ id: z.custom<Id<'grp'>>() });
/** The ids of groups that sign-ins have named. */
export const listAttributeGroups = async (db: Reader, all: readonly Said[]): Promise<Id<'grp'>[]> =>
  (
    await db.many(read(IdRow)`
    select g.id from org_group g join unnest(${all.map((a) => a.attribute)}::text[], ${all.map((a) => a.value)}::text[]) as r(attribute, value)
        on g.attribute = r.attribute and g.name = r.value
     where g.parent = app_parent() order by g.id`)
  ).map((r) => r.id);

/** A person is in exactly those attribute groups that their latest sign-in named. How many came and went. */
export async function replaceAttributeGroups(
  tx: Tx,
  user: Id<'usr'>,
  groups: readonly Id<'grp'>[],
  at: Date,
): Promise<{ added: number; removed: number }> {
  const removed = await tx.run(write`
    delete from org_group_member where parent = app_parent() and org is null and user_id = ${user} and not (group_id = any(${groups}::text[]))`);
  const added = await tx.run(write`
    insert into org_group_member (parent, org, group_id, user_id, asserted_at)
    select app_parent(), null, r.id, ${user}, ${at} from unnest(${groups}::text[]) as r(id)
    on conflict (group_id, user_id) do nothing`);
  return { added, removed };
}
