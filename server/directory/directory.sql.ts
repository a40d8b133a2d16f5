import { z } from 'zod';
import { json, prepared, read, sql, write, type Db, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Directory, ScimToken } from './directory.ts';
import { DirectorySettings } from './directory-settings.ts';

const Found = z.object({
  id: z.custom<Id<'sct'>>(),
  directory: z.custom<Id<'dir'>>(),
  parent: z.custom<Id<'par'>>(),
  org: z.custom<Id<'org'>>(),
  expires: z.date(),
  revoked: z.date().nullable(),
  state: z.enum(['active', 'paused']),
  settings: DirectorySettings,
});

/** Whose token this is, live or not; notes its use. */
export const lookupScimToken = (db: Db, hash: Buffer, at: Date): Promise<z.infer<typeof Found> | undefined> =>
  db.lookup(
    prepared(
      'scim token',
      read(Found)`
  select id, directory, parent, org, expires_at as expires, revoked_at as revoked, directory_state as state, settings
    from lookup_scim_token(${hash}, ${at})`,
    ),
  );

const DirectoryRow: z.ZodType<Directory> = z.object({
  id: z.custom<Id<'dir'>>(),
  org: z.custom<Id<'org'>>(),
  name: z.string(),
  state: z.enum(['active', 'paused']),
  created: z.date(),
  settings: DirectorySettings,
});

const columns: Fragment = sql`id, org, name, state, created_at as created,
  jsonb_build_object('profile', profile, 'domains', domains, 'domainPolicy', domain_policy, 'extensions', extensions,
                     'rate', rate, 'journal', journal, 'journalDays', journal_days) as settings`;

/** Directories whose people become members of the present org. */
export const listDirectories = (db: Reader): Promise<Directory[]> =>
  db.many(read(DirectoryRow)`
  select ${columns} from directory where parent = app_parent() and org = app_org() order by id`);

export const findDirectory = (db: Reader, id: Id<'dir'>): Promise<Directory | undefined> =>
  db.maybe(read(DirectoryRow)`
  select ${columns} from directory where parent = app_parent() and org = app_org() and id = ${id}`);

/** Takes the row for the rest of the transaction. */
export const lockDirectory = (tx: Tx, id: Id<'dir'>): Promise<Directory | undefined> =>
  tx.maybe(read(DirectoryRow)`
  select ${columns} from directory where parent = app_parent() and org = app_org() and id = ${id} for no key update`);

/** Name, state and settings as they shall be from now on. */
export const saveDirectory = (tx: Tx, d: Directory): Promise<number> =>
  tx.run(write`
  update directory
     set name = ${d.name}, state = ${d.state}, profile = ${d.settings.profile}, domains = ${d.settings.domains}::text[],
         domain_policy = ${d.settings.domainPolicy}, extensions = ${json(d.settings.extensions)}::jsonb, rate = ${d.settings.rate},
         journal = ${d.settings.journal}, journal_days = ${d.settings.journalDays}
   where parent = app_parent() and org = app_org() and id = ${d.id}`);

export const insertDirectory = (tx: Tx, d: Directory): Promise<number> =>
  tx.run(write`
  insert into directory (parent, id, org, name, state, created_at) values (app_parent(), ${d.id}, ${d.org}, ${d.name}, ${d.state}, ${d.created})`);

const TokenRow: z.ZodType<ScimToken> = z.object({
  id: z.custom<Id<'sct'>>(),
  created: z.date(),
  createdBy: z.string(),
  expires: z.date(),
  revoked: z.date().nullable(),
  lastUsed: z.date().nullable(),
});

export const listScimTokens = (db: Reader, directory: Id<'dir'>): Promise<ScimToken[]> =>
  db.many(read(TokenRow)`
  select id, created_at as created, created_by as "createdBy", expires_at as expires, revoked_at as revoked, last_used_at as "lastUsed"
    from scim_token where parent = app_parent() and directory = ${directory} and client is null order by id`);

export const insertScimToken = (
  tx: Tx,
  directory: Id<'dir'>,
  t: Pick<ScimToken, 'id' | 'created' | 'createdBy' | 'expires'> & { hash: Buffer },
): Promise<number> =>
  tx.run(write`
  insert into scim_token (parent, id, directory, hash, created_by, created_at, expires_at)
  values (app_parent(), ${t.id}, ${directory}, ${t.hash}, ${t.createdBy}, ${t.created}, ${t.expires})`);

/** 0: it was revoked before; the first date stays. */
export const revokeScimTokenRow = (tx: Tx, directory: Id<'dir'>, id: Id<'sct'>, at: Date): Promise<number> =>
  tx.run(write`
  update scim_token set revoked_at = ${at} where parent = app_parent() and directory = ${directory} and id = ${id} and revoked_at is null`);

const GroupRow = z.object({
  id: z.custom<Id<'grp'>>(),
  directory: z.custom<Id<'dir'>>(),
  name: z.string(),
  externalId: z.string().nullable(),
  members: z.coerce.number(),
});
export type ListedGroup = z.infer<typeof GroupRow>;

/** Groups of the org's directories whose name contains the text, by id after `after`. */
export const listGroups = (db: Reader, p: { search: string; after: string; limit: number }): Promise<ListedGroup[]> =>
  db.many(read(GroupRow)`
  select g.id, g.directory, g.display_name as name, g.external_id as "externalId",
         (select count(*) from scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null where m.group_id = g.id) as members
    from scim_group g join directory d on d.id = g.directory and d.org = app_org()
   where g.parent = app_parent() and g.id > ${p.after} and (${p.search} = '' or strpos(g.display_name_key, ${p.search}) > 0)
   order by g.id
   limit ${p.limit}`);

/** A group of one of the org's directories. */
export const findGroup = (db: Reader, id: Id<'grp'>): Promise<ListedGroup | undefined> =>
  db.maybe(read(GroupRow)`
  select g.id, g.directory, g.display_name as name, g.external_id as "externalId",
         (select count(*) from scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null where m.group_id = g.id) as members
    from scim_group g join directory d on d.id = g.directory and d.org = app_org()
   where g.parent = app_parent() and g.id = ${id}`);

const MemberRow = z.object({
  entry: z.custom<Id<'scu'>>(),
  user: z.custom<Id<'usr'>>().nullable(),
  name: z.string(),
  userName: z.string(),
  active: z.boolean(),
  unlinkedBecause: z.enum(['local_user', 'address_in_use', 'no_address', 'domain_held']).nullable(),
});
export type ListedMember = z.infer<typeof MemberRow>;

/** The people of a group whose name or userName contains the text. */
export const listGroupMembers = (
  db: Reader,
  group: Id<'grp'>,
  p: { search: string; after: string; limit: number },
): Promise<ListedMember[]> =>
  db.many(read(MemberRow)`
  select u.id as entry, u.user_id as "user", coalesce(u.attributes ->> 'displayName', u.attributes ->> 'userName') as name,
         u.attributes ->> 'userName' as "userName", u.active, u.unlinked_because as "unlinkedBecause"
    from scim_membership m join scim_user u on u.id = m.scim_user and u.deleted_at is null
   where m.parent = app_parent() and m.group_id = ${group} and m.scim_user > ${p.after}
     and (${p.search} = '' or strpos(u.user_name_key, ${p.search}) > 0 or strpos(u.display_name_key, ${p.search}) > 0)
   order by m.scim_user
   limit ${p.limit}`);
