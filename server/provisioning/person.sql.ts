import { z } from 'zod';
import { prepared, read, sql, write, type Fragment, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import { causes, sources } from './mode.ts';

const FactsRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  account: z.enum(['active', 'suspended']),
  member: z.custom<Id<'mem'>>().nullable(),
  role: z.enum(memberRoles).nullable(),
  source: z.enum(sources).nullable(),
  tier: z.string().nullable(),
  activatedAt: z.date().nullable(),
  lastSignInAt: z.date().nullable(),
  assertedAt: z.date().nullable(),
  entry: z.custom<Id<'scu'>>().nullable(),
  scim: z.enum(['absent', 'active', 'disabled', 'deleted']),
  /** Whether the entry is of a directory whose people come into this organization. */
  ours: z.boolean(),
  groups: z.array(z.custom<Id<'grp'>>()),
  tombstone: z.enum(causes).nullable(),
  leftAt: z.date().nullable(),
  breakGlass: z.boolean(),
  held: z.boolean(),
});
/** What the present organization knows of one person. */
export type Facts = z.infer<typeof FactsRow>;

/** `mapped`: the only groups that matter, so a person's other thousand are never loaded. */
const factsOf = (mapped: readonly Id<'grp'>[]): Fragment => sql`
  select u.id as "user", u.email, u.display_name as "displayName", u.state as account, m.id as member, m.role,
         coalesce(s.source, case when m.id is not null then 'hand' end) as source, s.tier, s.activated_at as "activatedAt",
         s.last_sign_in_at as "lastSignInAt", s.asserted_at as "assertedAt", e.id as entry,
         case when e.id is null then 'absent' when e.deleted_at is not null then 'deleted' when e.active then 'active' else 'disabled' end as scim,
         coalesce(e.ours, false) as ours,
         array(select x.group_id from scim_user d join scim_membership x on x.scim_user = d.id
                where d.parent = app_parent() and d.user_id = u.id and d.deleted_at is null and x.group_id = any(${mapped}::text[])
               union all
               select y.group_id from org_group_member y where y.parent = app_parent() and y.user_id = u.id and y.group_id = any(${mapped}::text[])) as groups,
         t.cause as tombstone, t.at as "leftAt",
         exists (select from provisioning_exempt x where x.org = app_org() and x.user_id = u.id) as "breakGlass",
         exists (select from provisioning_removal h where h.org = app_org() and h.user_id = u.id and h.state = 'held') as held
    from app_user u
    left join member m on m.org = app_org() and m.user_id = u.id
    left join member_seat s on s.org = app_org() and s.member = m.id
    left join membership_tombstone t on t.org = app_org() and t.user_id = u.id
    left join lateral (
      select c.id, c.active, c.deleted_at, d.org = app_org() as ours
        from scim_user c join directory d on d.parent = c.parent and d.id = c.directory
       where c.parent = app_parent() and c.user_id = u.id
       order by c.deleted_at desc nulls first limit 1) e on true
   where u.parent = app_parent()`;

/** These people. */
export const listFacts = (db: Reader, users: readonly Id<'usr'>[], mapped: readonly Id<'grp'>[]): Promise<Facts[]> =>
  db.many(read(FactsRow)`${factsOf(mapped)} and u.id = any(${users}::text[]) order by u.id`);

/** Everybody whom the organization's mode or mappings can concern: members, people of its directories, people of the mapped groups. A page, by id. */
export const listConcerned = (
  db: Reader,
  mapped: readonly Id<'grp'>[],
  p: { after: string; limit: number; like?: string | null },
): Promise<Facts[]> =>
  db.many(read(FactsRow)`
  with who as (
    select user_id from member where org = app_org()
    union
    select c.user_id from scim_user c join directory d on d.parent = c.parent and d.id = c.directory and d.org = app_org()
     where c.parent = app_parent() and c.user_id is not null and c.deleted_at is null
    union
    select c.user_id from scim_membership x join scim_user c on c.id = x.scim_user
     where x.parent = app_parent() and x.group_id = any(${mapped}::text[]) and c.user_id is not null and c.deleted_at is null
    union
    select user_id from org_group_member where parent = app_parent() and group_id = any(${mapped}::text[]))
  ${factsOf(mapped)} and u.id in (select user_id from who) and u.id > ${p.after}
     and (${p.like ?? null}::text is null or u.email ilike ${p.like ?? null} or u.display_name ilike ${p.like ?? null})
   order by u.id limit ${p.limit}`);

/**
 * Takes the accounts for the rest of the transaction, in one order. INVARIANT (one decision at a time): facts about a person are read after
 * this, so that of two changes of a person's groups the later one sees the earlier.
 */
export const lockPeople = (tx: Tx, users: readonly Id<'usr'>[]): Promise<number> =>
  tx.run(write`
  select id from app_user where parent = app_parent() and id = any(${users}::text[]) order by id for no key update`);

const UserRow = z.object({ user: z.custom<Id<'usr'>>() });
const users = (rows: { user: Id<'usr'> }[]): Id<'usr'>[] => rows.map((r) => r.user);

/** The accounts of entries of a directory. */
export const usersOfEntries = async (db: Reader, entries: readonly Id<'scu'>[]): Promise<Id<'usr'>[]> =>
  users(
    await db.many(read(UserRow)`
    select user_id as "user" from scim_user where parent = app_parent() and id = any(${entries}::text[]) and user_id is not null and deleted_at is null`),
  );

/** Which of these groups an entry is in, whether it has an account or not. */
export const groupsOfEntry = async (db: Reader, entry: Id<'scu'>, groups: readonly Id<'grp'>[]): Promise<Id<'grp'>[]> =>
  (
    await db.many(read(z.object({ group: z.custom<Id<'grp'>>() }))`
    select group_id as "group" from scim_membership where parent = app_parent() and scim_user = ${entry} and group_id = any(${groups}::text[])`)
  ).map((r) => r.group);

/** The accounts of a directory's group. */
export const usersOfGroup = async (db: Reader, group: Id<'grp'>): Promise<Id<'usr'>[]> =>
  users(
    await db.many(read(UserRow)`
    select c.user_id as "user" from scim_membership m join scim_user c on c.id = m.scim_user
     where m.parent = app_parent() and m.group_id = ${group} and c.user_id is not null and c.deleted_at is null`),
  );

/** Owners who could sign in. */
export const listActiveOwners = async (db: Reader): Promise<Id<'usr'>[]> =>
  users(
    await db.many(read(UserRow)`
    select m.user_id as "user" from member m join app_user u on u.id = m.user_id and u.parent = app_parent()
     where m.org = app_org() and m.role in ('primary_owner', 'owner') and u.state = 'active'`),
  );

/** How many members there are; not counted beyond `atMost`, where more makes no difference to who asks. */
export const countMembers = async (db: Reader, atMost = 2_000_000_000): Promise<number> =>
  (
    await db.one(
      read(z.object({ n: z.number() }))`
      select count(*)::int as n from (select from member where org = app_org() limit ${atMost}) m`,
    )
  ).n;

export type NewMember = { id: Id<'mem'>; user: Id<'usr'>; role: string; tier: string | null; source: string };

/** Adds members with what is known of them; somebody who was added meanwhile stays as they are. */
export async function insertMembers(tx: Tx, all: readonly NewMember[], at: Date): Promise<void> {
  await tx.run(
    prepared(
      'insert members',
      write`
    with r as (
      select * from unnest(${all.map((m) => m.id)}::text[], ${all.map((m) => m.user)}::text[], ${all.map((m) => m.role)}::text[],
                           ${all.map((m) => m.source)}::text[], ${all.map((m) => m.tier)}::text[]) as r(id, user_id, role, source, tier)),
    made as (
      insert into member (org, id, user_id, role, created_at) select app_org(), r.id, r.user_id, r.role, ${at} from r
      on conflict (org, user_id) do nothing returning id)
    insert into member_seat (org, member, user_id, source, tier, asserted_at)
    select app_org(), r.id, r.user_id, r.source, r.tier, ${at} from r join made on made.id = r.id`,
    ),
  );
}

export const saveRoles = (tx: Tx, all: readonly { member: Id<'mem'>; role: string }[]): Promise<number> =>
  tx.run(write`
  update member m set role = r.role from unnest(${all.map((a) => a.member)}::text[], ${all.map((a) => a.role)}::text[]) as r(id, role)
   where m.org = app_org() and m.id = r.id and m.role <> 'primary_owner'`);

/** Takes people out and says why; their seats end with them. */
export async function deleteMembers(
  tx: Tx,
  all: readonly { member: Id<'mem'>; user: Id<'usr'>; cause: string }[],
  at: Date,
): Promise<void> {
  await tx.run(write`
    delete from member where org = app_org() and id = any(${all.map((a) => a.member)}::text[]) and role <> 'primary_owner'`);
  await tx.run(write`
    update membership_tombstone t set cause = r.cause, at = ${at}
      from unnest(${all.map((a) => a.user)}::text[], ${all.map((a) => a.cause)}::text[]) as r(user_id, cause)
     where t.org = app_org() and t.user_id = r.user_id`);
}

export type SeatWord = { member: Id<'mem'>; user: Id<'usr'>; source: string; tier: string | null; signedIn: boolean };

/** Notes that the identity provider stands behind these members, their tier, and a seat taken by signing in. */
export const saveSeats = (tx: Tx, all: readonly SeatWord[], at: Date): Promise<number> =>
  tx.run(write`
  insert into member_seat as s (org, member, user_id, source, tier, activated_at, last_sign_in_at, asserted_at)
  select app_org(), r.member, r.user_id, r.source, r.tier, case when r.signed_in then ${at}::timestamptz end, case when r.signed_in then ${at}::timestamptz end, ${at}
    from unnest(${all.map((a) => a.member)}::text[], ${all.map((a) => a.user)}::text[], ${all.map((a) => a.source)}::text[], ${all.map((a) => a.tier)}::text[],
                ${all.map((a) => a.signedIn)}::boolean[]) as r(member, user_id, source, tier, signed_in)
    join member m on m.org = app_org() and m.id = r.member
  on conflict (member) do update set tier = excluded.tier, asserted_at = excluded.asserted_at,
    activated_at = coalesce(s.activated_at, excluded.activated_at), last_sign_in_at = coalesce(excluded.last_sign_in_at, s.last_sign_in_at)`);
