import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import { BRAKE_WINDOW_MS } from './brake.ts';

/** What an identity provider takes: access because of the entry, a place because of groups, or a part of the role. */
export const takings = ['disabled', 'deleted', 'unmapped', 'lowered'] as const;
export type Taking = (typeof takings)[number];

export type Removal = {
  id: Id<'rem'>;
  user: Id<'usr'>;
  kind: Taking;
  directory: Id<'dir'> | null;
  entry: Id<'scu'> | null;
  group: Id<'grp'> | null;
};

/**
 * INVARIANT (one counts): removals of an organization by one directory are counted one after the other, so that many at the same moment
 * cannot all be the tenth. The last lock that a change takes, and held to its end.
 */
export const lockBrake = (tx: Tx, directory: Id<'dir'> | null): Promise<number> =>
  tx.run(write`select pg_advisory_xact_lock(hashtextextended('brake ' || app_org() || ${directory ?? ''}, 0))`);

/** How many people lost something at once within the window. */
export const countDone = async (db: Reader, directory: Id<'dir'> | null, now: Date): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(distinct user_id)::int as n from provisioning_removal
     where org = app_org() and directory is not distinct from ${directory} and state = 'done' and at > ${new Date(now.getTime() - BRAKE_WINDOW_MS)}`)
  ).n;

/** Whether anybody's removal was held within the window; asked before more are written down. */
export const heldLately = async (db: Reader, now: Date): Promise<boolean> =>
  (
    await db.one(read(z.object({ yes: z.boolean() }))`
    select exists (select from provisioning_removal
                    where org = app_org() and state = 'held' and at > ${new Date(now.getTime() - BRAKE_WINDOW_MS)}) as yes`)
  ).yes;

/** Writes removals down, done or held. Somebody who is held already stays held with the first reason. */
export const insertRemovals = (tx: Tx, all: readonly Removal[], state: 'done' | 'held', at: Date): Promise<number> =>
  tx.run(write`
  insert into provisioning_removal (org, id, directory, entry, group_id, user_id, kind, state, at)
  select app_org(), r.id, r.directory, r.entry, r.group_id, r.user_id, r.kind, ${state}, ${at}
    from unnest(${all.map((r) => r.id)}::text[], ${all.map((r) => r.directory)}::text[], ${all.map((r) => r.entry)}::text[], ${all.map((r) => r.group)}::text[],
                ${all.map((r) => r.user)}::text[], ${all.map((r) => r.kind)}::text[]) as r(id, directory, entry, group_id, user_id, kind)
  on conflict (org, user_id) where state = 'held' do nothing`);

const HeldRow = z.object({
  id: z.custom<Id<'rem'>>(),
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles).nullable(),
  kind: z.enum(takings),
  directory: z.custom<Id<'dir'>>().nullable(),
  entry: z.custom<Id<'scu'>>().nullable(),
  group: z.custom<Id<'grp'>>().nullable(),
  groupName: z.string().nullable(),
  at: z.date(),
});
export type Held = z.infer<typeof HeldRow>;

const held = read(HeldRow);

/** People whose removal waits. By id, which is by time. */
export const listHeld = (db: Reader, f: { like: string | null; after: string; limit: number }): Promise<Held[]> =>
  db.many(held`
  select r.id, r.user_id as "user", u.email, u.display_name as "displayName", m.role, r.kind, r.directory, r.entry, r.group_id as "group",
         g.display_name as "groupName", r.at
    from provisioning_removal r join app_user u on u.parent = app_parent() and u.id = r.user_id
    left join member m on m.org = app_org() and m.user_id = r.user_id
    left join scim_group g on g.parent = app_parent() and g.id = r.group_id
   where r.org = app_org() and r.state = 'held' and r.id > ${f.after}
     and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like})
   order by r.id limit ${f.limit}`);

/** These, or all; taken for the rest of the transaction. */
export const lockHeld = (tx: Tx, ids: readonly Id<'rem'>[] | 'all'): Promise<Held[]> =>
  tx.many(held`
  select r.id, r.user_id as "user", u.email, u.display_name as "displayName", m.role, r.kind, r.directory, r.entry, r.group_id as "group",
         null::text as "groupName", r.at
    from provisioning_removal r join app_user u on u.parent = app_parent() and u.id = r.user_id
    left join member m on m.org = app_org() and m.user_id = r.user_id
   where r.org = app_org() and r.state = 'held' and (${ids === 'all'} or r.id = any(${ids === 'all' ? [] : ids}::text[]))
   order by r.id for update of r`);

export const countHeld = async (db: Reader): Promise<number> =>
  (
    await db.one(read(z.object({ n: z.number() }))`
    select count(*)::int as n from provisioning_removal where org = app_org() and state = 'held'`)
  ).n;

export const saveDecided = (
  tx: Tx,
  ids: readonly Id<'rem'>[],
  state: 'applied' | 'discarded',
  by: string,
  at: Date,
): Promise<number> =>
  tx.run(write`
  update provisioning_removal set state = ${state}, decided_at = ${at}, decided_by = ${by}
   where org = app_org() and id = any(${ids}::text[]) and state = 'held'`);

const UserRow = z.object({ user: z.custom<Id<'usr'>>() });
/** The identity provider took it back: these people, whose removal for such a reason was held, are held no more. */
export const withdrawHeld = async (
  tx: Tx,
  people: readonly Id<'usr'>[],
  kinds: readonly Taking[],
  by: string,
  at: Date,
): Promise<Id<'usr'>[]> =>
  (
    await tx.many(read(UserRow)`
    update provisioning_removal set state = 'withdrawn', decided_at = ${at}, decided_by = ${by}
     where org = app_org() and user_id = any(${people}::text[]) and kind = any(${kinds}::text[]) and state = 'held' returning user_id as "user"`)
  ).map((r) => r.user);

/** Whether the person is the primary owner of an organization of this parent beside the present one. */
export const ownsElsewhere = async (db: Reader, user: Id<'usr'>): Promise<boolean> =>
  (
    await db.one(read(z.object({ yes: z.boolean() }))`
    select exists (select from orgs_of_user(${user}) o where o.role = 'primary_owner' and o.org <> app_org()) as yes`)
  ).yes;

/** Changes an entry as the brake's end makes it: an account that was suspended for it, so that the directory may end that. */
export const saveEntrySuspended = (tx: Tx, entries: readonly Id<'scu'>[]): Promise<number> =>
  tx.run(write`
  update scim_user set suspended_here = true where parent = app_parent() and id = any(${entries}::text[])`);

/** An entry whose disabling was discarded is active again, and the directory that asks is told so. */
export const saveEntryActive = (tx: Tx, entries: readonly Id<'scu'>[], at: Date): Promise<number> =>
  tx.run(write`
  update scim_user set active = true, attributes = jsonb_set(attributes, '{active}', 'true'), version = version + 1, changed_at = ${at}
   where parent = app_parent() and id = any(${entries}::text[]) and deleted_at is null and not active`);

/** People whose loss of a group was discarded are in it again, where the group still is. */
export const restoreMemberships = (
  tx: Tx,
  all: readonly { group: Id<'grp'>; user: Id<'usr'> }[],
  at: Date,
): Promise<number> =>
  tx.run(write`
  insert into scim_membership (parent, group_id, scim_user, asserted_at)
  select app_parent(), g.id, c.id, ${at}
    from unnest(${all.map((a) => a.group)}::text[], ${all.map((a) => a.user)}::text[]) as r(group_id, user_id)
    join scim_group g on g.parent = app_parent() and g.id = r.group_id
    join scim_user c on c.parent = app_parent() and c.user_id = r.user_id and c.deleted_at is null and c.directory = g.directory
  on conflict (group_id, scim_user) do nothing`);
