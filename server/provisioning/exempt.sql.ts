import { z } from 'zod';
import { read, write, type Reader, type Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { memberRoles } from '#org/member.ts';
import { causes } from './mode.ts';

const ExemptRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  why: z.string(),
  setBy: z.string(),
  setAt: z.date(),
});
export type Exempt = z.infer<typeof ExemptRow>;

export const listExempt = (db: Reader): Promise<Exempt[]> =>
  db.many(read(ExemptRow)`
  select e.user_id as "user", u.email, e.why, e.set_by as "setBy", e.set_at as "setAt"
    from provisioning_exempt e join app_user u on u.parent = app_parent() and u.id = e.user_id where e.org = app_org() order by e.user_id`);

/** 0: it is one already, for the same reason. */
export const saveExempt = (tx: Tx, user: Id<'usr'>, why: string, by: string, at: Date): Promise<number> =>
  tx.run(write`
  insert into provisioning_exempt as e (org, user_id, why, set_by, set_at) values (app_org(), ${user}, ${why}, ${by}, ${at})
  on conflict (org, user_id) do update set why = excluded.why, set_by = excluded.set_by, set_at = excluded.set_at where e.why <> excluded.why`);

export const deleteExempt = (tx: Tx, user: Id<'usr'>): Promise<number> =>
  tx.run(write`delete from provisioning_exempt where org = app_org() and user_id = ${user}`);

const TombstoneRow = z.object({
  user: z.custom<Id<'usr'>>(),
  email: z.string(),
  displayName: z.string(),
  role: z.enum(memberRoles),
  cause: z.enum(causes),
  at: z.date(),
});
export type Tombstone = z.infer<typeof TombstoneRow>;

/** Who left and is not back. By user. */
export const listTombstones = (
  db: Reader,
  f: { like: string | null; after: string; limit: number },
): Promise<Tombstone[]> =>
  db.many(read(TombstoneRow)`
  select t.user_id as "user", u.email, u.display_name as "displayName", t.role, t.cause, t.at
    from membership_tombstone t join app_user u on u.parent = app_parent() and u.id = t.user_id
   where t.org = app_org() and t.user_id > ${f.after} and not exists (select from member m where m.org = app_org() and m.user_id = t.user_id)
     and (${f.like}::text is null or u.email ilike ${f.like} or u.display_name ilike ${f.like})
   order by t.user_id limit ${f.limit}`);

/** 0: there was none. */
export const deleteTombstone = (tx: Tx, user: Id<'usr'>): Promise<number> =>
  tx.run(write`delete from membership_tombstone where org = app_org() and user_id = ${user}`);
