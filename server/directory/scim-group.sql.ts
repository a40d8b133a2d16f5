import { z } from 'zod';
import { prepared, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { filterSql, type Places, type Rows } from './scim-filter.sql.ts';
import { fold, type Filter } from './scim-filter.ts';
import type { ScimGroup } from './scim-group.ts';
import { afterCursor, hotName, inOrder, type Page } from './scim-page.sql.ts';

const Row = z
  .object({
    id: z.custom<Id<'grp'>>(),
    displayName: z.string(),
    externalId: z.string().nullable(),
    version: z.number(),
    created: z.date(),
    changed: z.date(),
  })
  .transform((r): ScimGroup => ({ ...r, externalId: r.externalId ?? undefined }));

const columns = sql`g.id, g.display_name as "displayName", g.external_id as "externalId", g.version, g.created_at as created, g.changed_at as changed`;
const own = (directory: Id<'dir'>): Fragment => sql`g.parent = app_parent() and g.directory = ${directory}`;

const members: Rows = {
  from: sql`scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null`,
  where: sql`m.group_id = g.id`,
  columns: new Map([
    ['value', sql`m.scim_user`],
    ['display', sql`u.display_name_key`],
    ['type', sql`'user'::text collate "C"`],
  ]),
};

/** Where a group's attributes are. */
export const groupPlaces: Places = {
  columns: new Map([
    ['id', sql`g.id`],
    ['externalId', sql`g.external_id`],
    ['displayName', sql`g.display_name_key`],
    ['meta.created', sql`g.created_at`],
    ['meta.lastModified', sql`g.changed_at`],
    ['meta.resourceType', sql`'Group'::text collate "C"`],
  ]),
  rows: new Map([['members', members]]),
};

export const findScimGroup = (db: Reader, directory: Id<'dir'>, id: Id<'grp'>): Promise<ScimGroup | undefined> =>
  db.maybe(
    prepared('scim group', read(Row)`select ${columns} from scim_group g where ${own(directory)} and g.id = ${id}`),
  );

const condition = (directory: Id<'dir'>, filter: Filter | undefined): Fragment =>
  filter ? sql`${own(directory)} and ${filterSql(filter, groupPlaces)}` : own(directory);

/** In the order of the given sort, else in the order in which they came. */
export function listScimGroups(db: Reader, directory: Id<'dir'>, p: Page): Promise<ScimGroup[]> {
  const statement = read(Row)`
    select ${columns} from scim_group g where ${condition(directory, p.filter)} and ${afterCursor(sql`g.id`, p)}
     order by ${inOrder(sql`g.id`, p)}
     limit ${p.limit} offset ${p.offset}`;
  const name = hotName('scim groups', p);
  return db.many(name === undefined ? statement : prepared(name, statement));
}

/** The text of a group's sort value, for a cursor. */
export const sortKeyOfGroup = async (
  db: Reader,
  directory: Id<'dir'>,
  id: string,
  by: Fragment,
): Promise<string | null> =>
  (await db.maybe(read(Key)`select (${by})::text as key from scim_group g where ${own(directory)} and g.id = ${id}`))
    ?.key ?? null;
const Key = z.object({ key: z.string().nullable() });

const Count = z.object({ n: z.coerce.number() });
export const countScimGroups = async (db: Reader, directory: Id<'dir'>, filter: Filter | undefined): Promise<number> =>
  (
    await db.one(
      filter
        ? read(Count)`select count(*) as n from scim_group g where ${condition(directory, filter)}`
        : read(
            Count,
          )`select coalesce(sum(groups), 0) as n from scim_count where parent = app_parent() and directory = ${directory}`,
    )
  ).n;

/**
 * INVARIANT (one replaces alone): whoever replaces the members of a group, or renames or deletes it, waits for all others; those who add and
 * remove single people go beside each other. Held until the transaction ends; taken before the group is read.
 */
export const lockScimGroup = async (
  tx: Tx,
  directory: Id<'dir'>,
  id: Id<'grp'>,
  mode: 'shared' | 'alone',
): Promise<ScimGroup | undefined> => {
  const locked = tx.run(
    mode === 'alone'
      ? prepared('lock group alone', write`select pg_advisory_xact_lock(hashtextextended(${id}, 0))`)
      : prepared('lock group shared', write`select pg_advisory_xact_lock_shared(hashtextextended(${id}, 0))`),
  );
  // Sent after the lock and answered after it: the group is read as it is once the lock is held.
  const [, group] = await Promise.all([locked, findScimGroup(tx, directory, id)]);
  return group;
};

const taken = (e: unknown, g: Pick<ScimGroup, 'displayName' | 'externalId'>): unknown => {
  if (!(e instanceof Error) || !('code' in e) || e.code !== '23505' || !('constraint' in e)) return e;
  const by = e.constraint === 'scim_group_external' ? 'externalId' : 'displayName';
  if (by === 'displayName' && e.constraint !== 'scim_group_name') return e;
  return new Problem('conflict', 'directory/group-exists', {
    says: `a group with the ${by} ${JSON.stringify(g[by])} is in this directory already`,
    fix: `find it by ${by} and change that one`,
    more: { scimType: 'uniqueness', path: by },
    because: e,
  });
};

export async function insertScimGroup(tx: Tx, directory: Id<'dir'>, g: ScimGroup): Promise<void> {
  try {
    await tx.run(write`
      insert into scim_group (parent, id, directory, display_name, display_name_key, external_id, version, created_at, changed_at)
      values (app_parent(), ${g.id}, ${directory}, ${g.displayName}, ${fold(g.displayName)}, ${g.externalId ?? null}, ${g.version}, ${g.created}, ${g.changed})`);
  } catch (e) {
    throw taken(e, g);
  }
}

/** Writes name and external id; the caller has the group alone. */
export async function saveScimGroup(
  tx: Tx,
  directory: Id<'dir'>,
  g: Pick<ScimGroup, 'id' | 'displayName' | 'externalId'>,
): Promise<void> {
  try {
    await tx.run(write`
      update scim_group g set display_name = ${g.displayName}, display_name_key = ${fold(g.displayName)}, external_id = ${g.externalId ?? null}
       where ${own(directory)} and g.id = ${g.id}`);
  } catch (e) {
    throw taken(e, g);
  }
}

const Version = z.object({ version: z.number() });
/** `bumpScimGroups` of one group; returns the version that it has now. */
export const bumpScimGroup = async (tx: Tx, id: Id<'grp'>, at: Date, by = 1): Promise<number> =>
  (
    await tx.one(
      prepared(
        'bump scim group',
        read(
          Version,
        )`update scim_group set version = version + ${by}, changed_at = ${at} where parent = app_parent() and id = ${id} returning version`,
      ),
    )
  ).version;

/** Counts the version up once per effective change. The last thing a change does, so that others wait on the row for the commit only. */
export const bumpScimGroups = (tx: Tx, ids: readonly Id<'grp'>[], at: Date): Promise<number> =>
  tx.run(write`
  update scim_group set version = version + 1, changed_at = ${at}
   where parent = app_parent() and id in (select id from scim_group where parent = app_parent() and id = any(${ids}::text[]) order by id for no key update)`);

export const deleteScimGroup = (tx: Tx, directory: Id<'dir'>, id: Id<'grp'>): Promise<number> =>
  tx.run(write`delete from scim_group g where ${own(directory)} and g.id = ${id}`);

const User = z.object({ user: z.custom<Id<'scu'>>() });

/** Those of the ids that are no live user of the directory. */
export const listUnknown = async (tx: Tx, directory: Id<'dir'>, ids: readonly Id<'scu'>[]): Promise<Id<'scu'>[]> =>
  (
    await tx.many(
      prepared(
        'unknown scim users',
        read(User)`
    select i.id as "user" from unnest(${ids}::text[]) as i(id)
     where not exists (select from scim_user u where u.parent = app_parent() and u.directory = ${directory} and u.id = i.id and u.deleted_at is null)
     limit 5`,
      ),
    )
  ).map((r) => r.user);

/** Adds people; returns those who were not in it. In the order of their ids, so that two that add the same people do not wait for each other crosswise. */
export const insertMemberships = async (
  tx: Tx,
  group: Id<'grp'>,
  ids: readonly Id<'scu'>[],
  at: Date,
): Promise<Id<'scu'>[]> =>
  (
    await tx.many(
      prepared(
        'insert memberships',
        read(User)`
    insert into scim_membership (parent, group_id, scim_user, asserted_at)
    select app_parent(), ${group}, i.id, ${at} from unnest(${ids}::text[]) as i(id) order by i.id
    on conflict (group_id, scim_user) do nothing
    returning scim_user as "user"`,
      ),
    )
  ).map((r) => r.user);

/** Removes people; returns those who were in it. */
export const deleteMemberships = async (tx: Tx, group: Id<'grp'>, ids: readonly Id<'scu'>[]): Promise<Id<'scu'>[]> =>
  (
    await tx.many(
      prepared(
        'delete memberships',
        read(User)`
    delete from scim_membership where parent = app_parent() and group_id = ${group} and scim_user = any(${ids}::text[])
    returning scim_user as "user"`,
      ),
    )
  ).map((r) => r.user);

/** Removes everybody but these; returns who was removed. */
export const deleteOtherMemberships = async (
  tx: Tx,
  group: Id<'grp'>,
  keep: readonly Id<'scu'>[],
): Promise<Id<'scu'>[]> =>
  (
    await tx.many(read(User)`
    delete from scim_membership where parent = app_parent() and group_id = ${group} and not (scim_user = any(${keep}::text[]))
    returning scim_user as "user"`)
  ).map((r) => r.user);

const GroupOf = z.object({ id: z.custom<Id<'grp'>>() });
/** Takes a person out of every group; returns which. */
export const deleteMembershipsOf = async (tx: Tx, user: Id<'scu'>): Promise<Id<'grp'>[]> =>
  (
    await tx.many(read(GroupOf)`
    delete from scim_membership where parent = app_parent() and scim_user = ${user} returning group_id as id`)
  ).map((r) => r.id);

const Membership = z.object({
  group: z.custom<Id<'grp'>>(),
  groupName: z.string(),
  user: z.custom<Id<'scu'>>(),
  display: z.string().nullable(),
});
export type Membership = z.infer<typeof Membership>;

/** Who is in these groups, up to a limit. */
export const listMembershipsOfGroups = (
  db: Reader,
  groups: readonly Id<'grp'>[],
  limit: number,
): Promise<Membership[]> =>
  db.many(read(Membership)`
  select m.group_id as "group", g.display_name as "groupName", u.id as "user", coalesce(u.attributes ->> 'displayName', u.attributes ->> 'userName') as display
    from scim_membership m join scim_group g on g.id = m.group_id join scim_user u on u.id = m.scim_user and u.deleted_at is null
   where m.parent = app_parent() and m.group_id = any(${groups}::text[])
   order by m.group_id, m.scim_user
   limit ${limit}`);

/** Which groups these people are in. */
export const listMembershipsOfUsers = (db: Reader, users: readonly Id<'scu'>[]): Promise<Membership[]> =>
  db.many(
    prepared(
      'groups of scim users',
      read(Membership)`
  select m.group_id as "group", g.display_name as "groupName", m.scim_user as "user", null::text as display
    from scim_membership m join scim_group g on g.id = m.group_id
   where m.parent = app_parent() and m.scim_user = any(${users}::text[])
   order by m.scim_user, m.group_id`,
    ),
  );

const Run = z.object({
  ids: z.string().nullable(),
  names: z.string().nullable(),
  last: z.custom<Id<'scu'>>().nullable(),
});
export type MemberRun = z.infer<typeof Run>;

/**
 * A run of members: their ids one after the other (each has the same length) and their names as a JSON list, in the same order; two values for
 * thousands of rows. Without names the people themselves are not read: a membership of somebody who is gone does not exist (delete-scim-user.ts).
 */
export const memberRun = (
  db: Reader,
  group: Id<'grp'>,
  names: boolean,
  p: { after: string; limit: number },
): Promise<MemberRun> =>
  db.one(
    prepared(
      names ? 'members with names' : 'members',
      read(Run)`
  select string_agg(m.id, '') as ids, max(m.id) as last,
         ${names ? sql`json_agg(coalesce(u.attributes ->> 'displayName', u.attributes ->> 'userName'))::text` : sql`null::text`} as names
    from (select scim_user as id from scim_membership
           where parent = app_parent() and group_id = ${group} and scim_user > ${p.after}
           order by scim_user limit ${p.limit}) as m
    ${names ? sql`left join scim_user u on u.id = m.id and u.parent = app_parent() and u.id > ${p.after}` : sql``}`,
    ),
  );
