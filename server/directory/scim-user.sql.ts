import { z } from 'zod';
import { json, prepared, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { filterSql, type Places, type Rows } from './scim-filter.sql.ts';
import { afterCursor, hotName, inOrder, type Page } from './scim-page.sql.ts';
import type { Filter } from './scim-filter.ts';
import { columnsOf, type Person, type ScimUser } from './scim-user.ts';
import { fromStored, type Complex } from './scim-value.ts';

const Row = z
  .object({
    id: z.custom<Id<'scu'>>(),
    attributes: z.unknown(),
    user: z.custom<Id<'usr'>>().nullable(),
    because: z.enum(['local_user', 'address_in_use', 'no_address', 'domain_held']).nullable(),
    suspendedHere: z.boolean(),
    version: z.number(),
    created: z.date(),
    changed: z.date(),
  })
  .transform((r): ScimUser => ({
    id: r.id,
    attributes: fromStored(r.attributes),
    person:
      r.user === null
        ? { state: 'unlinked', because: r.because ?? 'no_address' }
        : { state: 'linked', user: r.user, suspendedHere: r.suspendedHere },
    version: r.version,
    created: r.created,
    changed: r.changed,
  }));

const columns = sql`u.id, u.attributes, u.user_id as "user", u.unlinked_because as because, u.suspended_here as "suspendedHere",
  u.version, u.created_at as created, u.changed_at as changed`;
const live = (directory: Id<'dir'>): Fragment =>
  sql`u.parent = app_parent() and u.directory = ${directory} and u.deleted_at is null`;

const emails: Rows = {
  from: sql`scim_email e`,
  where: sql`e.directory = u.directory and e.scim_user = u.id`,
  columns: new Map([
    ['value', sql`e.value_key`],
    ['type', sql`e.type_key`],
    ['display', sql`e.display_key`],
    ['primary', sql`e.is_primary`],
  ]),
};
const groups: Rows = {
  from: sql`scim_membership m join scim_group g on g.id = m.group_id`,
  where: sql`m.scim_user = u.id`,
  columns: new Map([
    ['value', sql`g.id`],
    ['display', sql`g.display_name_key`],
  ]),
};

/** Where a user's attributes are. Those that clients look people up by have a column and an index. */
export const userPlaces: Places = {
  columns: new Map([
    ['id', sql`u.id`],
    ['externalId', sql`u.external_id`],
    ['userName', sql`u.user_name_key`],
    ['displayName', sql`u.display_name_key`],
    ['active', sql`u.active`],
    ['meta.created', sql`u.created_at`],
    ['meta.lastModified', sql`u.changed_at`],
    ['meta.resourceType', sql`'User'::text collate "C"`],
  ]),
  rows: new Map([
    ['emails', emails],
    ['groups', groups],
  ]),
  tail: sql`u.attributes`,
};

export const findScimUser = (db: Reader, directory: Id<'dir'>, id: Id<'scu'>): Promise<ScimUser | undefined> =>
  db.maybe(
    prepared('scim user', read(Row)`select ${columns} from scim_user u where ${live(directory)} and u.id = ${id}`),
  );

/** Takes the row for the rest of the transaction. */
export const lockScimUser = (tx: Tx, directory: Id<'dir'>, id: Id<'scu'>): Promise<ScimUser | undefined> =>
  tx.maybe(
    prepared(
      'lock scim user',
      read(Row)`select ${columns} from scim_user u where ${live(directory)} and u.id = ${id} for no key update`,
    ),
  );

const condition = (directory: Id<'dir'>, filter: Filter | undefined): Fragment =>
  filter ? sql`${live(directory)} and ${filterSql(filter, userPlaces)}` : live(directory);

/** In the order of the given sort, else in the order in which they came, which never changes while pages are walked. */
export function listScimUsers(db: Reader, directory: Id<'dir'>, p: Page): Promise<ScimUser[]> {
  const statement = read(Row)`
    select ${columns} from scim_user u where ${condition(directory, p.filter)} and ${afterCursor(sql`u.id`, p)}
     order by ${inOrder(sql`u.id`, p)}
     limit ${p.limit} offset ${p.offset}`;
  const name = hotName('scim users', p);
  return db.many(name === undefined ? statement : prepared(name, statement));
}

/** The text of a user's sort value, for a cursor. */
export const sortKeyOfUser = async (
  db: Reader,
  directory: Id<'dir'>,
  id: string,
  by: Fragment,
): Promise<string | null> =>
  (await db.maybe(read(Key)`select (${by})::text as key from scim_user u where ${live(directory)} and u.id = ${id}`))
    ?.key ?? null;
const Key = z.object({ key: z.string().nullable() });

const Count = z.object({ n: z.coerce.number() });
/** All of them are counted where they are added and removed (scim_count); those of a filter by looking. */
export const countScimUsers = async (db: Reader, directory: Id<'dir'>, filter: Filter | undefined): Promise<number> =>
  (
    await db.one(
      filter
        ? read(Count)`select count(*) as n from scim_user u where ${condition(directory, filter)}`
        : read(
            Count,
          )`select coalesce(sum(users), 0) as n from scim_count where parent = app_parent() and directory = ${directory}`,
    )
  ).n;

const taken = (e: unknown, attributes: Complex): unknown => {
  if (!(e instanceof Error) || !('code' in e) || e.code !== '23505' || !('constraint' in e)) return e;
  const by = e.constraint === 'scim_user_external' ? 'externalId' : 'userName';
  if (by === 'userName' && e.constraint !== 'scim_user_name') return e;
  return new Problem('conflict', 'directory/user-exists', {
    says: `a user with the ${by} ${JSON.stringify(attributes[by])} is in this directory already`,
    fix: `find it by ${by} and change that one`,
    more: { scimType: 'uniqueness', path: by },
    because: e,
  });
};

const personColumns = (p: Person): { user: Id<'usr'> | null; because: string | null; suspended: boolean } =>
  p.state === 'linked'
    ? { user: p.user, because: null, suspended: p.suspendedHere }
    : { user: null, because: p.because, suspended: false };

/** Adds the entry; `conflict` if its userName or externalId is taken. */
export async function insertScimUser(tx: Tx, directory: Id<'dir'>, u: ScimUser): Promise<void> {
  const c = columnsOf(u.attributes);
  const p = personColumns(u.person);
  const entry = tx.run(
    prepared(
      'insert scim user',
      write`
      insert into scim_user (parent, id, directory, attributes, user_name_key, display_name_key, external_id, active,
                             user_id, unlinked_because, suspended_here, version, created_at, changed_at)
      values (app_parent(), ${u.id}, ${directory}, ${json(u.attributes)}::jsonb, ${c.userNameKey}, ${c.displayNameKey}, ${c.externalId}, ${c.active},
              ${p.user}, ${p.because}, ${p.suspended}, ${u.version}, ${u.created}, ${u.changed})`,
    ),
  );
  // Sent together; should the first fail, so does the second, and the first is what is told.
  const emails = insertEmails(tx, directory, u);
  emails.catch(() => undefined);
  try {
    await entry;
  } catch (e) {
    throw taken(e, u.attributes);
  }
  await emails;
}

/** Writes the entry back; the caller has locked it. `conflict` if its userName or externalId is taken. */
export async function saveScimUser(tx: Tx, directory: Id<'dir'>, u: ScimUser): Promise<void> {
  const c = columnsOf(u.attributes);
  const p = personColumns(u.person);
  const entry = tx.run(
    prepared(
      'save scim user',
      write`
      update scim_user u
         set attributes = ${json(u.attributes)}::jsonb, user_name_key = ${c.userNameKey}, display_name_key = ${c.displayNameKey},
             external_id = ${c.externalId}, active = ${c.active}, user_id = ${p.user}, unlinked_because = ${p.because},
             suspended_here = ${p.suspended}, version = ${u.version}, changed_at = ${u.changed}
       where ${live(directory)} and u.id = ${u.id}`,
    ),
  );
  const emails = Promise.all([
    tx.run(
      prepared('delete scim emails', write`delete from scim_email where parent = app_parent() and scim_user = ${u.id}`),
    ),
    insertEmails(tx, directory, u),
  ]);
  emails.catch(() => undefined);
  try {
    await entry;
  } catch (e) {
    throw taken(e, u.attributes);
  }
  await emails;
}

async function insertEmails(tx: Tx, directory: Id<'dir'>, u: ScimUser): Promise<void> {
  const { emails: e } = columnsOf(u.attributes);
  if (e.value.length === 0) return;
  await tx.run(
    prepared(
      'insert scim emails',
      write`
    insert into scim_email (parent, directory, scim_user, position, value_key, type_key, display_key, is_primary)
    select app_parent(), ${directory}, ${u.id}, r.position, r.value, r.type, r.display, r.is_primary::boolean
      from unnest(${e.value}::text[], ${e.type}::text[], ${e.display}::text[], ${e.primary}::text[])
           with ordinality as r(value, type, display, is_primary, position)`,
    ),
  );
}

/** Ends the entry. What is left recognizes the person if the directory sends them again, and is seen by nobody else. */
export async function entombScimUser(tx: Tx, directory: Id<'dir'>, u: ScimUser, at: Date): Promise<void> {
  await tx.run(write`delete from scim_email where parent = app_parent() and scim_user = ${u.id}`);
  await tx.run(write`
    update scim_user u
       set attributes = '{}'::jsonb, display_name_key = null, active = false, deleted_at = ${at},
           suspended_here = ${u.person.state === 'linked' && u.person.suspendedHere}
     where ${live(directory)} and u.id = ${u.id}`);
}

const Former = z.object({ user: z.custom<Id<'usr'>>(), suspendedHere: z.boolean() });
/**
 * Whose account a returning entry was. The directory's own id decides where both have one: a userName may have passed to somebody else,
 * who must not find the account of the one who left.
 */
export const findFormer = (
  tx: Tx,
  directory: Id<'dir'>,
  c: { userNameKey: string; externalId: string | null },
): Promise<z.infer<typeof Former> | undefined> =>
  tx.maybe(
    prepared(
      'former scim user',
      read(Former)`
  select u.user_id as "user", u.suspended_here as "suspendedHere"
    from scim_user u
   where u.parent = app_parent() and u.directory = ${directory} and u.deleted_at is not null and u.user_id is not null
     and (u.external_id = ${c.externalId} or (u.user_name_key = ${c.userNameKey} and (u.external_id is null or ${c.externalId}::text is null)))
     and not exists (select from scim_user l where l.user_id = u.user_id and l.deleted_at is null)
   order by u.deleted_at desc
   limit 1`,
    ),
  );

/** One at a time for one address of one parent, so that two directories cannot both make its account. */
export const lockAddress = (tx: Tx, address: string): Promise<number> =>
  tx.run(
    prepared(
      'lock address',
      write`select pg_advisory_xact_lock(hashtextextended('scim address ' || app_parent() || ${address}, 0))`,
    ),
  );

const Linked = z.object({ user: z.custom<Id<'usr'>>() });
/**
 * The account that directories of this parent link an external id to; undefined where none does, or two disagree. Links of deleted entries do
 * not count. The account may be suspended: whoever asks must look.
 */
export async function findUserIdByExternalId(db: Reader, externalId: string): Promise<Id<'usr'> | undefined> {
  const rows = await db.many(read(Linked)`
    select user_id as "user" from scim_user
     where parent = app_parent() and external_id = ${externalId} and deleted_at is null and user_id is not null
     limit 2`);
  return rows.length === 1 ? rows[0]?.user : undefined;
}
